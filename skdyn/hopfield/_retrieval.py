"""Retrieval: compare queries with all patterns, and average values by the weights that result.

The matrix of weights, one row a query, is never whole in memory: every function here walks over
its rows in chunks.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from sklearn import get_config

from skdyn.hopfield._separations import EntmaxSeparation, Separation

__all__ = [
    "SIMILARITIES",
    "Retrieved",
    "retrieve",
    "row_chunks",
    "score_chunks",
    "scores",
    "top",
    "total_variance",
    "weight_chunks",
]

SIMILARITIES = ("euclidean", "dot", "cosine")

_COPIES = 4  # of a chunk of weights, at most alive at once: scores, exponentials, temporaries
_BLOCK = 2**20  # bytes that stay in the processor's cache
_ROWS = 32  # a matrix product of fewer is slow


class Retrieved(NamedTuple):
    """The patterns of the largest weights of each query.

    Attributes
    ----------
    indices : Tensor of shape (n_queries, n_top)
        Which patterns, by falling weight.
    weights : Tensor of shape (n_queries, n_top)
        Their weights.
    """

    indices: torch.Tensor
    weights: torch.Tensor


def row_chunks(n_queries: int, n_patterns: int, itemsize: int = 8) -> Iterator[slice]:
    """Yield slices of the queries whose rows of weights fit scikit-learn's ``working_memory``.

    Parameters
    ----------
    n_queries : int
        Number of rows.
    n_patterns : int
        Length of a row.
    itemsize : int, default=8
        Bytes of a number.

    Yields
    ------
    slice
        At least one row; they come in order and leave none out.
    """
    row = itemsize * max(1, n_patterns)
    budget = get_config()["working_memory"] * 2**20 / _COPIES
    n_rows = max(1, int(min(budget, max(_BLOCK, _ROWS * row)) // row))
    for start in range(0, n_queries, n_rows):
        yield slice(start, min(start + n_rows, n_queries))


def scores(
    queries: torch.Tensor, patterns: torch.Tensor, beta: float = 1.0, similarity: str = "euclidean"
) -> torch.Tensor:
    """Return the scores of all patterns, differentiable.

    Parameters
    ----------
    queries : Tensor of shape (n_queries, n_features)
        States.
    patterns : Tensor of shape (n_patterns, n_features)
        Stored patterns.
    beta : float, default=1.0
        Inverse temperature.
    similarity : {"euclidean", "dot", "cosine"}, default="euclidean"
        "euclidean": ``q.x - |x|^2 / 2``, which is ``-|q - x|^2 / 2`` up to a constant of the
        query; "dot": ``q.x``; "cosine": the same for vectors of length one, zero for a zero vector.

    Returns
    -------
    Tensor of shape (n_queries, n_patterns)
    """
    return beta * _similarities(*_prepared(queries, patterns, similarity))


def total_variance(patterns: torch.Tensor, mass: torch.Tensor, similarity: str) -> float:
    """Return the unit of similarities: the variance of the patterns, summed over the features.

    Parameters
    ----------
    patterns : Tensor of shape (n_patterns, n_features)
        Stored patterns.
    mass : Tensor of shape (n_patterns,)
        How many times each counts.
    similarity : {"euclidean", "dot", "cosine"}
        The cosine sees patterns of length one.

    Returns
    -------
    float
        Positive: one where all patterns are equal.
    """
    if similarity == "cosine":
        patterns = torch.nn.functional.normalize(patterns, dim=1)
    share = mass / mass.sum()
    variance = (share @ (patterns - share @ patterns).square()).sum().item()
    rounding = torch.finfo(patterns.dtype).eps * patterns[0].square().sum().item()
    return variance if variance > rounding else 1.0


def _prepared(queries, patterns, similarity):
    """Return queries, patterns and offsets with similarity = queries @ patterns' - offsets."""
    if similarity == "cosine":
        queries, patterns = (torch.nn.functional.normalize(v, dim=1) for v in (queries, patterns))
    elif similarity == "euclidean":
        return queries, patterns, patterns.square().sum(dim=1) / 2
    elif similarity != "dot":
        raise ValueError(f"similarity must be one of {SIMILARITIES}; got {similarity!r}.")
    return queries, patterns, None


def _similarities(queries, patterns, offsets):
    products = queries @ patterns.T
    return products if offsets is None else products - offsets


