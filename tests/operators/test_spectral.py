from itertools import product

import numpy as np
import pytest
import torch

from skdyn.operators._spectral import (
    SpectralConvolution,
    axis_frequencies,
    from_modes,
    to_modes,
)

GRIDS = [(7,), (8,), (5, 6), (6, 5), (8, 8), (3, 4, 5), (4, 5, 4)]


def fields(grid, channels=3, dtype=torch.float32):
    return torch.randn(*grid, 2, channels, dtype=dtype, generator=torch.Generator().manual_seed(0))


def all_modes(grid):
    return tuple(n // 2 + 1 for n in grid)


def identity(grid, channels, n_modes=None):
    """A layer whose weights leave every kept mode as it is."""
    layer = SpectralConvolution(channels, channels, n_modes or all_modes(grid), grid)
    with torch.no_grad():
        layer.weight.values.zero_()
        layer.weight.values[..., :channels] = torch.eye(channels)
    return layer


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_identity_weights_give_the_fields_back(grid):
    x = fields(grid)
    with torch.no_grad():
        np.testing.assert_allclose(identity(grid, 3)(x), x, atol=1e-6)
        np.testing.assert_allclose(identity(grid, 3)(x, plus=x), 2 * x, atol=2e-6)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_coefficients_are_those_of_the_fast_transform(grid):
    x = fields(grid, dtype=torch.float64)
    frequencies = tuple(
        axis_frequencies(k, n, half=axis == 0)
        for axis, (k, n) in enumerate(zip(all_modes(grid), grid, strict=True))
    )
    real, imaginary = (part.numpy() for part in to_modes(x, frequencies, grid).unbind(-3))
    whole = np.fft.fftn(x.numpy(), axes=range(len(grid)), norm="forward")
    kept = whole[np.ix_(*[np.array(k) % n for k, n in zip(frequencies, grid, strict=True)])]
    np.testing.assert_allclose(real + 1j * imaginary, kept, atol=1e-14)


@pytest.mark.parametrize(("grid", "finer"), [((8,), (20,)), ((7, 8), (12, 11)), ((6,), (5,))])
def test_waves_are_the_same_functions_on_another_grid(grid, finer):
    n_modes = tuple(min(3, n // 2) for n in grid)
    frequencies = tuple(
        axis_frequencies(k, n, half=axis == 0)
        for axis, (k, n) in enumerate(zip(n_modes, grid, strict=True))
    )

    def wave(points):
        axes = np.meshgrid(*[np.arange(n) / n for n in points], indexing="ij")
        phase = sum((axis + 1) * x for axis, x in enumerate(axes))
        return torch.from_numpy(np.cos(2 * np.pi * phase) + 0.5)[..., None, None]

    taken = from_modes(to_modes(wave(grid), frequencies, grid), frequencies, finer, finer)
    np.testing.assert_allclose(taken, wave(finer), atol=1e-13)


def test_on_open_domains_finer_grids_agree_to_second_order():
    """Of functions that differ at their ends: the rule of the training holds on every grid."""

    def layer_on(own, n):
        torch.manual_seed(0)
        layer = SpectralConvolution(1, 1, (3, 3), (own, own), periodic=False).double()
        x = np.linspace(0, 1, n)
        field = torch.from_numpy(np.exp(np.add.outer(x, 2 * x)))[..., None, None]
        with torch.no_grad():
            answer = layer(field).squeeze()
        return answer[:: (n - 1) // (own - 1), :: (n - 1) // (own - 1)]

    gaps = [(layer_on(own, own) - layer_on(own, 129)).abs().max() for own in (9, 17, 33)]
    assert gaps[-1] < 0.002 * np.exp(3)
    rates = np.log2(np.divide(gaps[:-1], gaps[1:]))
    assert (rates > 1.7).all()


@pytest.mark.parametrize("grid", [(8,), (7, 6), (4, 5, 6)], ids=str)
def test_a_layer_commutes_with_shifts(grid):
    torch.manual_seed(0)
    layer = SpectralConvolution(2, 4, tuple((n + 1) // 2 for n in grid), grid).double()
    x, axes = fields(grid, 2, torch.float64), tuple(range(len(grid)))
    shift = tuple(range(1, len(grid) + 1))
    with torch.no_grad():
        shifted = layer(torch.roll(x, shift, axes))
        np.testing.assert_allclose(shifted, torch.roll(layer(x), shift, axes), atol=1e-13)


def test_a_layer_is_the_circular_convolution_with_its_kernel():
    torch.manual_seed(0)
    layer = SpectralConvolution(1, 1, (5,), (9,)).double()
    x = fields((9,), 1, torch.float64)
    point = torch.zeros(9, 1, 1, dtype=torch.float64)
    point[0] = 1.0
    with torch.no_grad():
        kernel, got = layer(point)[:, 0, 0].numpy(), layer(x)[:, 0, 0].numpy()
    expected = [sum(kernel[(i - j) % 9] * x[j, 0, 0] for j in range(9)) for i in range(9)]
    np.testing.assert_allclose(got, expected, atol=1e-13)


def test_padding_keeps_one_end_from_acting_on_the_other():
    torch.manual_seed(0)
    # With as many zeros as points, a convolution of full spectrum is not circular any more: shifted
    # by one, the answer is shifted by one, and what would come around does not.
    layer = SpectralConvolution(1, 1, (9,), (16,), padding=1.0).double()
    x = torch.zeros(16, 1, 1, dtype=torch.float64)
    x[3] = 1.0
    with torch.no_grad():
        here, there = layer(x)[:, 0, 0], layer(torch.roll(x, 1, 0))[:, 0, 0]
    np.testing.assert_allclose(there[1:], here[:-1], atol=1e-13)
    assert abs(there[0] - here[-1]) > 1e-3


@pytest.mark.parametrize(("grid", "coarser"), [((8,), (4,)), ((9, 8), (4, 5)), ((9, 8), (4, 4))])
def test_frequencies_that_a_coarse_grid_cannot_hold_are_left_out(grid, coarser):
    layer = identity(grid, 1)
    x = fields(coarser, 1)
    with torch.no_grad():
        np.testing.assert_allclose(layer(x), x, atol=1e-6)


@pytest.mark.parametrize(("n", "half"), list(product([5, 6], [True, False])))
def test_frequencies_are_ascending_and_none_comes_twice(n, half):
    frequencies = axis_frequencies(n // 2 + 1, n, half=half)
    assert list(frequencies) == sorted({k for k in frequencies})
    assert len({k % n for k in frequencies}) == len(frequencies) == (n // 2 + 1 if half else n)


def test_gradients_are_those_of_the_transforms():
    torch.manual_seed(0)
    layer = SpectralConvolution(2, 1, (2, 2), (3, 4)).double()
    x = fields((3, 4), 2, torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(layer, (x,))
