"""Gaussian random fields on grids: series in eigenfunctions of the Laplacian."""

from collections.abc import Sequence
from functools import reduce
from numbers import Integral
from typing import Any, Literal

import numpy as np
from sklearn.utils import check_random_state

from skdyn.datasets._generate import check_integer, check_number

__all__ = ["make_gaussian_random_field"]

BOUNDARIES = ("periodic", "neumann", "dirichlet")


def make_gaussian_random_field(
    n_samples: int = 100,
    grid_shape: int | Sequence[int] = 64,
    *,
    boundary: Literal["periodic", "neumann", "dirichlet"] = "periodic",
    alpha: float = 2.0,
    tau: float = 5.0,
    sigma: float = 1.0,
    n_modes: int = 32,
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    r"""Draw Gaussian random fields on the unit interval, square or cube.

    The covariance is a power of a shifted Laplacian,

    .. math:: a \sim N\bigl(0,\; c\,(-\Delta + \tau^2)^{-\alpha}\bigr),

    as in [1]_; a field is the sum of its eigenfunctions with independent Gaussian coefficients,
    and c makes the expected mean square of a field ``sigma**2``. The eigenfunctions are evaluated
    where they are asked for, so that one seed gives the same functions on every grid.

    Parameters
    ----------
    n_samples : int, default=100
        Number of fields.
    grid_shape : int or tuple of int, default=64
        Number of points on each axis; their number is that of the dimensions.
    boundary : {"periodic", "neumann", "dirichlet"}, default="periodic"
        What holds at the boundary: the field goes on at the other side, its slope is zero, or it
        is zero. Grids of ``n`` points hold ``j / n`` where periodic and ``j / (n - 1)`` elsewhere.
    alpha : float, default=2.0
        Smoothness: the spectrum falls as the wave number to the power ``-2 * alpha``.
    tau : float, default=5.0
        Wave number, in radians per length, below which the spectrum is flat.
    sigma : float, default=1.0
        Root of the expected mean square.
    n_modes : int, default=32
        Number of wave numbers on each axis above zero.
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the data reproducible.

    Returns
    -------
    X : ndarray of shape (n_samples, n_points) or (n_samples, 1, \*grid_shape)
        The fields; with a channel axis where there is more than one dimension.

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
    >>> from skdyn.datasets import make_gaussian_random_field
    >>> make_gaussian_random_field(10, (16, 16), random_state=0).shape
    (10, 1, 16, 16)
    >>> fine = make_gaussian_random_field(3, 128, random_state=0)
    >>> coarse = make_gaussian_random_field(3, 64, random_state=0)
    >>> bool(abs(fine[:, ::2] - coarse).max() < 1e-12)
    True
    """
    given: Any = grid_shape
    shape: Any = (given,) if isinstance(given, Integral) else tuple(given)
    if not shape:
        raise ValueError("grid_shape must be a number of points or a tuple of them; got ().")
    for n_points in shape:
        check_integer("grid_shape", n_points, low=2)
    check_choice("boundary", boundary, BOUNDARIES)
    coefficients = draw_coefficients(
        n_samples, len(shape), boundary, alpha, tau, sigma, n_modes, random_state
    )
    X = synthesize(coefficients, [grid_points(n, boundary) for n in shape], boundary)
    return X if len(shape) == 1 else X[:, None]


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise unless ``value`` is one of ``choices``; names the parameter."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}.")


def grid_points(n_points: int, boundary: str) -> np.ndarray:
    """Points of a grid on the unit interval; the last is the first again where periodic."""
    return np.arange(n_points) / (n_points if boundary == "periodic" else n_points - 1)


def wave_numbers(n_modes: int, boundary: str) -> np.ndarray:
    """Wave number of each eigenfunction, in radians per length."""
    k = np.arange(n_modes + 1)
    if boundary == "periodic":
        return 2 * np.pi * np.concatenate([k, k[1:]])
    return np.pi * (k if boundary == "neumann" else k[1:])


def eigenfunctions(x: np.ndarray, n_modes: int, boundary: str) -> np.ndarray:
    """Orthonormal eigenfunctions of the Laplacian at ``x``, shape ``(n_points, n_functions)``."""
    angle = x[:, None] * wave_numbers(n_modes, boundary)
    if boundary == "dirichlet":
        return np.sqrt(2) * np.sin(angle)
    values = np.sqrt(2) * np.cos(angle)
    values[:, 0] = 1.0
    if boundary == "periodic":
        values[:, n_modes + 1 :] = np.sqrt(2) * np.sin(angle[:, n_modes + 1 :])
    return values


def draw_coefficients(
    n_samples: int,
    n_dimensions: int,
    boundary: str,
    alpha: float,
    tau: float,
    sigma: float,
    n_modes: int,
    random_state: int | np.random.RandomState | None,
) -> np.ndarray:
    """Coefficients of random fields in the eigenfunctions, one axis for each dimension."""
    check_integer("n_samples", n_samples, low=1)
    check_integer("n_modes", n_modes, low=1)
    check_number("alpha", alpha, low=0)
    check_number("tau", tau, low=0, open_low=True)
    check_number("sigma", sigma, low=0)
    squares = wave_numbers(n_modes, boundary) ** 2
    laplacian = reduce(np.add.outer, [squares] * n_dimensions)
    variance = (laplacian + tau**2) ** -alpha
    deviation = sigma * np.sqrt(variance / variance.sum())
    rng = check_random_state(random_state)
    return deviation * rng.standard_normal((n_samples, *deviation.shape))


def synthesize(coefficients: np.ndarray, points: Sequence[np.ndarray], boundary: str) -> np.ndarray:
    """Sum the eigenfunctions on the product of ``points``, one set for each dimension."""
    n_functions = coefficients.shape[1]
    n_modes = n_functions // 2 if boundary == "periodic" else n_functions - (boundary == "neumann")
    field = coefficients
    for x in points:  # each turn takes the first of the remaining axes and puts its grid last
        values = eigenfunctions(x, n_modes, boundary)
        field = np.tensordot(field, values, axes=(1, 1))
    return field