@torch.no_grad()
def weight_chunks(
    queries: torch.Tensor,
    patterns: torch.Tensor,
    *,
    beta: float,
    similarity: str,
    separation: Separation,
    mass: torch.Tensor | None = None,
    exclude: torch.Tensor | None = None,
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Yield the weights of the patterns, a chunk of queries at a time.

    Any positive ``beta`` gives finite weights, from the mean of all patterns to the best alone.

    Parameters
    ----------
    queries : Tensor of shape (n_queries, n_features)
        States.
    patterns : Tensor of shape (n_patterns, n_features)
        Stored patterns.
    beta : float
        Inverse temperature.
    similarity : {"euclidean", "dot", "cosine"}
        See :func:`scores`.
    separation : Separation
        From scores to weights.
    mass : Tensor of shape (n_patterns,) or None, default=None
        How many times each pattern counts; positive, one by default.
    exclude : Tensor of int64 of shape (n_queries,) or None, default=None
        A pattern that each query must not see, such as itself. At least one must remain.

    Yields
    ------
    (slice, Tensor of shape (n_rows, n_patterns))
        Which queries, and their weights.
    """
    how = {"beta": beta, "similarity": similarity, "exclude": exclude}
    for rows, z in score_chunks(queries, patterns, **how):
        yield rows, separation.weights(z) if mass is None else separation.weights(z, mass)


@torch.no_grad()
def score_chunks(queries, patterns, *, beta, similarity, exclude=None):
    """Yield the scores of the patterns, a chunk of queries at a time; each query's best is zero.

    Parameters
    ----------
    queries, patterns, beta, similarity, exclude : object
        See :func:`weight_chunks`.

    Yields
    ------
    (slice, Tensor of shape (n_rows, n_patterns))
        Which queries, and their scores, which the next chunk overwrites.
    """
    queries, patterns, offsets = _prepared(queries, patterns, similarity)
    beta = min(beta, torch.finfo(patterns.dtype).max)
    buffer = None
    for rows in row_chunks(len(queries), len(patterns), patterns.element_size()):
        if buffer is None:
            buffer = patterns.new_empty(rows.stop, len(patterns))
        z = torch.mm(queries[rows], patterns.T, out=buffer[: rows.stop - rows.start])
        if offsets is not None:
            z.sub_(offsets)
        if exclude is not None:
            z.scatter_(1, exclude[rows, None], -torch.inf)
        z.sub_(z.amax(dim=1, keepdim=True))  # before beta: zero stays zero, the rest may overflow
        yield rows, z.mul_(beta)


def retrieve(
    queries: torch.Tensor, patterns: torch.Tensor, values: torch.Tensor, **how: Any
) -> torch.Tensor:
    """Return the mean of the values by the weights of each query.

    Parameters
    ----------
    queries : Tensor of shape (n_queries, n_features)
        States.
    patterns : Tensor of shape (n_patterns, n_features)
        Stored patterns.
    values : Tensor of shape (n_patterns, n_values)
        What is read out: the patterns themselves, or what belongs to them.
    **how
        ``beta``, ``similarity``, ``separation``, ``mass``, ``exclude`` of :func:`weight_chunks`.

    Returns
    -------
    Tensor of shape (n_queries, n_values)
    """
    means = values.new_empty(len(queries), values.shape[1])
    if how["separation"] != EntmaxSeparation(1.0):
        for rows, weights in weight_chunks(queries, patterns, **how):
            torch.mm(weights, values, out=means[rows])
        return means
    mass = how.pop("mass", None)  # softmax: divide what is read out, not the weights
    mass = values.new_ones(len(values)) if mass is None else mass
    masses = torch.column_stack([values * mass[:, None], mass])
    del how["separation"]
    least = 0.9 * math.log(torch.finfo(patterns.dtype).tiny)  # smaller numbers take much longer
    for rows, z in score_chunks(queries, patterns, **how):
        sums = z.clamp_(min=least).exp_() @ masses
        torch.div(sums[:, :-1], sums[:, -1:], out=means[rows])
    return means


def top(queries: torch.Tensor, patterns: torch.Tensor, n_top: int, **how: Any) -> Retrieved:
    """Return the patterns of the largest weights.

    Parameters
    ----------
    queries : Tensor of shape (n_queries, n_features)
        States.
    patterns : Tensor of shape (n_patterns, n_features)
        Stored patterns.
    n_top : int
        How many a query; at most all.
    **how
        ``beta``, ``similarity``, ``separation``, ``mass``, ``exclude`` of :func:`weight_chunks`.

    Returns
    -------
    Retrieved
    """
    n_top = min(n_top, len(patterns))
    weights = patterns.new_empty(len(queries), n_top)
    indices = torch.empty(len(queries), n_top, dtype=torch.int64, device=patterns.device)
    for rows, chunk in weight_chunks(queries, patterns, **how):
        weights[rows], indices[rows] = chunk.topk(n_top, dim=1)
    return Retrieved(indices, weights)
