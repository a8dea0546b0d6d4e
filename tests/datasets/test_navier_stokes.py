"""Vorticity in the plane: exact solutions, balances, resolutions."""

import numpy as np
import pytest

from skdyn.datasets import make_navier_stokes_2d
from skdyn.datasets._navier_stokes import _solve


def grid(n):
    return np.meshgrid(*[2 * np.pi * np.arange(n) / n] * 2, indexing="ij")


def test_vortices_of_one_wave_number_decay_as_taylor_found():
    x, y = grid(32)
    vortices = (np.cos(3 * x) * np.cos(4 * y) + np.sin(5 * x))[None]
    found = _solve(vortices, np.zeros((32, 32)), 0.01, [0.1, 0.2])
    decay = np.exp(-0.01 * 25 * 4 * np.pi**2 * np.array([0.1, 0.2]))
    np.testing.assert_allclose(found[0], decay[:, None, None] * vortices, atol=1e-10)


def test_a_manufactured_flow_is_kept_by_the_force_that_balances_it():
    """Two waves of different length do work on each other; a steady force makes up for all."""
    x, y = grid(24)
    w = np.cos(x) + np.cos(2 * y)
    # psi = (cos x + cos(2y) / 4) / (4 pi^2); u = psi_y, v = -psi_x; advection = u w_x + v w_y
    u, v = -np.sin(2 * y) / (4 * np.pi), np.sin(x) / (2 * np.pi)
    advection = u * -2 * np.pi * np.sin(x) + v * -4 * np.pi * np.sin(2 * y)
    laplacian = -4 * np.pi**2 * (np.cos(x) + 4 * np.cos(2 * y))
    assert np.abs(advection).max() > 0.5
    found = _solve(w[None], advection - 0.02 * laplacian, 0.02, [1.0])
    np.testing.assert_allclose(found[0, 0], w, atol=1e-9)


def test_without_friction_and_force_enstrophy_is_conserved():
    w = make_navier_stokes_2d(1, 24, n_modes=3, times=0.01, forcing=0, random_state=0)[0][:, 0]
    found = _solve(w, np.zeros((24, 24)), 1e-12, [1.0])
    assert np.abs(found[:, 0] - w).max() > 0.1 * np.abs(w).max()
    assert np.square(found).mean() == pytest.approx(np.square(w).mean(), rel=1e-4)


def test_a_finer_grid_finds_the_same_flow():
    options = {"nu": 0.01, "n_modes": 4, "times": 0.5, "random_state": 0}
    coarse, fine = (make_navier_stokes_2d(1, n, **options) for n in (24, 48))
    for a, b in zip(coarse, fine):
        np.testing.assert_allclose(a, b[..., ::2, ::2], atol=1e-5)


def test_times_are_channels():
    X, y = make_navier_stokes_2d(2, 12, n_modes=3, times=[0.1, 0.2, 0.3], random_state=0)
    assert X.shape == (2, 1, 12, 12)
    assert y.shape == (2, 3, 12, 12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_points": 33, "n_modes": 4}, "n_points must be even"),
        ({"n_points": 32, "n_modes": 16}, r"at least 3 \* n_modes.* n_points=32 with n_modes=16"),
        ({"nu": 0}, "nu must be a finite number"),
        ({"forcing": np.nan}, "forcing must be a finite number"),
    ],
)
def test_bad_parameters_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        make_navier_stokes_2d(**options)
