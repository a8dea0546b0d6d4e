"""Ranks of features: where a value stands among those of training, from 0 to 1."""

from __future__ import annotations

import numpy as np

__all__ = ["learn_ranks", "ranked"]

_N_KNOTS = 256
_MOST_ROWS = 2**16  # that tell the ranks


def learn_ranks(table: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Learn values of known ranks.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_features)
        Numbers.
    weight : ndarray of shape (n_rows,) or None
        Weights of the rows.

    Returns
    -------
    ndarray of shape (2, n_knots, n_features)
        Rising values, and their ranks. Equal values share the middle of the ranks they have; those
        of a feature with fewer values come again.
    """
    rows = slice(None, None, -(-len(table) // _MOST_ROWS))
    table = table[rows]
    weight = np.ones(len(table)) if weight is None else weight[rows]
    knots = [_of_column(column, weight) for column in table.T]
    n_most = max(len(values) for values, _ in knots)
    padded = [np.pad(knot, ((0, 0), (0, n_most - knot.shape[1])), mode="edge") for knot in knots]
    return np.stack(padded, axis=2)


def _of_column(column, weight):
    values, place = np.unique(column, return_inverse=True)
    mass = np.bincount(place, weights=weight) / weight.sum()
    ranks = np.cumsum(mass) - mass / 2
    some = np.unique(np.searchsorted(ranks, np.linspace(ranks[0], ranks[-1], _N_KNOTS)))
    some = some.clip(max=len(values) - 1)
    return np.stack([values[some], ranks[some]]).astype(np.float64)


def ranked(table: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Return ranks, between those of the nearest known values.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_features)
        Numbers.
    knots : ndarray of shape (2, n_knots, n_features)
        What :func:`learn_ranks` returned; without knots, numbers stay as they are.

    Returns
    -------
    ndarray of shape (n_rows, n_features)
        In the precision of the table.
    """
    if not knots.shape[1]:
        return table
    found = np.empty_like(table)
    for column, values, ranks, to in zip(table.T, *knots.transpose(0, 2, 1), found.T, strict=True):
        to[:] = np.interp(column, values, ranks)
    return found
