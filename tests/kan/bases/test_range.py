"""Where data lie: quantiles at data points, and a range that single values cannot stretch."""

import numpy as np
import pytest
import torch

from skdyn.kan.bases._range import robust_range, weighted_quantiles

LEVELS = torch.tensor([0.0, 0.05, 0.3, 0.5, 0.75, 1.0])


def sample(n=200, n_in=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, n_in, generator=generator, dtype=torch.float64)


def test_quantiles_equal_those_of_numpy():
    x = sample()
    theirs = np.quantile(x.numpy(), LEVELS.numpy(), axis=0, method="inverted_cdf")
    assert torch.equal(weighted_quantiles(x, LEVELS), torch.from_numpy(theirs))


@pytest.mark.parametrize("scale", [1.0, 1 / 7, 1e6])
def test_weights_count_as_repeats_and_rows_without_weight_not_at_all(scale):
    x = sample()
    generator = torch.Generator().manual_seed(1)
    weight = torch.randint(0, 4, (len(x),), generator=generator)
    weight[x.argmin(dim=0)] = weight[x.argmax(dim=0)] = 0
    repeated = x.repeat_interleave(weight, dim=0)
    weighted = weighted_quantiles(x, LEVELS, weight.double() * scale)
    assert torch.equal(weighted, weighted_quantiles(repeated, LEVELS))
    for ours, theirs in zip(robust_range(x, weight * scale), robust_range(repeated), strict=True):
        assert torch.equal(ours, theirs)


def test_range_holds_all_of_a_uniform_or_gaussian_sample_and_little_more():
    x = torch.stack([sample(2000, 1)[:, 0], torch.linspace(3, 5, 2000).double()], dim=1)
    low, high = robust_range(x)
    width = x.amax(dim=0) - x.amin(dim=0)
    assert (low < x.amin(dim=0)).all()
    assert (high > x.amax(dim=0)).all()
    assert (high - low < 1.2 * width).all()


def test_single_values_do_not_stretch_the_range():
    x = torch.linspace(0, 1, 100).double()[:, None]
    clean = robust_range(x)
    x[-1], x[0] = 1e6, -1e9
    low, high = robust_range(x)
    assert -1.5 < low < clean[0]
    assert clean[1] < high < 2.5


def test_a_column_constant_but_for_one_row_keeps_it_inside():
    x = torch.zeros(50, 1)
    x[7] = 3.0
    low, high = robust_range(x)
    assert low <= 0.0
    assert 3.0 <= high < 4.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("value", [0.0, 7.0, -1e6])
def test_a_constant_column_gets_room_that_its_dtype_can_divide(value, dtype):
    x = torch.full((20, 1), value, dtype=dtype)
    low, high = robust_range(x)
    assert low <= value - 1 < value + 1 <= high
    breaks = low + (high - low) * torch.linspace(0, 1, 1001, dtype=dtype)
    assert (breaks.diff() > 0).all()


def test_numbers_that_differ_by_rounding_are_constant():
    x = torch.tensor([[1.0], [1.0 + 1e-7], [1.0 - 1e-7]])
    low, high = robust_range(x)
    assert high - low > 1.9


def test_the_range_follows_the_scale_of_a_column():
    x = sample()
    low, high = robust_range(x)
    small = robust_range(1e-6 * x)
    assert torch.allclose(small[0], 1e-6 * low, rtol=1e-9)
    assert torch.allclose(small[1], 1e-6 * high, rtol=1e-9)


def test_one_row_has_a_range():
    low, high = robust_range(torch.tensor([[2.0, -3.0]]))
    assert (low < torch.tensor([2.0, -3.0])).all()
    assert (high > torch.tensor([2.0, -3.0])).all()
