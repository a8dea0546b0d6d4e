"""The inverse temperature under which rows are best recalled from others.

Each stored row from all the other ones; or, where a map was learned, rows that it has not seen.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch

from skdyn.exceptions import warn_user
from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._separations import Separation

__all__ = ["Choice", "best_beta", "best_of", "best_of_ladder", "n_recalled"]

# From nearly the mean to nearly the nearest; where the best is at an end, the ladder goes on there.
_LADDER = [2.0**power for power in range(-2, 15)]
_MANY_WEIGHTS = 100_000_000  # for each beta: from there on few rows choose among all betas first
_MOST_WEIGHTS = 500_000_000
_FEW = 200  # rows that tell of which betas to ask more rows
_BELOW = [2.0**power for power in range(-10, -2)]  # all but the mean
_ABOVE = [2.0**power for power in range(15, 31)]  # single precision tells no smaller differences


class Choice(NamedTuple):
    """What recall of rows from others prefers.

    Attributes
    ----------
    beta : float
        Inverse temperature.
    smoothing : float
        What the loss chose beside it.
    loss : float
        The loss with both.
    """

    beta: float
    smoothing: float
    loss: float


Loss = Callable[[torch.Tensor, int], tuple[torch.Tensor, torch.Tensor]]


def best_of(
    betas: list[float], recall: Callable[[list[float]], torch.Tensor], loss: Loss
) -> Choice:
    """Choose the one of the least loss.

    Parameters
    ----------
    betas : list of float
        Inverse temperatures, each twice the one before.
    recall : callable
        ``recall(betas)`` returns recalled values of shape (n_betas, n_rows, n_values).
    loss : callable
        ``loss(means, n_rows)`` returns the loss and the smoothing of each beta.

    Returns
    -------
    Choice
    """
    means = recall(betas)
    losses, smoothings = loss(means, means.shape[1])
    best = int(losses.argmin())
    return Choice(betas[best], smoothings[best].item(), losses[best].item())


def best_of_ladder(
    recall: Callable[[list[float]], torch.Tensor], loss: Loss, beta: float | None = None
) -> Choice:
    """Choose the inverse temperature of the least loss, of powers of two.

    Parameters
    ----------
    recall, loss : callable
        See :func:`best_of`.
    beta : float or None, default=None
        The one beta to judge, where it is given.

    Returns
    -------
    Choice
    """
    if beta is not None:
        return best_of([beta], recall, loss)
    choice = best_of(_LADDER, recall, loss)
    for end, beyond in ((_LADDER[0], _BELOW), (_LADDER[-1], _ABOVE)):
        if choice.beta == end:
            choice = min(choice, best_of(beyond, recall, loss), key=lambda choice: choice.loss)
    if choice.beta == _ABOVE[-1]:
        warn_user(
            f"beta='auto' ended at {choice.beta:.3g}, the largest that is tried: patterns so near "
            "to each other have different values. Pass beta= to go beyond, or scale the features "
            "in which they differ."
        )
    return choice


def n_recalled(n_rows: int, n_patterns: int, n_weights: int) -> int:
    """Return how many rows are enough to choose by.

    Parameters
    ----------
    n_rows : int
        How many there are to recall.
    n_patterns : int
        How many each is recalled from.
    n_weights : int
        How many weights to compute for each beta: those of all rows of small data. Of large data,
        at least as many rows are recalled as the root of the number of patterns; of very large
        data, 200 or as many as there is time for.

    Returns
    -------
    int
    """
    root = min(round(n_patterns**0.5), max(_MOST_WEIGHTS // n_patterns, _FEW))
    return min(n_rows, max(n_weights // n_patterns, root))


def best_beta(
    patterns: torch.Tensor,
    values: torch.Tensor,
    mass: torch.Tensor,
    loss: Loss,
    *,
    beta: float | None = None,
    unit: float = 1.0,
    n_weights: int = 80_000,
    similarity: str,
    separation: Separation,
) -> Choice:
    """Choose the inverse temperature under which patterns are best recalled from all others.

    Of many patterns the first ones are recalled, as a sample; all are there to recall them from.

    Parameters
    ----------
    patterns : Tensor of shape (n_patterns, n_features)
        Distinct patterns, of which the first are as good a sample as any.
    values : Tensor of shape (n_patterns, n_values)
        What is recalled.
    mass : Tensor of shape (n_patterns,)
        How many times each counts.
    loss : callable
        ``loss(means, n_rows)`` takes recalled values of shape (n_betas, n_rows, n_values) of the
        first rows, and returns the loss and the smoothing of each beta.
    beta : float or None, default=None
        The one beta to judge, where it is given.
    unit : float, default=1.0
        What similarities are divided by before they are multiplied by beta.
    n_weights : int, default=80000
        See :func:`n_recalled`.
    similarity : {"euclidean", "dot", "cosine"}
        See :func:`skdyn.hopfield._retrieval.scores`.
    separation : Separation
        From scores to weights.

    Returns
    -------
    Choice
    """
    if len(patterns) < 2:
        return Choice(1.0 if beta is None else beta, 0.0, 0.0)
    n_rows = n_recalled(len(patterns), len(patterns), n_weights)
    itself = torch.arange(n_rows, device=patterns.device)
    weighs = None if (mass == 1).all() else mass
    memory = FrozenMemory(
        patterns, values, weighs, 1 / unit, similarity=similarity, separation=separation
    )

    def recall(betas, n_rows=n_rows):
        return memory.means_by_beta(patterns[:n_rows], betas, itself[:n_rows])

    if beta is None and n_rows * len(patterns) > _MANY_WEIGHTS and n_rows > _FEW:
        near = best_of_ladder(lambda betas: recall(betas, _FEW), loss).beta
        return best_of([near / 2, near, near * 2], recall, loss)
    return best_of_ladder(recall, loss, beta)
