"""Linear operators with exact answers: the antiderivative and advection."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skdyn.datasets._generate import check_integer, check_number
from skdyn.datasets._random_fields import (
    draw_coefficients,
    grid_points,
    synthesize,
    wave_numbers,
)
from skdyn.datasets._solutions import check_times

__all__ = ["make_advection", "make_antiderivative"]


def make_antiderivative(
    n_samples: int = 100,
    n_points: int = 64,
    *,
    alpha: float = 2.0,
    tau: float = 5.0,
    sigma: float = 1.0,
    n_modes: int = 32,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw functions and their antiderivatives, the first example of [1]_.

    .. math:: y(x) = \int_0^x a(s)\,ds, \qquad x \in [0, 1].

    The functions a are Gaussian random fields with zero slope at both ends; each of their
    eigenfunctions is integrated in closed form. The operator is linear: a linear method solves it,
    and it tells little about others.

    Parameters
    ----------
    n_samples : int, default=100
        Number of functions.
    n_points : int, default=64
        Number of points, both ends among them.
    alpha, tau, sigma : float, default=2.0, 5.0, 1.0
        Smoothness, wave number and size of the functions, as in
        :func:`make_gaussian_random_field`.
    n_modes : int, default=32
        Number of their eigenfunctions beside the constant.
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the data reproducible.

    Returns
    -------
    X : ndarray of shape (n_samples, n_points)
        Functions.
    y : ndarray of shape (n_samples, n_points)
        Their antiderivatives.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    .. [1] Lu Lu et al., "Learning nonlinear operators via DeepONet based on the universal
       approximation theorem of operators", Nature Machine Intelligence 3, 2021.

    Examples
    --------
    >>> from skdyn.datasets import make_antiderivative
    >>> X, y = make_antiderivative(5, 101, random_state=0)
    >>> trapezoids = 0.01 * (X[:, 1:] + X[:, :-1]).cumsum(axis=1) / 2
    >>> bool(abs(y[:, 1:] - trapezoids).max() < 1e-2)
    True
    """
    check_integer("n_points", n_points, low=2)
    coefficients = draw_coefficients(
        n_samples, 1, "neumann", alpha, tau, sigma, n_modes, random_state
    )
    x = grid_points(n_points, "neumann")
    # The integral of sqrt(2) cos(kx) is sqrt(2) sin(kx) / k: coefficients in the other basis.
    sines = coefficients[:, 1:] / wave_numbers(n_modes, "dirichlet")
    y = coefficients[:, :1] * x + synthesize(sines, [x], "dirichlet")
    return synthesize(coefficients, [x], "neumann"), y


def make_advection(
    n_samples: int = 100,
    n_points: int = 64,
    *,
    speed: float = 1.0,
    times: float | ArrayLike = 0.25,
    alpha: float = 2.0,
    tau: float = 5.0,
    sigma: float = 1.0,
    n_modes: int = 32,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw functions and what they are after being carried along a circle.

    .. math:: u_t + c\, u_x = 0, \qquad u(x, t) = u(x - ct, 0), \qquad x \in [0, 1)
        \text{ periodic},

    a task of [1]_. The answer is exact: the initial function, a series, is evaluated at the
    shifted points.

    Parameters
    ----------
    n_samples : int, default=100
        Number of functions.
    n_points : int, default=64
        Number of points ``j / n_points``.
    speed : float, default=1.0
        Speed c, in circles per unit of time.
    times : float or array-like of shape (n_times,), default=0.25
        When the answer is looked at: a time, or increasing times, whose fields are channels of y.
    alpha, tau, sigma : float, default=2.0, 5.0, 1.0
        Smoothness, wave number and size of the initial functions, as in
        :func:`make_gaussian_random_field`.
    n_modes : int, default=32
        Number of their wave numbers above zero.
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the data reproducible.

    Returns
    -------
    X : ndarray of shape (n_samples, n_points)
        Initial functions.
    y : ndarray of shape (n_samples, n_points) or (n_samples, n_times, n_points)
        Functions at `times`.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    .. [1] Makoto Takamoto et al., "PDEBench: An Extensive Benchmark for Scientific Machine
       Learning", NeurIPS 2022.

    Examples
    --------
    >>> from skdyn.datasets import make_advection
    >>> X, y = make_advection(5, 64, times=0.5, random_state=0)
    >>> bool(abs(y[:, :32] - X[:, 32:]).max() < 1e-12)
    True
    """
    check_integer("n_points", n_points, low=2)
    check_number("speed", speed)
    when = check_times(times)
    coefficients = draw_coefficients(
        n_samples, 1, "periodic", alpha, tau, sigma, n_modes, random_state
    )
    x = grid_points(n_points, "periodic")
    fields = [synthesize(coefficients, [x - speed * t], "periodic") for t in [0.0, *when]]
    return fields[0], fields[1] if np.ndim(times) == 0 else np.stack(fields[1:], axis=1)
