"""Solutions of the Navier-Stokes equations in the plane, as vorticity."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft

from skdyn.datasets._etdrk4 import march
from skdyn.datasets._generate import check_integer, check_number
from skdyn.datasets._random_fields import draw_coefficients, grid_points, synthesize
from skdyn.datasets._solutions import check_times, kept

__all__ = ["make_navier_stokes_2d"]

irfft2: Any = fft.irfft2  # scipy types them as what its backends dispatch on
rfft2: Any = fft.rfft2


def make_navier_stokes_2d(
    n_samples: int = 20,
    n_points: int = 64,
    *,
    nu: float = 0.001,
    forcing: float = 0.1,
    times: float | ArrayLike = 5.0,
    alpha: float = 2.5,
    tau: float = 7.0,
    sigma: float = 1.0,
    n_modes: int = 16,
    cache: str | PathLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw vorticities and what becomes of them in an incompressible flow.

    .. math:: w_t + u \cdot \nabla w = \nu \Delta w + f, \qquad
        u = (\psi_{y}, -\psi_{x}), \quad -\Delta \psi = w,

    on the unit square, periodic, with the force :math:`f = F\,[\sin 2\pi(x + y) + \cos 2\pi(x +
    y)]` of [1]_; there is no mean flow. Fourier series in space, without aliasing, on the grid
    that is returned: choose `n_points` fine enough for `nu`.

    Parameters
    ----------
    n_samples : int, default=20
        Number of initial vorticities, Gaussian random fields.
    n_points : int, default=64
        Number of points ``j / n_points`` on each axis; even.
    nu : float, default=0.001
        Viscosity.
    forcing : float, default=0.1
        Factor F of the force.
    times : float or array-like of shape (n_times,), default=5.0
        When the answer is looked at: a time, or increasing times, whose fields are channels of y.
    alpha, tau, sigma : float, default=2.5, 7.0, 1.0
        Smoothness, wave number and size of the initial functions, as in
        :func:`make_gaussian_random_field`.
    n_modes : int, default=16
        Number of their wave numbers above zero.
    cache : str, path or None, default=None
        Folder in which to keep the solutions for the next call with equal parameters.
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the data reproducible.

    Returns
    -------
    X : ndarray of shape (n_samples, 1, n_points, n_points)
        Initial vorticities.
    y : ndarray of shape (n_samples, n_times, n_points, n_points)
        Vorticities at `times`.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    .. [1] Zongyi Li et al., "Fourier Neural Operator for Parametric Partial Differential
       Equations", ICLR 2021.

    Examples
    --------
    >>> from skdyn.datasets import make_navier_stokes_2d
    >>> X, y = make_navier_stokes_2d(2, 32, times=1.0, n_modes=8, random_state=0)
    >>> X.shape, y.shape
    ((2, 1, 32, 32), (2, 1, 32, 32))
    """
    check_number("nu", nu, low=0, open_low=True)
    check_number("forcing", forcing)
    check_integer("n_points", n_points, low=4)
    if n_points % 2 or n_points < 3 * n_modes:
        raise ValueError(
            "n_points must be even and at least 3 * n_modes, so that the initial fields are "
            f"resolved; got n_points={n_points} with n_modes={n_modes}."
        )
    when = check_times(times)
    start = draw_coefficients(n_samples, 2, "periodic", alpha, tau, sigma, n_modes, random_state)
    start[:, 0, 0] = 0.0  # vorticity of a periodic flow has no mean
    x = grid_points(n_points, "periodic")
    X = synthesize(start, [x, x], "periodic")
    phase = 2 * np.pi * (x[:, None] + x)
    force = forcing * (np.sin(phase) + np.cos(phase))
    y = kept(_solve, cache, random_state)(X, force, nu, when)
    return X[:, None], y


def _solve(vorticity, force, nu, times):
    """Vorticities ``(n_samples, n_times, n, n)`` at ``times``."""
    n = vorticity.shape[-1]
    x_wave = 2 * np.pi * np.fft.fftfreq(n, 1 / n)[:, None]
    y_wave = 2 * np.pi * np.arange(n // 2 + 1)
    squares = x_wave**2 + y_wave**2
    cut = 2 * np.pi * (n // 3)  # products of two waves below it do not fold back
    kept_waves = (np.abs(x_wave) <= cut) & (y_wave <= cut)
    inverse = np.divide(1.0, squares, out=np.zeros_like(squares), where=squares > 0)
    to_velocity = np.stack([1j * y_wave * inverse, -1j * x_wave * inverse])
    force = rfft2(force) * kept_waves

    def velocity(w):
        return irfft2(w[:, None] * to_velocity, (n, n))

    def nonlinear(w):
        flux = rfft2(velocity(w) * irfft2(w, (n, n))[:, None])
        return (force - 1j * x_wave * flux[:, 0] - 1j * y_wave * flux[:, 1]) * kept_waves

    def rate(w):
        return cut * np.abs(velocity(w)).sum(axis=1).max()

    spectra = march(rfft2(vorticity) * kept_waves, -nu * squares, nonlinear, rate, times)
    return np.stack([irfft2(w, (n, n)) for w in spectra], axis=1)
