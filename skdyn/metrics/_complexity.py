"""How many different things the units of a layer say."""

from __future__ import annotations

from numbers import Real
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_scalar

from skdyn._validation import check_array

__all__ = ["DistinctUnits", "distinct_units", "feature_complexity"]

_STILL = 1e-6  # deviation beside the largest value, below which a unit of float32 does not change


class DistinctUnits(NamedTuple):
    """Which units say the same as others.

    Attributes
    ----------
    stands_for : ndarray of int, shape (n_units,)
        The unit that says the same, itself where it is the first; -1 where it never changes.
    slope, offset : ndarray of shape (n_units,)
        Each unit is ``slope`` times the one that stands for it, and ``offset``.
    """

    stands_for: np.ndarray
    slope: np.ndarray
    offset: np.ndarray

    @property
    def complexity(self) -> float:
        """Number of distinct units over the number of all."""
        own = self.stands_for == np.arange(len(self.stands_for))
        return float(own.mean())


def distinct_units(X: np.ndarray, tolerance: float) -> DistinctUnits:
    """Find units of which others are multiples, but for a constant.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_units)
        Activations.
    tolerance : float
        Share of a unit's variance that may be left over.

    Returns
    -------
    DistinctUnits
    """
    mean = X.mean(axis=0)
    centered = X - mean
    deviation = np.sqrt(np.mean(centered**2, axis=0))
    moves = deviation > _STILL * np.abs(X).max(axis=0)
    scale = np.where(moves, deviation, 1.0)
    correlation = centered.T @ centered / len(X) / np.outer(scale, scale)
    stands_for = np.full(X.shape[1], -1)
    chosen: list[int] = []
    # Those that move most come first: they stand for the others with the smallest slopes.
    for unit in sorted(np.flatnonzero(moves).tolist(), key=lambda unit: -deviation[unit]):
        alike = np.square(correlation[unit, chosen]) if chosen else np.zeros(1)
        if alike.max() >= 1.0 - tolerance:
            stands_for[unit] = chosen[int(alike.argmax())]
        else:
            stands_for[unit] = unit
            chosen.append(unit)
    by = np.maximum(stands_for, 0)
    slope = np.where(moves, correlation[np.arange(len(by)), by] * scale / scale[by], 0.0)
    own = stands_for == np.arange(len(by))
    slope[own] = 1.0
    return DistinctUnits(stands_for, slope, np.where(own, 0.0, mean - slope * mean[by]))


def feature_complexity(X: ArrayLike, *, tolerance: float = 0.01) -> float:
    """Return the share of a layer's units that say what no other one says.

    Two units are functionally equivalent where one is a multiple of the other, but for a constant:
    what reads both could read one of them and answer the same [1]_. Units that never change say
    nothing. It measures layers of networks; codes of a dictionary are distinct by what chose them.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_units)
        Activations of the layer.
    tolerance : float, default=0.01
        Share of a unit's variance by which it may differ.

    Returns
    -------
    float
        Number of distinct units over the number of all, from 0 to 1.

    References
    ----------
    .. [1] Yiting Chen, Zhanpeng Zhou, Junchi Yan, "Going Beyond Neural Network Feature Similarity:
       The Network Feature Complexity and Its Interpretation Using Category Theory", ICLR 2024,
       arXiv:2310.06756. There units are merged by the distance of their weights.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.metrics import feature_complexity
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> feature_complexity(np.hstack([X, 2 * X]))
    0.5
    """
    check_scalar(tolerance, "tolerance", Real, min_val=0, max_val=1)
    X = check_array(X, dtype=np.float64, ensure_min_samples=2)
    return distinct_units(X, tolerance).complexity
