"""How much of a domain each point of a cloud stands for."""

from math import factorial
from typing import Any

import numpy as np
from scipy.spatial import Delaunay, QhullError

__all__ = ["quadrature_weights", "simplex_volumes"]

_MOST_AXES = 3  # beyond, triangulations take too long
# Radius of the sphere through the corners of a simplex, in medians: what is larger, and has all its
# corners on the edge, bridges a bay of the domain and lies outside.
_BRIDGE = 2.5


def quadrature_weights(coords: np.ndarray, edge: Any = None) -> np.ndarray:
    """Share the simplices between the points of a cloud out to their corners.

    Sums with these weights are integrals of what is linear between points.

    Parameters
    ----------
    coords : ndarray of shape (n, n_axes)
        Points.
    edge : array-like of bool of shape (n,) or None, default=None
        Which of them lie on the edge: wide simplices between those alone are taken for outside.

    Returns
    -------
    ndarray of shape (n,)
        Lengths, areas or volumes; 1 / n each where there are more than three axes, or where points
        are too few or lie on one line.
    """
    n, n_axes = coords.shape
    alike = np.full(n, 1 / n)
    if n_axes > _MOST_AXES or n < n_axes + 2:
        return alike
    cells = _simplices(coords)
    if edge is not None and len(cells):
        radius = _radii(coords[cells])
        outside = np.asarray(edge)[cells].all(axis=1) & (radius > _BRIDGE * np.median(radius))
        cells = cells[~outside]
    share = simplex_volumes(coords, cells) / (n_axes + 1)
    weights = np.bincount(cells.ravel(), share.repeat(n_axes + 1), n)
    return weights if weights.sum() > 0 else alike


def simplex_volumes(coords: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return the volumes of simplices.

    Parameters
    ----------
    coords : ndarray of shape (n, n_axes)
        Points.
    cells : ndarray of int of shape (n_cells, n_axes + 1)
        Corners.

    Returns
    -------
    ndarray of shape (n_cells,)
    """
    corners = coords[cells]
    return abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / factorial(coords.shape[1])


def _radii(corners):
    """Return the radius of the sphere through the corners of each simplex."""
    sides = corners[:, 1:] - corners[:, :1]
    squares = np.square(sides).sum(axis=2)
    centers = np.linalg.pinv(sides) @ squares[..., None] / 2
    return np.linalg.norm(centers[..., 0], axis=1)


def _simplices(coords):
    if coords.shape[1] == 1:
        order = np.argsort(coords[:, 0])
        return np.stack([order[:-1], order[1:]], axis=1)
    try:
        return Delaunay(coords).simplices
    except QhullError:  # points on a line or a plane
        return np.empty((0, coords.shape[1] + 1), dtype=int)
