import pytest
import torch

from skdyn.autoencoder._kernels import Codes, Support, decode, encode_at, marked
from skdyn.testing._device_use import DeviceUse, as_if_away


def _problem(share, n=12, d=5, m=9, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    mask = torch.rand(n, m, generator=generator) < share
    return mask, draw(n, d), draw(d), draw(m, d), draw(m), draw(m, d)


@pytest.fixture(params=[0.05, 0.4], ids=["sparse", "crowded"])
def problem(request):
    return _problem(request.param)


def test_values_and_gradients_equal_those_of_dense_autograd(problem):
    mask, x, shift, encoder, bias, decoder = problem
    leaves = [x, shift, encoder, bias, decoder]

    dense = torch.where(mask, torch.relu((x - shift) @ encoder.T + bias), 0.0)
    expected = dense @ decoder + shift
    support = Support.of_mask(mask)
    values = torch.relu(encode_at(x, encoder, bias, support, shift=shift))
    got = decode(Codes(support, values), decoder) + shift

    torch.testing.assert_close(got, expected, rtol=0, atol=1e-10)
    pull = torch.linspace(-1, 1, got.numel(), dtype=got.dtype).reshape(got.shape)
    for ours, theirs in zip(
        torch.autograd.grad((got * pull).sum(), leaves),
        torch.autograd.grad((expected * pull).sum(), leaves),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


def test_known_values_are_handed_through_with_the_same_gradients(problem):
    mask, x, shift, encoder, bias, _ = problem
    support = Support.of_mask(mask)
    computed = encode_at(x, encoder, bias, support, shift=shift)
    handed = encode_at(x, encoder, bias, support, shift=shift, values=computed.detach())
    assert torch.equal(handed, computed)
    for one, other in zip(
        torch.autograd.grad(computed.square().sum(), [x, encoder, bias]),
        torch.autograd.grad(handed.square().sum(), [x, encoder, bias]),
        strict=True,
    ):
        assert torch.equal(one, other)


@pytest.mark.parametrize("share", [0.05, 0.4])
def test_gradients_are_those_of_finite_differences(share):
    mask, x, shift, encoder, bias, decoder = _problem(share, n=4, d=3, m=5)
    mask[0, 0] = True
    support = Support.of_mask(mask)

    def reconstruct(x, shift, encoder, bias, decoder):
        return decode(Codes(support, encode_at(x, encoder, bias, support, shift=shift)), decoder)

    assert torch.autograd.gradcheck(reconstruct, (x, shift, encoder, bias, decoder))


def test_a_tangent_gradient_leaves_norms_alone():
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(9, 5, generator=generator, dtype=torch.float64)
    weight = torch.nn.functional.normalize(weight, dim=1).requires_grad_()
    mask = torch.rand(12, 9, generator=generator) < 0.4
    values = torch.rand(int(mask.sum()), generator=generator, dtype=torch.float64)
    cotangent = torch.randn(12, 5, generator=generator, dtype=torch.float64)
    gradients = []
    for tangent in (False, True):
        output = decode(Codes(Support.of_mask(mask), values), weight, tangent=tangent)
        gradients.append(torch.autograd.grad(output, weight, cotangent)[0])
    along = (gradients[0] * weight).sum(dim=1, keepdim=True)
    torch.testing.assert_close(gradients[1], gradients[0] - along * weight, rtol=0, atol=1e-14)


def test_supports_agree_however_they_are_given():
    mask = torch.rand(6, 8, generator=torch.Generator().manual_seed(1)).topk(3, dim=1).indices
    columns = Support.of_columns(mask.sort(dim=1).values, 8)
    dense = columns.scatter(torch.ones(18)).bool()
    entries = dense.flatten().nonzero().flatten()
    order = torch.randperm(18, generator=torch.Generator().manual_seed(0))
    rows, index = entries[order] // 8, entries[order] % 8
    values = torch.rand(6, 8, generator=torch.Generator().manual_seed(2))
    pairs = Codes.of_pairs(rows, index, values[rows, index], 6, 8)
    assert torch.equal(pairs.support.offsets, columns.offsets)
    assert torch.equal(pairs.dense(), values * dense)
    assert torch.equal(Codes.of_mask(dense, values).dense(), values * dense)
    for other in (Support.of_mask(dense), Support.of_sorted_entries(entries, 6, 8)):
        assert torch.equal(other.index, columns.index)
        assert torch.equal(other.offsets, columns.offsets)
    assert torch.equal(columns.counts, dense.sum(dim=0))
    assert torch.equal(columns.rows, torch.arange(6).repeat_interleave(3).int())


def test_rows_and_latents_without_entries_are_zeros():
    support = Support.of_mask(torch.zeros(3, 4, dtype=torch.bool))
    weight = torch.ones(4, 2, requires_grad=True)
    output = decode(Codes(support, torch.zeros(0)), weight)
    output.sum().backward()
    assert torch.equal(output, torch.zeros(3, 2))
    assert torch.equal(weight.grad, torch.zeros(4, 2))


def test_a_range_of_latents_keeps_its_entries_alone():
    mask = torch.rand(5, 7, generator=torch.Generator().manual_seed(0)) < 0.5
    support = Support.of_mask(mask)
    codes = Codes(support, torch.arange(1.0, len(support.index) + 1))
    expected = codes.dense().clone()
    expected[:, :2] = 0
    expected[:, 5:] = 0
    assert torch.equal(codes.between(2, 5).dense(), expected)
    assert torch.equal(support.gather(codes.dense()), codes.values)


def test_marks_are_the_same_elsewhere():
    mask = torch.tensor([False, True, True, False, True])
    with as_if_away(), DeviceUse() as use:
        away = marked(mask, 3)
    assert use.n_waits == 0
    assert away.tolist() == marked(mask, 3).tolist() == [1, 2, 4]
