"""Where states come to rest: which fixed points there are, and what is mixed in each."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.cluster import DBSCAN

__all__ = ["FixedPoint", "fixed_points", "overlaps_above_chance", "weights_that_matter"]

_MOST = 0.9  # of the weight: the paper's measure of how many patterns a state is made of


class FixedPoint(NamedTuple):
    """A state at rest.

    Attributes
    ----------
    state : ndarray of shape (n_features,)
        The state.
    kind : {"single pattern", "metastable", "global average"}
        One pattern; several; more than half of all of them. Also "metastable": no pattern at all,
        as in a classical network that holds too many.
    patterns : ndarray of int of shape (n_mixed,)
        Which stored patterns it mixes, the strongest first; of copies, the first.
    weights : ndarray of shape (n_mixed,)
        How much of each: its weight in the mean, or, of patterns of -1 and +1, its overlap in
        [-1, 1] with the state.
    queries : ndarray of int of shape (n_queries,)
        Which queries came to rest there.
    """

    state: np.ndarray
    kind: str
    patterns: np.ndarray
    weights: np.ndarray
    queries: np.ndarray


def weights_that_matter(weights: np.ndarray) -> np.ndarray:
    """Return the fewest patterns that hold nine tenths of the weight, as Ramsauer 2021 counts them.

    Parameters
    ----------
    weights : ndarray of shape (n_patterns,)
        Weights of sum one.

    Returns
    -------
    ndarray of int
        The heaviest first.
    """
    order = np.argsort(-weights, kind="stable")
    return order[: 1 + np.searchsorted(np.cumsum(weights[order]), _MOST)]


def overlaps_above_chance(overlaps: np.ndarray, n_features: int) -> np.ndarray:
    """Return the patterns that are in a state of bits.

    A state that is a pattern, or the negative of one, is that alone. Otherwise those count whose
    overlap is above the largest that chance gives so many patterns, sqrt(2 log(2 K) / N).

    Parameters
    ----------
    overlaps : ndarray of shape (n_patterns,)
        Mean products of bits, in [-1, 1].
    n_features : int
        Number of bits.

    Returns
    -------
    ndarray of int
        The largest overlap first.
    """
    size = np.abs(overlaps)
    order = np.argsort(-size, kind="stable")
    if size[order[0]] > 1 - 1 / n_features:
        return order[:1]
    return order[size[order] > np.sqrt(2 * np.log(2 * len(size)) / n_features)]


def fixed_points(
    states: np.ndarray,
    radius: float,
    shares: Callable[[np.ndarray], np.ndarray],
    indices: np.ndarray,
    bits: bool,
) -> list[FixedPoint]:
    """Group states at rest and say what each group is.

    Parameters
    ----------
    states : ndarray of shape (n_queries, n_features)
        States at rest.
    radius : float
        States nearer than this to each other are one.
    shares : callable
        Gives, for a state, the weight or overlap of each distinct pattern in it.
    indices : ndarray of int of shape (n_distinct,)
        Number of each distinct pattern among the stored ones.
    bits : bool
        Whether states are of -1 and +1.

    Returns
    -------
    list of FixedPoint
        The one with the most queries first.
    """
    labels = DBSCAN(eps=radius, min_samples=1).fit_predict(states)
    found = []
    for label in range(labels.max() + 1):
        queries = np.flatnonzero(labels == label)
        state = states[queries[0]]
        share = shares(state)
        mixed = overlaps_above_chance(share, len(state)) if bits else weights_that_matter(share)
        if len(mixed) == 1:
            kind = "single pattern"
        else:
            kind = "global average" if 2 * len(mixed) > len(share) else "metastable"
        found.append(FixedPoint(state, kind, indices[mixed], share[mixed], queries))
    return sorted(found, key=lambda point: -len(point.queries))
