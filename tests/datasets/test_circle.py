"""Burgers and Kuramoto-Sivashinsky: exact solutions, balances, resolutions."""

import numpy as np
import pytest

from skdyn.datasets import make_burgers, make_kuramoto_sivashinsky
from skdyn.datasets._circle import _solve


def cole_hopf(x, t, nu, amplitude):
    """Solution from ``amplitude * sin(2 pi x)``: minus 2 nu phi_x / phi, phi a solution of heat."""
    n = 1024
    grid = np.arange(n) / n
    phi = np.exp((np.cos(2 * np.pi * grid) - 1) * amplitude / (4 * np.pi * nu))
    wave = 2 * np.pi * np.arange(n // 2 + 1)
    spectrum = np.fft.rfft(phi) * np.exp(-nu * wave**2 * t)
    slope = np.fft.irfft(1j * wave * spectrum)
    return np.interp(x, grid, -2 * nu * slope / np.fft.irfft(spectrum))


def test_burgers_solutions_are_those_of_the_heat_equation_in_disguise():
    sine = np.zeros((1, 3))
    sine[0, 2] = 1 / np.sqrt(2)  # coefficient of sqrt(2) sin(2 pi x)
    found = _solve(sine, 1.0, {2: -0.05}, [0.1, 0.5], 256, 64)[0]
    x = np.arange(64) / 64
    for field, t in zip(found, (0.1, 0.5)):
        np.testing.assert_allclose(field, cole_hopf(x, t, 0.05, 1.0), atol=1e-9)


def test_one_seed_gives_the_same_solutions_at_every_resolution():
    options = {"nu": 0.02, "times": 0.5, "random_state": 0}
    fine, coarse, odd = (make_burgers(2, n, **options) for n in (96, 32, 3))
    for a, b, c in zip(fine, coarse, odd):
        np.testing.assert_allclose(a[:, ::3], b, atol=1e-6)
        np.testing.assert_allclose(a[:, ::32], c, atol=1e-6)


@pytest.mark.parametrize("n_points", [21, 63, 129, 257])
def test_an_odd_number_of_points_is_that_many(n_points):
    for X in (*make_burgers(1, n_points, nu=0.1, times=0.01, n_modes=4, random_state=0),
              *make_kuramoto_sivashinsky(1, n_points, times=0.1, transient=0.1)):  # fmt: skip
        assert X.shape == (1, n_points)


def test_a_grid_twice_as_fine_changes_burgers_solutions_by_less_than_a_millionth():
    start = np.random.default_rng(0).standard_normal((3, 9)) / 3
    found = [_solve(start, 1.0, {2: -0.02}, [0.5], n, 32) for n in (256, 512)]
    assert np.abs(found[0] - found[1]).max() < 1e-6


def test_burgers_keeps_the_mean_and_loses_energy():
    X, y = make_burgers(4, 64, nu=0.02, times=[0.2, 0.5], random_state=1)
    np.testing.assert_allclose(y.mean(axis=2), np.tile(X.mean(axis=1)[:, None], 2), atol=1e-9)
    energies = np.square(np.concatenate([X[:, None], y], axis=1)).mean(axis=2)
    assert (np.diff(energies, axis=1) < 0).all()


def test_small_waves_of_kuramoto_sivashinsky_grow_as_the_linear_theory_says():
    start = np.zeros((1, 3))
    start[0, 1] = 1e-7
    found = _solve(start, 10.0, {2: 1.0, 4: 1.0}, [1.0], 64, 64)[0, 0]
    k = 2 * np.pi / 10
    expected = 1e-7 * np.sqrt(2) * np.exp(k**2 - k**4) * np.cos(2 * np.pi * np.arange(64) / 64)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_kuramoto_sivashinsky_is_bounded_and_continues_from_its_state():
    options = {"length": 16.0, "transient": 30.0, "random_state": 0}
    X, y = make_kuramoto_sivashinsky(3, 64, times=[0.01, 1.0], **options)
    assert y.shape == (3, 2, 64)
    assert 0.5 < np.abs(X).max() < 10
    assert np.abs(X.mean(axis=1)).max() < 1e-12
    assert np.abs(y[:, 0] - X).max() < 0.05 * np.abs(X).max() < np.abs(y[:, 1] - X).max() * 2
    later, _ = make_kuramoto_sivashinsky(3, 64, times=1.0, **options | {"transient": 31.0})
    np.testing.assert_allclose(later, y[:, 1], atol=1e-4)


def test_the_first_fields_are_returned_without_a_transient():
    X, _ = make_kuramoto_sivashinsky(200, 16, transient=0, times=0.1, random_state=0)
    assert np.square(X).mean() == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (make_burgers, {"nu": 0}, "nu must be a finite number"),
        (make_burgers, {"times": [1, 0.5]}, "times must be a positive number"),
        (make_burgers, {"n_points": 1}, "n_points must be an integer of at least 2"),
        (make_kuramoto_sivashinsky, {"length": -1}, "length must be a finite number"),
        (make_kuramoto_sivashinsky, {"transient": -1}, "transient must be a finite number"),
    ],
)
def test_bad_parameters_are_named(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(2, **options)
