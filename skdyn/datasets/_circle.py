"""Solutions on a circle, where waves steepen: Burgers and Kuramoto-Sivashinsky.

Both are :math:`u_t + (u^2/2)_x = L u` with a linear part that is diagonal in Fourier space. They
are solved there, without aliasing, on a grid fine enough for the smallest scales, of which every
so-manyth point is returned.
"""

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

__all__ = ["make_burgers", "make_kuramoto_sivashinsky"]

irfft: Any = fft.irfft  # scipy types them as what its backends dispatch on
rfft: Any = fft.rfft

# Points over the width of a shock (of order nu), and over the wave that grows fastest (9 long):
# twice as many change the solutions by less than 1e-6.
_POINTS_PER_VISCOSITY = 2.5
_POINTS_PER_LENGTH = 4.0


def make_burgers(
    n_samples: int = 100,
    n_points: int = 128,
    *,
    nu: float = 0.01,
    times: float | ArrayLike = 1.0,
    alpha: float = 2.0,
    tau: float = 5.0,
    sigma: float = 1.0,
    n_modes: int = 32,
    cache: str | PathLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw initial functions and the solutions of the viscous Burgers equation from them.

    .. math:: u_t + u\,u_x = \nu\, u_{xx}, \qquad x \in [0, 1) \text{ periodic}.

    The initial functions are Gaussian random fields, as in [1]_. They steepen into shocks of a
    width of order :math:`\nu`, which the internal grid resolves whatever `n_points`; one seed
    gives the same solutions at every resolution.

    Parameters
    ----------
    n_samples : int, default=100
        Number of initial functions.
    n_points : int, default=128
        Number of points ``j / n_points``.
    nu : float, default=0.01
        Viscosity. The work grows as its inverse squared.
    times : float or array-like of shape (n_times,), default=1.0
        When the answer is looked at: a time, or increasing times, whose fields are channels of y.
    alpha, tau, sigma : float, default=2.0, 5.0, 1.0
        Smoothness, wave number and size of the initial functions, as in
        :func:`make_gaussian_random_field`.
    n_modes : int, default=32
        Number of their wave numbers above zero.
    cache : str, path or None, default=None
        Folder in which to keep the solutions for the next call with equal parameters.
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the data reproducible.

    Returns
    -------
    X : ndarray of shape (n_samples, n_points)
        Initial functions.
    y : ndarray of shape (n_samples, n_points) or (n_samples, n_times, n_points)
        Solutions at `times`.

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
    >>> from skdyn.datasets import make_burgers
    >>> X, y = make_burgers(5, 64, times=[0.5, 1.0], random_state=0)
    >>> X.shape, y.shape
    ((5, 64), (5, 2, 64))
    >>> bool(abs(y.mean(axis=2) - X.mean(axis=1)[:, None]).max() < 1e-8)  # the mean is conserved
    True
    """
    check_number("nu", nu, low=0, open_low=True)
    check_integer("n_points", n_points, low=2)
    when = check_times(times)
    start = draw_coefficients(n_samples, 1, "periodic", alpha, tau, sigma, n_modes, random_state)
    n_least = max(256, 3 * n_modes, _POINTS_PER_VISCOSITY / nu)
    solve = kept(_solve, cache, random_state)
    fields = solve(start, 1.0, {2: -nu}, when, n_least, n_points)
    x = grid_points(n_points, "periodic")
    y = fields[:, 0] if np.ndim(times) == 0 else fields
    return synthesize(start, [x], "periodic"), y


def make_kuramoto_sivashinsky(
    n_samples: int = 100,
    n_points: int = 64,
    *,
    length: float = 32.0,
    times: float | ArrayLike = 2.0,
    transient: float = 100.0,
    cache: str | PathLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw states of the Kuramoto-Sivashinsky equation and what becomes of them.

    .. math:: u_t + u\,u_x + u_{xx} + u_{xxxx} = 0, \qquad x \in [0, L) \text{ periodic},

    a model of flame fronts [1]_ that is chaotic on long circles: neighbors part by a factor of e
    in some ten units of time.

    Parameters
    ----------
    n_samples : int, default=100
        Number of states.
    n_points : int, default=64
        Number of points ``j * length / n_points``.
    length : float, default=32.0
        Length L of the circle.
    times : float or array-like of shape (n_times,), default=2.0
        When the answer is looked at: a time, or increasing times, whose fields are channels of y.
    transient : float, default=100.0
        Time to solve over and forget before X is taken, so that it lies on the attractor. 0 takes
        the Gaussian random fields in which the solutions begin.
    cache : str, path or None, default=None
        Folder in which to keep the solutions for the next call with equal parameters.
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the data reproducible.

    Returns
    -------
    X : ndarray of shape (n_samples, n_points)
        States.
    y : ndarray of shape (n_samples, n_points) or (n_samples, n_times, n_points)
        States at `times` after those in X.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    .. [1] Gregory Sivashinsky, "Nonlinear analysis of hydrodynamic instability in laminar flames",
       Acta Astronautica 4, 1977.

    Examples
    --------
    >>> from skdyn.datasets import make_kuramoto_sivashinsky
    >>> X, y = make_kuramoto_sivashinsky(2, times=[1.0, 2.0], random_state=0)
    >>> X.shape, y.shape
    ((2, 64), (2, 2, 64))
    """
    check_number("length", length, low=0, open_low=True)
    check_number("transient", transient, low=0)
    check_integer("n_points", n_points, low=2)
    when = check_times(times)
    # Waves shorter than 2 pi are damped at once, so that the first fields need none of them.
    n_modes = max(1, int(length / (2 * np.pi)))
    start = draw_coefficients(n_samples, 1, "periodic", 0.0, 1.0, 1.0, n_modes, random_state)
    start[:, 0] = 0.0  # a mean would only carry the waves along
    n_least = max(64, _POINTS_PER_LENGTH * length)
    solve = kept(_solve, cache, random_state)
    instants = [transient, *(transient + when)] if transient else when
    fields = solve(start, length, {2: 1.0, 4: 1.0}, instants, n_least, n_points)
    if transient:
        X, fields = fields[:, 0], fields[:, 1:]
    else:
        X = synthesize(start, [grid_points(n_points, "periodic")], "periodic")
    return X, fields[:, 0] if np.ndim(times) == 0 else fields


def _solve(start, length, slopes, times, n_least, n_points):
    """Solutions at ``times``; ``slopes`` maps orders of derivatives to factors on the left side."""
    every = max(1, int(np.ceil(n_least / n_points)))
    every += n_points * every % 2  # the grid is even, and n_points of its points are returned
    n = n_points * every
    wave = 2 * np.pi / length * np.arange(n // 2 + 1)
    kept_waves = np.arange(n // 2 + 1) <= n // 3  # products of two of them do not fold back
    flux = -0.5j * wave * kept_waves
    terms = [factor * (1j * wave) ** order for order, factor in slopes.items()]
    linear = -np.sum(terms, axis=0).real
    first = synthesize(start, [grid_points(n, "periodic")], "periodic")
    spectra = march(
        rfft(first) * kept_waves,
        linear,
        lambda v: flux * rfft(irfft(v, n) ** 2),
        lambda v: wave[kept_waves][-1] * np.abs(irfft(v, n)).max(),
        times,
    )
    return np.stack([irfft(v, n)[:, ::every] for v in spectra], axis=1)
