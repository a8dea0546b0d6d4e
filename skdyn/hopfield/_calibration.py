"""Rows that a map is kept from tell how sure its answers may be.

Leave-one-out under a map that has seen the labels is too sure: on few rows of many features, any
map can set classes apart that nothing tells apart.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._matching import Matching
from skdyn.hopfield._retrieval import total_variance
from skdyn.hopfield._separations import Separation

__all__ = ["partitions", "recalled_by_beta", "tempered_by_cooling"]

Answers = Callable[[list[float]], torch.Tensor]

_N_FOLDS = 3
_MANY = 1000  # rows, of which one part is enough
_PART = 300  # rows at least, a tenth of the rows if that is more


def partitions(n_rows: int, groups: np.ndarray | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Share rows between those that are learned from and those that are asked.

    Parameters
    ----------
    n_rows : int
        Number of rows, at least two, in an order that says nothing.
    groups : ndarray of int of shape (n_rows,) or None
        Classes, of which each part gets its share.

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        Rows to learn from, and the others, which are to be asked: of few rows each is asked in one
        of three parts.
    """
    n_parts = min(_N_FOLDS, n_rows)
    if n_rows > _MANY:
        n_parts = n_rows // max(_PART, n_rows // 10)
    order = np.arange(n_rows) if groups is None else np.argsort(groups, kind="stable")
    part = np.empty(n_rows, dtype=np.intp)
    part[order] = np.arange(n_rows) % n_parts
    asked = range(n_parts if n_rows <= _MANY else 1)
    return [(np.flatnonzero(part != i), np.flatnonzero(part == i)) for i in asked]


def recalled_by_beta(
    module: Matching,
    X: Any,
    rows: Any,
    values: Any,
    mass: Any,
    *,
    similarity: str,
    separation: Separation,
) -> Answers:
    """Return what recalls the values of rows at several temperatures.

    Parameters
    ----------
    module : Matching
        Maps rows to where they are compared.
    X : ndarray of shape (n_asked, n_features)
        Rows that it has not seen.
    rows, values, mass : ndarray
        What is stored.
    similarity, separation : object
        See :class:`skdyn.hopfield._frozen_memory.FrozenMemory`.

    Returns
    -------
    callable
        From betas, in units of the total variance, to recalled values of shape (n_betas, n_asked,
        n_values).
    """
    like = next(module.parameters())
    X, rows, values, mass = (torch.as_tensor(array).to(like) for array in (X, rows, values, mass))
    X, keys = module(X), module(rows)
    unit = total_variance(keys, mass, similarity)
    weighs = None if (mass == 1).all() else mass
    memory = FrozenMemory(
        keys, values, weighs, 1 / unit, similarity=similarity, separation=separation
    )
    return lambda betas: memory.means_by_beta(X, betas).float()


def tempered_by_cooling(
    module: Matching,
    X: np.ndarray,
    *,
    beta: float | None,
    tempered: Callable[[torch.Tensor, float], torch.Tensor],
    similarity: str,
    separation: Separation,
) -> Answers:
    """Return what tempers that which prototypes recall.

    Parameters
    ----------
    module : Matching
        Holds the prototypes.
    X : ndarray of shape (n_asked, n_features)
        Rows that it has not seen.
    beta : float or None
        Inverse temperature; None is the module's.
    tempered : callable
        ``tempered(recalled, cooling)`` returns predictions.
    similarity, separation : object
        See :class:`skdyn.hopfield._frozen_memory.FrozenMemory`.

    Returns
    -------
    callable
        From coolings to predictions of shape (n_coolings, n_asked, n_values).
    """
    beta = (module.beta.item() if beta is None else beta) / module.first_unit.item()
    rows = module(torch.as_tensor(X).to(module.log_beta))
    how: Any = {"similarity": similarity, "separation": separation}
    memory = FrozenMemory(module.prototypes, module.values, sharpness=beta, **how)
    means = memory.means(rows).float()
    return lambda coolings: torch.stack([tempered(means, cooling) for cooling in coolings])
