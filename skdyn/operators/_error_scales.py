"""How large errors are near an input: those of known cases whose inputs are like it."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from skdyn._scales import learn_column_scales
from skdyn._state import Shape
from skdyn.datasets import FieldData
from skdyn.operators._clouds import shares_of
from skdyn.operators._estimator import channel_scales

__all__ = ["NearErrors", "learn_near_errors"]

_LEAST = 1e-6  # of the root mean square error: what no width is below


class NearErrors(NamedTuple):
    """Errors of known cases, to be looked up by inputs.

    Attributes
    ----------
    offset, scale : ndarray of shape (n_columns,)
        Of the descriptions of inputs.
    known : ndarray of shape (n_cases, n_columns)
        Inputs of the cases, in these units.
    squares : ndarray of shape (n_cases, ...)
        Squared errors at each place; of clouds one per case.
    n_neighbors : int
        How many are looked at.
    """

    offset: Annotated[np.ndarray, Shape("columns")]
    scale: Annotated[np.ndarray, Shape("columns")]
    known: Annotated[np.ndarray, Shape("cases columns")]
    squares: Annotated[np.ndarray, Shape("...")]
    n_neighbors: int

    def widths(self, X: Any) -> np.ndarray:
        """Return root mean square errors of the nearest cases, those of all as one of them.

        Parameters
        ----------
        X : ndarray or FieldData
            Inputs.

        Returns
        -------
        ndarray of shape (n, ...)
        """
        rows = _described(X)
        if rows.shape[1] != len(self.offset):
            raise ValueError(
                f"X has {rows.shape[1]} values per case, but scale='knn' compares it with cases of "
                f"{len(self.offset)}. Ask on the grid of fit, or set scale=None or 'residual'."
            )
        k = min(self.n_neighbors, len(self.known))
        rows = (rows - self.offset) / self.scale
        nearest = np.argpartition(cdist(rows, self.known), k - 1, axis=1)[:, :k]
        of_all = self.squares.mean(axis=0)
        squares = (self.squares[nearest].sum(axis=1) + of_all) / (k + 1)
        least = _LEAST * np.sqrt(of_all.mean())
        return np.maximum(np.sqrt(squares), least or 1.0)


def learn_near_errors(X: Any, errors: np.ndarray, n_neighbors: int, y: Any = None) -> NearErrors:
    """Take up the errors of known cases.

    Parameters
    ----------
    X : ndarray or FieldData
        Inputs.
    errors : ndarray of shape (n, ...)
        Errors; of clouds one row a place.
    n_neighbors : int
        How many to look at.
    y : FieldData or None, default=None
        Places of the errors of clouds.

    Returns
    -------
    NearErrors
    """
    rows = _described(X)
    offset, scale, _ = learn_column_scales(rows, None)
    if isinstance(X, np.ndarray) and X.ndim > 2:  # points of a channel are alike
        offset, scale = (
            part.repeat(rows.shape[1] // X.shape[1]) for part in channel_scales(X, None)
        )
    squares = np.square(errors)
    if y is not None:
        of_places = squares.mean(axis=1) * shares_of(y)
        squares = np.add.reduceat(of_places, y.offsets[:-1])
    return NearErrors(offset, scale, (rows - offset) / scale, squares, n_neighbors)


def _described(X):
    """Return a row for each input; of clouds, mean and spread of coordinates and values."""
    if not isinstance(X, FieldData):
        return X.reshape(len(X), -1).astype(np.float64)
    columns, shares = np.concatenate([X.coords, X.values], axis=1), shares_of(X)[:, None]
    means = np.add.reduceat(shares * columns, X.offsets[:-1])
    apart = np.square(columns - means.repeat(X.sizes, axis=0))
    spread = np.sqrt(np.add.reduceat(shares * apart, X.offsets[:-1]))
    return np.concatenate([means, spread, X.parameters], axis=1)
