"""Darcy's equation: manufactured solutions, order, kinds of ground."""

import numpy as np
import pytest

from skdyn.datasets import make_darcy
from skdyn.datasets._darcy import solve_diffusion


def manufactured_error(n):
    """Error for u = sin(pi x) sin(2 pi y) in ground a = 1 + x y / 2 + cos(x) / 4."""
    t = np.linspace(0, 1, n)
    x, y = np.meshgrid(t, t, indexing="ij")
    a, a_x, a_y = 1 + x * y / 2 + np.cos(x) / 4, y / 2 - np.sin(x) / 4, x / 2
    u = np.sin(np.pi * x) * np.sin(2 * np.pi * y)
    u_x = np.pi * np.cos(np.pi * x) * np.sin(2 * np.pi * y)
    u_y = 2 * np.pi * np.sin(np.pi * x) * np.cos(2 * np.pi * y)
    source = 5 * np.pi**2 * a * u - a_x * u_x - a_y * u_y
    found = solve_diffusion(a, source[1:-1, 1:-1])
    return np.abs(found - u[1:-1, 1:-1]).max()


def test_a_manufactured_solution_is_found_to_second_order():
    errors = [manufactured_error(n) for n in (9, 17, 33)]
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(orders, 2, atol=0.15)


def test_the_flux_is_the_same_on_both_sides_of_a_jump():
    a = np.ones((41, 41))
    a[20:] = 1000.0  # the face between rows 19 and 20 belongs half to each
    u = np.pad(solve_diffusion(a, 1.0), 1)
    above, below = 1.0 * (u[19] - u[18]), 1000.0 * (u[21] - u[20])
    middle = 2 * 1000 / 1001 * (u[20] - u[19])
    inner = np.s_[15:26]
    # Between the faces lies a row of sources 1 / 40^2, and what leaves sideways.
    np.testing.assert_allclose(above[inner], middle[inner], atol=0.15 * np.abs(above[inner]).max())
    np.testing.assert_allclose(below[inner], middle[inner], atol=0.15 * np.abs(above[inner]).max())


def test_pressures_are_positive_zero_outside_and_linear_in_the_source():
    X, y = make_darcy(3, 12, random_state=0)
    assert X.shape == y.shape == (3, 1, 12, 12)
    assert (y[..., 1:-1, 1:-1] > 0).all()
    edges = np.concatenate([y[..., 0], y[..., -1], y[..., 0, :], y[..., -1, :]])
    assert (edges == 0).all()
    _, twice = make_darcy(3, 12, forcing=-2.0, random_state=0)
    np.testing.assert_allclose(twice, -2 * y, rtol=1e-12)


@pytest.mark.parametrize(
    ("kind", "default"), [("smooth", 10.0), ("piecewise", 4.0), ("high_contrast", 1e4)]
)
def test_the_contrast_is_as_asked(kind, default):
    for contrast, expected in ((None, default), (50.0, 50.0)):
        X, _ = make_darcy(3, 9, kind=kind, contrast=contrast, refinement=1, random_state=0)
        np.testing.assert_allclose(X.max(axis=(1, 2, 3)) / X.min(axis=(1, 2, 3)), expected)


def test_piecewise_ground_has_two_values():
    X, _ = make_darcy(3, 9, kind="piecewise", random_state=0)
    assert np.unique(X).tolist() == [3.0, 12.0]


def test_refinement_solves_the_same_ground_more_exactly():
    X, y = zip(*(make_darcy(2, 9, refinement=r, n_modes=4, random_state=0) for r in (1, 2, 8)))
    np.testing.assert_allclose(X[0], X[2], atol=0.5)
    errors = [np.abs(found - y[2]).max() for found in y[:2]]
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "rough"}, "kind must be one of 'smooth', .*; got 'rough'"),
        ({"contrast": 0.5}, "contrast must be a finite number"),
        ({"n_points": 3}, "n_points must be an integer of at least 4"),
        ({"refinement": 0}, "refinement must be an integer of at least 1"),
    ],
)
def test_bad_parameters_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        make_darcy(**options)
