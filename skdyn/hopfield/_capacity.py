"""How much a memory holds: separation of patterns, laws of capacity, and a beta that follows."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.special import wrightomega

from skdyn.hopfield._retrieval import row_chunks, scores

__all__ = [
    "Capacity",
    "beta_for_separation",
    "separations",
    "sphere_capacity",
    "well_separated",
]

_ROUNDS = 60  # of a fixed-point iteration that gains at least half a digit in each
_FAILURE = 1e-3  # probability that the capacity on a sphere leaves, as in the paper's examples


class Capacity(NamedTuple):
    """What a memory can hold, by law, and what becomes of what it does hold.

    Attributes
    ----------
    n_patterns : float
        How many random patterns such a memory stores, by the law of its interaction.
    law : str
        That law.
    separation : ndarray of shape (n_patterns,)
        By how much each stored pattern, as a query, scores above the best other one, before beta;
        copies of itself aside.
    stable : ndarray of bool of shape (n_patterns,)
        Which stored patterns are kept. Continuous memories: those far enough from the others for
        the theorem on retrieval. Patterns of -1 and +1: those that an update leaves as they are.
    """

    n_patterns: float
    law: str
    separation: np.ndarray
    stable: np.ndarray


def separations(
    patterns: np.ndarray, rows: np.ndarray | slice = slice(None), similarity: str = "euclidean"
) -> np.ndarray:
    """Return how far patterns score above the best other one, when they are the query.

    Parameters
    ----------
    patterns : ndarray of shape (n_patterns, n_features)
        Stored patterns.
    rows : ndarray of int or slice, default=slice(None)
        Which of them to ask for.
    similarity : {"euclidean", "dot"}, default="euclidean"
        What a score is.

    Returns
    -------
    ndarray of shape (n_rows,)
        Differences; infinite where there is no other pattern. Copies are no others.
    """
    keys = torch.from_numpy(patterns - (patterns.mean(axis=0) if similarity == "euclidean" else 0))
    asked = torch.arange(len(keys))[rows]
    gaps = np.empty(len(asked))
    copies = torch.from_numpy(np.unique(patterns, axis=0, return_inverse=True)[1].ravel())
    for chunk in row_chunks(len(asked), len(keys)):
        own = asked[chunk, None]
        z = scores(keys[own[:, 0]], keys, similarity=similarity)
        lead = z.gather(1, own)[:, 0]
        gaps[chunk] = lead - z.masked_fill_(copies[own] == copies, -torch.inf).amax(dim=1)
    return gaps


def beta_for_separation(gap: float, n_patterns: int, norm: float) -> float:
    """Return the smallest beta at which patterns of a separation are retrieved.

    It solves gap = 2 / (beta K) + log(2 (K - 1) K beta M^2) / beta (Ramsauer 2021, theorem 4).

    Parameters
    ----------
    gap : float
        Separation.
    n_patterns : int
        Number K of patterns.
    norm : float
        Largest norm M of a pattern.

    Returns
    -------
    float
    """
    constant = 2 / n_patterns + np.log(2 * (n_patterns - 1) * n_patterns * norm**2 / gap)
    scaled = constant  # gap * beta = constant + log(gap * beta), the larger root, from below
    for _ in range(_ROUNDS):
        scaled = constant + np.log(scaled)
    return float(scaled / gap)


def well_separated(gaps: np.ndarray, beta: float, norm: float) -> np.ndarray:
    """Return which separations suffice for retrieval by softmax (Ramsauer 2021, theorem 4).

    The theorem puts a fixed point within 1 / (beta K M) of the pattern. A beta so small that this
    reaches other patterns does not count: the logarithm is taken as zero where it is negative.

    Parameters
    ----------
    gaps : ndarray of shape (n_patterns,)
        Separations of all patterns.
    beta : float
        Inverse temperature.
    norm : float
        Largest norm of a pattern.

    Returns
    -------
    ndarray of bool of shape (n_patterns,)
    """
    k = len(gaps)
    if k == 1:
        return np.ones(1, dtype=bool)
    with np.errstate(divide="ignore"):  # all patterns may be zero
        logarithm = np.log(2 * (k - 1) * k) + np.log(beta) + 2 * np.log(norm)
    return beta * gaps >= 2 / k + max(0.0, logarithm)


def sphere_capacity(n_features: int, beta: float, norm: float, failure: float = _FAILURE) -> float:
    """Return how many random patterns on a sphere softmax retrieves (Ramsauer 2021, theorem 3).

    Parameters
    ----------
    n_features : int
        Number d of features.
    beta : float
        Inverse temperature.
    norm : float
        Radius of the sphere.
    failure : float, default=1e-3
        Probability p that they are not all retrieved.

    Returns
    -------
    float
        At least one: where the theorem is silent, one pattern is no problem.
    """
    if n_features == 1 or norm == 0:
        return 1.0
    freedom = n_features - 1
    squared = norm**2 / freedom  # K^2 of the paper
    a = 2 / freedom * (1 + np.log(2 * beta * squared * failure * freedom))
    log_b = np.log(2 * squared * beta / 5)
    log_c = wrightomega(a + log_b) - a  # c = b / W(exp(a + log b))
    log_n = np.log(failure) / 2 + log_c * freedom / 4
    if 2 * log_n + np.log(2 * beta * norm**2) < 0:  # the case that well_separated leaves out
        return 1.0
    with np.errstate(over="ignore"):
        return max(1.0, float(np.exp(log_n)))
