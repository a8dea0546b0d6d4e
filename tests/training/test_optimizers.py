import pytest
import torch

from skdyn.training import LEARNING_RATE_SCHEDULES, OPTIMIZERS
from skdyn.training._optimizers import (
    clip_gradients,
    decaying,
    parameter_groups,
    set_learning_rate,
    sum_of_squares,
)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_first_order_optimisers_are_fused(name):
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = OPTIMIZERS[name]([weight], lr=0.1)
    assert optimizer.param_groups[0]["fused"] is True


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser_finds_the_minimum_of_a_parabola(name):
    weight = torch.nn.Parameter(torch.tensor([3.0, -2.0], dtype=torch.float64))
    optimizer = OPTIMIZERS[name]([weight], lr=1.0 if name == "lbfgs" else 0.05)

    def closure():
        optimizer.zero_grad()
        loss = ((weight - 1) ** 2).sum() + (0.1 * weight.detach() ** 2).sum()
        loss.backward()
        return loss

    for _ in range(400):
        optimizer.step(closure)
    torch.testing.assert_close(weight.data, torch.ones(2, dtype=torch.float64), atol=2e-2, rtol=0)


@pytest.mark.parametrize("name", LEARNING_RATE_SCHEDULES)
def test_schedules_stay_between_zero_and_one(name):
    values = [LEARNING_RATE_SCHEDULES[name](i / 100) for i in range(100)]
    assert all(0 < value <= 1 for value in values)


def test_known_values_of_the_schedules():
    assert LEARNING_RATE_SCHEDULES["constant"](0.7) == 1
    assert LEARNING_RATE_SCHEDULES["cosine"](0.5) == pytest.approx(0.5)
    assert LEARNING_RATE_SCHEDULES["exponential"](0.5) == pytest.approx(0.1)
    warm_up_and_down = [(0.0, 0.04), (0.15, 0.52), (0.3, 1.0), (0.65, 0.5005), (1.0, 0.001)]
    for progress, factor in warm_up_and_down:
        assert LEARNING_RATE_SCHEDULES["one_cycle"](progress) == pytest.approx(factor)


def test_the_rate_reaches_every_group():
    optimizer = torch.optim.SGD([{"params": [torch.nn.Parameter(torch.ones(1))]}] * 1, lr=1.0)
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(1))]})
    set_learning_rate(optimizer, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]


class Asking(torch.nn.Linear):
    """Asks for the groups that it is told to ask for."""

    def __init__(self, ask):
        super().__init__(2, 1)
        self.parameter_groups = lambda: ask(self)


def test_what_a_module_does_not_say_of_a_group_is_as_for_the_rest():
    module = Asking(lambda own: [{"params": [own.bias]}])
    rest, group = parameter_groups(module)
    assert rest == {"params": [module.weight], "rate": 1.0, "decay": True}
    assert group == {"params": [module.bias], "rate": 1.0, "decay": True}


@pytest.mark.parametrize(
    "ask",
    [
        lambda own: [{"params": [own.bias]}, {"params": [own.bias]}],
        lambda own: [{"params": [torch.nn.Parameter(torch.ones(1))]}],
    ],
    ids=["twice", "not its own"],
)
def test_groups_that_share_or_invent_a_parameter_are_refused(ask):
    with pytest.raises(ValueError, match=r"Asking\.parameter_groups.*each in one group"):
        parameter_groups(Asking(ask))


@pytest.mark.parametrize("most", [0.1, 100.0])
@pytest.mark.parametrize("last", [torch.float32, torch.float64])
def test_gradients_are_clipped_as_torch_does_to_the_bit(most, last):
    generator = torch.Generator().manual_seed(0)
    shapes = [((4, 3), torch.float32), ((3,), torch.float32), ((2, 2), last)]
    ours, theirs = ([torch.nn.Parameter(torch.zeros(s, dtype=d)) for s, d in shapes] for _ in "ab")
    for one, other in zip(ours[:2], theirs[:2], strict=True):  # the third has no gradient
        one.grad = torch.randn(one.shape, generator=generator, dtype=one.dtype)
        other.grad = one.grad.clone()
    if last is torch.float64:
        ours[2].grad, theirs[2].grad = torch.ones_like(ours[2]), torch.ones_like(theirs[2])
    clip_gradients(ours, most)
    torch.nn.utils.clip_grad_norm_(theirs, most)
    for one, other in zip(ours, theirs, strict=True):
        assert (one.grad is None) == (other.grad is None)
        assert one.grad is None or torch.equal(one.grad, other.grad)


def test_gradients_that_are_no_numbers_are_not_hidden_by_clipping():
    weight = torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.tensor([1.0, torch.nan])
    clip_gradients([weight], 1.0)
    assert weight.grad.isnan().all()
    clip_gradients([], 1.0)  # nothing to do, and no error


def test_the_penalty_counts_squares_of_the_groups_that_decay():
    one, other = torch.nn.Parameter(torch.tensor([3.0])), torch.nn.Parameter(torch.ones(2, 2))
    groups = [{"params": [one, other], "decay": True}, {"params": [one], "decay": False}]
    assert decaying(groups) == [one, other]
    assert sum_of_squares(decaying(groups)).item() == pytest.approx(13.0)
    assert sum_of_squares([]).item() == 0.0
