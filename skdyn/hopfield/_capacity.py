"""How much a memory holds: separation of patterns, laws of capacity, and a beta that follows."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.special import wrightomega

from skdyn._blocks import in_blocks
from skdyn.hopfield._retrieval import row_chunks, scores
from skdyn.hopfield._store import row_hashes

__all__ = [
    "Capacity",
    "beta_for_patterns",
    "beta_for_separation",
    "mean_of",
    "radius_of",
    "separations",
    "sphere_capacity",
    "well_separated",
]

_ROUNDS = 60  # of a fixed-point iteration that gains at least half a digit in each
_GAPS = 1000  # patterns whose separations set beta; more take long and change it little
_CROWDED = 0.1  # share of the patterns that may be less separated than that
_ROUNDING = 1e-13  # so that the theorem holds at this beta whatever its last digits are
_BLOCK = 4096  # patterns that are compared at a time
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
    origin = patterns.mean(axis=0) if similarity == "euclidean" else np.zeros(patterns.shape[1])
    asked, hashes = np.arange(len(patterns))[rows], row_hashes(patterns)
    best = np.full(len(asked), -np.inf)
    found = np.full(len(asked), -1)
    for chunk in row_chunks(len(asked), _BLOCK, patterns.itemsize):
        own = asked[chunk]
        queries = torch.from_numpy(patterns[own] - origin)
        for start in range(0, len(patterns), _BLOCK):
            block = patterns[start : start + _BLOCK]
            z = scores(queries, torch.from_numpy(block - origin), similarity=similarity)
            twins = np.nonzero(hashes[own, None] == hashes[start : start + _BLOCK])
            alike = (patterns[own[twins[0]]] == block[twins[1]]).all(axis=1)
            z[twins[0][alike], twins[1][alike]] = -np.inf
            lead, place = (part.numpy() for part in z.max(dim=1))
            found[chunk] = np.where(lead > best[chunk], start + place, found[chunk])
            best[chunk] = np.maximum(lead, best[chunk])
    # Of the best other pattern alone, the difference is computed without cancellation.
    away = patterns[asked] - patterns[found]
    if similarity == "euclidean":
        gaps = np.square(away).sum(axis=1) / 2
    else:
        gaps = (patterns[asked] * away).sum(axis=1)
    return np.where(found < 0, np.inf, gaps)


def beta_for_patterns(patterns: np.ndarray, mass: np.ndarray) -> float:
    """Return the smallest beta at which nine in ten patterns are retrieved, by the theorem.

    Parameters
    ----------
    patterns : ndarray of shape (n_patterns, n_features)
        Stored patterns.
    mass : ndarray of shape (n_patterns,)
        How many times each is there.

    Returns
    -------
    float
        One where no two patterns can be told apart: any beta does.
    """
    mass = mass if (mass % 1 == 0).all() else mass / mass.min()
    copies = np.unique(np.linspace(0, mass.sum() - 1, _GAPS, dtype=np.intp))
    rows, place = np.unique(np.cumsum(mass).searchsorted(copies, "right"), return_inverse=True)
    gap = float(np.quantile(separations(patterns, rows)[place], _CROWDED, method="higher"))
    if not 0 < gap < np.inf:
        return 1.0
    return beta_for_separation(gap, max(mass.sum(), 2.0), radius_of(patterns, mass))


def mean_of(patterns: np.ndarray, mass: np.ndarray | None) -> np.ndarray:
    """Return the mean of patterns, in double precision.

    Parameters
    ----------
    patterns : ndarray of shape (n_patterns, n_features)
        Stored patterns.
    mass : ndarray of shape (n_patterns,) or None
        How many times each is there; None is once.

    Returns
    -------
    ndarray of shape (n_features,)
    """
    if mass is None or (mass == 1).all():
        return patterns.mean(axis=0, dtype=np.float64)
    return np.average(patterns, axis=0, weights=mass)


def radius_of(patterns: np.ndarray, mass: np.ndarray, similarity: str = "euclidean") -> float:
    """Return the largest norm, about the origin that the similarity has.

    Parameters
    ----------
    patterns : ndarray of shape (n_patterns, n_features)
        Stored patterns.
    mass : ndarray of shape (n_patterns,)
        How many times each is there.
    similarity : {"euclidean", "dot"}, default="euclidean"
        What a score is.

    Returns
    -------
    float
    """
    origin = mean_of(patterns, mass) if similarity == "euclidean" else 0.0
    return in_blocks(lambda rows: np.linalg.norm(rows - origin, axis=1), patterns).max()


def beta_for_separation(gap: float, n_patterns: float, norm: float) -> float:
    """Return the smallest beta at which patterns of a separation are retrieved.

    It solves gap = 2 / (beta K) + log(2 (K - 1) K beta M^2) / beta (Ramsauer 2021, theorem 4).

    Parameters
    ----------
    gap : float
        Separation.
    n_patterns : float
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
    return float(scaled / gap * (1 + _ROUNDING))


def well_separated(gaps: np.ndarray, beta: float, norm: float, n_patterns: float) -> np.ndarray:
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
    n_patterns : float
        How many there are, copies counted.

    Returns
    -------
    ndarray of bool of shape (n_patterns,)
    """
    k = n_patterns
    if len(gaps) == 1 or k <= 1:
        return np.ones(len(gaps), dtype=bool)
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
