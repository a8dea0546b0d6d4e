import torch

from skdyn.autoencoder._kernels import marked
from skdyn.testing._device_use import DeviceUse, as_if_away


def waits_of(call):
    with DeviceUse() as use:
        call()
    return use.n_waits


def test_what_asks_for_a_number_or_a_size_waits():
    x, mask = torch.arange(4.0), torch.tensor([True, False, True, False])
    asking = [
        lambda: x + torch.arange(4), x.sum().item, x.tolist, x.numpy, x.cpu, mask.nonzero,
        mask.any().__bool__,
        x.int().bincount, x.unique, lambda: x[mask], lambda: x.masked_select(mask),
        lambda: torch.equal(x, x), lambda: x.index_put_((mask,), torch.ones(2)),
        lambda: x.repeat_interleave(torch.tensor([1, 2, 0, 1])), lambda: float(x[0]),
    ]  # fmt: skip
    few = {12, 13}  # there the numbers themselves are sent as well
    assert [waits_of(call) for call in asking] == [1 + (i in few) for i in range(len(asking))]


def test_what_only_computes_does_not_wait():
    x, mask = torch.arange(4.0), torch.arange(4) > 1
    order, repeats = torch.arange(3, -1, -1), torch.arange(4)
    free = [
        lambda: x[order], lambda: x.masked_fill(mask, 0.0), lambda: x.where(mask, 0.0),
        lambda: x.topk(2), lambda: x @ x, lambda: x.sort(), lambda: x.cumsum(0),
        lambda: x.repeat_interleave(repeats, output_size=6), lambda: x.index_add(0, order, x),
        lambda: x.new_zeros(3), lambda: torch.arange(3, device=x.device), lambda: x.normal_(),
    ]  # fmt: skip
    assert [waits_of(call) for call in free] == [0] * len(free)


def test_waits_of_the_backward_pass_count_and_views_are_no_kernels():
    class Asking(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, *grad):
            return grad[0] * grad[0].sum().item()

    x = torch.ones(3, requires_grad=True)
    with DeviceUse() as use:
        total = Asking.apply(x).view(3, 1).T.sum()
    assert (use.n_kernels, use.n_waits) == (2, 0)
    with DeviceUse() as use:
        total.backward()
    assert use.n_waits == 1


def test_tensors_made_elsewhere_are_told():
    x = torch.empty(3, device="meta")
    with DeviceUse() as use:
        _ = 2 * x + torch.arange(3, device=x.device)
    assert set(use.devices) == {"meta"}
    with DeviceUse() as use:
        torch.arange(3).to(x.device)
    assert set(use.devices) == {"meta", "cpu"}
    assert use.n_waits == 2  # made, and moved


def test_as_if_away_nothing_is_near():
    mask = torch.tensor([True, False, True])
    with DeviceUse() as use, as_if_away():
        places = marked(mask, 2)
    assert places.tolist() == [0, 2]
    assert use.n_waits == 0
    with DeviceUse() as use:
        marked(mask, 2)
    assert use.n_waits == 1
