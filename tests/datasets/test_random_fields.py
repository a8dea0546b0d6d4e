"""Gaussian random fields: covariance, boundaries, sizes."""

import numpy as np
import pytest

from skdyn.datasets import make_gaussian_random_field
from skdyn.datasets._random_fields import (
    BOUNDARIES,
    draw_coefficients,
    eigenfunctions,
    grid_points,
    synthesize,
    wave_numbers,
)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_eigenfunctions_are_orthonormal(boundary):
    n = 200
    x = (np.arange(n) + 0.5) / n  # midpoints: their sums of sines and cosines are exact
    values = eigenfunctions(x, 5, boundary)
    np.testing.assert_allclose(values.T @ values / n, np.eye(values.shape[1]), atol=1e-12)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_eigenfunctions_are_those_of_the_laplacian(boundary):
    x, h = np.linspace(0.1, 0.9, 30), 1e-4
    left, here, right = (eigenfunctions(x + d, 4, boundary) for d in (-h, 0, h))
    laplacian = (left - 2 * here + right) / h**2
    expected = -here * wave_numbers(4, boundary) ** 2
    np.testing.assert_allclose(laplacian, expected, atol=1e-3 * 16 * np.pi**2)


def test_the_covariance_is_the_power_of_the_shifted_laplacian():
    options = {"alpha": 1.5, "tau": 8.0, "sigma": 2.0, "n_modes": 6, "random_state": 0}
    X = make_gaussian_random_field(40_000, 16, **options)
    k = 2 * np.pi * np.abs(np.r_[-6:7])
    power = (k**2 + 64.0) ** -1.5
    lag = np.arange(16)[:, None] / 16
    expected = 4.0 * (power * np.cos(k * lag)).sum(axis=1) / power.sum()
    np.testing.assert_allclose(X.T @ X[:, 0] / len(X), expected, atol=0.1)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("n_dimensions", [1, 2, 3])
def test_the_mean_square_is_as_asked(boundary, n_dimensions):
    coefficients = draw_coefficients(4000, n_dimensions, boundary, 2.0, 9.0, 1.5, 2, 0)
    squares = np.square(coefficients).sum(axis=tuple(range(1, n_dimensions + 1)))
    assert squares.mean() == pytest.approx(1.5**2, rel=0.1)


def test_the_field_is_the_sum_of_products_of_its_eigenfunctions():
    coefficients = draw_coefficients(1, 2, "dirichlet", 2.0, 3.0, 1.0, 3, 0)
    x, y = np.array([0.1, 0.5, 0.7]), np.array([0.2, 0.9])
    found = synthesize(coefficients, [x, y], "dirichlet")[0]
    expected = sum(
        2 * coefficients[0, i - 1, j - 1] * np.sin(np.pi * i * x[:, None]) * np.sin(np.pi * j * y)
        for i in (1, 2, 3) for j in (1, 2, 3)
    )  # fmt: skip
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_boundaries_hold():
    zero = make_gaussian_random_field(3, (9, 8), boundary="dirichlet", random_state=0)
    edges = [zero[..., 0], zero[..., -1], zero[..., 0, :], zero[..., -1, :]]
    assert max(np.abs(edge).max() for edge in edges) < 1e-12
    flat = make_gaussian_random_field(3, 10_001, boundary="neumann", n_modes=4, random_state=0)
    slopes = np.diff(flat)
    assert np.abs(slopes[:, [0, -1]]).max() < 1e-2 * np.abs(slopes).max()


def test_one_seed_gives_the_same_functions_on_every_grid():
    fine, coarse = (make_gaussian_random_field(2, n, random_state=3) for n in ((30, 8), (15, 4)))
    np.testing.assert_allclose(fine[..., ::2, ::2], coarse, atol=1e-12)
    other = make_gaussian_random_field(2, (15, 4), random_state=4)
    assert not np.allclose(other, coarse)


def test_shapes_are_those_of_functions():
    assert make_gaussian_random_field(2, 8).shape == (2, 8)
    assert make_gaussian_random_field(2, (8,)).shape == (2, 8)
    assert make_gaussian_random_field(2, (4, 3, 5), n_modes=2).shape == (2, 1, 4, 3, 5)


def test_grids_begin_at_zero_and_end_as_their_boundary_says():
    assert grid_points(4, "periodic").tolist() == [0, 0.25, 0.5, 0.75]
    assert grid_points(5, "neumann").tolist() == [0, 0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid_shape": ()}, "grid_shape must be a number of points"),
        ({"grid_shape": (8, 1)}, "grid_shape must be an integer of at least 2; got 1"),
        ({"boundary": "open"}, "boundary must be one of 'periodic', .*; got 'open'"),
        ({"n_samples": 0}, "n_samples must be an integer of at least 1"),
        ({"tau": 0}, "tau must be a finite number"),
        ({"n_modes": 0}, "n_modes must be an integer of at least 1"),
    ],
)
def test_bad_parameters_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        make_gaussian_random_field(**options)
