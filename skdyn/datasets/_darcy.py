"""Solutions of Darcy's equation: pressure in ground of random permeability."""

from os import PathLike
from typing import Literal

import numpy as np
from scipy.linalg import solveh_banded

from skdyn.datasets._generate import check_integer, check_number
from skdyn.datasets._random_fields import check_choice, draw_coefficients, grid_points, synthesize
from skdyn.datasets._solutions import kept

__all__ = ["make_darcy"]

# Largest over smallest permeability where none is given; 4 is that of the values 3 and 12.
_CONTRASTS = {"smooth": 10.0, "piecewise": 4.0, "high_contrast": 1e4}


def make_darcy(
    n_samples: int = 100,
    n_points: int = 32,
    *,
    kind: Literal["smooth", "piecewise", "high_contrast"] = "smooth",
    contrast: float | None = None,
    forcing: float = 1.0,
    refinement: int = 2,
    alpha: float = 2.0,
    tau: float = 3.0,
    n_modes: int = 32,
    cache: str | PathLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw permeabilities and the pressures that they let stand.

    .. math:: -\nabla \cdot (a \nabla u) = f \text{ on } (0, 1)^2, \qquad u = 0 \text{ at the
        boundary}.

    The permeability a comes from a Gaussian random field g with zero slope at the boundary. Finite
    volumes on a finer grid, whose faces take the harmonic mean of their two sides, are exact to
    second order where a is smooth, and keep the flux where it jumps.

    Parameters
    ----------
    n_samples : int, default=100
        Number of permeabilities.
    n_points : int, default=32
        Number of points on each axis, both ends among them.
    kind : {"smooth", "piecewise", "high_contrast"}, default="smooth"
        How a comes from g. "smooth" is ``a = exp(s * g)``; "piecewise" is 3 where g is negative
        and else higher, the usual task of [1]_; "high_contrast" is as "smooth", with values many
        orders of magnitude apart, after [2]_. The number s of a sample makes its `contrast`.
    contrast : float or None, default=None
        Largest over smallest permeability of a sample; None is 10 for "smooth", 4 for "piecewise"
        and 1e4 for "high_contrast".
    forcing : float, default=1.0
        Source f, the same everywhere.
    refinement : int, default=2
        Intervals of the grid that is solved on, for one of the grid that is returned.
    alpha, tau : float, default=2.0, 3.0
        Smoothness and wave number of g, as in :func:`make_gaussian_random_field`.
    n_modes : int, default=32
        Number of its wave numbers above zero, on each axis.
    cache : str, path or None, default=None
        Folder in which to keep the solutions for the next call with equal parameters.
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the data reproducible.

    Returns
    -------
    X : ndarray of shape (n_samples, 1, n_points, n_points)
        Permeabilities.
    y : ndarray of shape (n_samples, 1, n_points, n_points)
        Pressures.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    .. [1] Zongyi Li et al., "Fourier Neural Operator for Parametric Partial Differential
       Equations", ICLR 2021.
    .. [2] Vladislav Trifonov et al., "ConDiff: A Challenging Dataset for Neural Solvers of Partial
       Differential Equations", arXiv:2406.04709, 2024.

    Examples
    --------
    >>> from skdyn.datasets import make_darcy
    >>> X, y = make_darcy(3, 17, kind="piecewise", random_state=0)
    >>> X.shape, sorted(set(X.ravel().tolist()))
    ((3, 1, 17, 17), [3.0, 12.0])
    """
    check_integer("n_points", n_points, low=4)
    check_integer("refinement", refinement, low=1)
    check_choice("kind", kind, tuple(_CONTRASTS))
    check_number("forcing", forcing)
    contrast = _CONTRASTS[kind] if contrast is None else contrast
    check_number("contrast", contrast, low=1)
    g = draw_coefficients(n_samples, 2, "neumann", alpha, tau, 1.0, n_modes, random_state)
    x = grid_points(refinement * (n_points - 1) + 1, "neumann")
    permeability = _permeability(synthesize(g, [x, x], "neumann"), kind, contrast)
    pressure = kept(_pressures, cache, random_state)(permeability, forcing)
    returned = np.s_[:, None, ::refinement, ::refinement]
    return permeability[returned].copy(), pressure[returned].copy()


def _permeability(g, kind, contrast):
    if kind == "piecewise":
        return np.where(g < 0, 3.0, 3.0 * contrast)
    spread = np.ptp(g, axis=(1, 2), keepdims=True)
    return np.exp(np.log(contrast) * g / spread)


def _pressures(permeability, source):
    """Pressures at the nodes of each permeability; zero at the outermost."""
    u = np.zeros_like(permeability)
    for sample, a in enumerate(permeability):
        u[sample, 1:-1, 1:-1] = solve_diffusion(a, source)
    return u


def solve_diffusion(a: np.ndarray, source: float | np.ndarray) -> np.ndarray:
    """Solve ``-div(a grad u) = source`` for the inner nodes of a square grid, shape (m, m)."""
    m = len(a) - 2
    down = _harmonic(a[:-1, 1:-1], a[1:, 1:-1])  # faces between rows: (m + 1, m)
    right = _harmonic(a[1:-1, :-1], a[1:-1, 1:])  # and between columns: (m, m + 1)
    bands = np.zeros((m + 1, m, m))
    bands[0] = down[:-1] + down[1:] + right[:, :-1] + right[:, 1:]
    bands[1, :, :-1] = -right[:, 1:-1]
    bands[m, :-1] = -down[1:-1]
    load = np.broadcast_to(source, (m, m)) / (m + 1) ** 2
    solution = solveh_banded(bands.reshape(m + 1, -1), load.ravel(), lower=True)
    return solution.reshape(m, m)


def _harmonic(one, other):
    return 2 * one * other / (one + other)
