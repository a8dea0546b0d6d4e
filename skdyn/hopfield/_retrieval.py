"""Scores of patterns, in what unit they are, and how many of them fit in memory at once."""

from collections.abc import Iterator

import torch
from sklearn import get_config

__all__ = [
    "SIMILARITIES",
    "row_chunks",
    "scores",
    "total_variance",
]

SIMILARITIES = ("euclidean", "dot", "cosine")

_COPIES = 4  # of a chunk of weights, at most alive at once: scores, exponentials, temporaries
_BLOCK = 2**20  # bytes that stay in the processor's cache
_ROWS = 32  # a matrix product of fewer is slow


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
    if similarity not in SIMILARITIES:
        raise ValueError(f"similarity must be one of {SIMILARITIES}; got {similarity!r}.")
    if similarity == "cosine":
        queries, patterns = (torch.nn.functional.normalize(v, dim=1) for v in (queries, patterns))
    products = queries @ patterns.T
    if similarity == "euclidean":
        products = products - patterns.square().sum(dim=1) / 2
    return beta * products


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
    share = (mass / mass.sum()).double()
    parts = list(row_chunks(len(patterns), 2 * patterns.shape[1], patterns.element_size()))

    def mean_of(what):
        """Return a weighted mean, made in blocks, as no copy of the patterns fits in memory."""
        blocks = ((part, patterns[part].double()) for part in parts)
        if similarity == "cosine":
            blocks = ((part, torch.nn.functional.normalize(rows, dim=1)) for part, rows in blocks)
        return torch.stack([share[part] @ what(rows) for part, rows in blocks]).sum(dim=0)

    mean = mean_of(lambda rows: rows)
    variance = mean_of(lambda rows: (rows - mean).square()).sum().item()
    rounding = torch.finfo(patterns.dtype).eps * patterns[0].square().sum().item()
    return variance if variance > rounding else 1.0
