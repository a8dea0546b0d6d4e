"""The inverse temperature by leave-one-out: each pattern is recalled from all the others."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from skdyn.hopfield._retrieval import retrieve, score_chunks
from skdyn.hopfield._separations import EntmaxSeparation, Separation

__all__ = ["Choice", "best_beta", "left_out_means"]

_LADDER = [2.0**power for power in range(-2, 15)]  # from nearly the mean to nearly the nearest
_TINY = 1e-9  # its fourth power is the least that single precision holds well: below, it is slow


class Choice(NamedTuple):
    """What leaving one out prefers.

    Attributes
    ----------
    beta : float
        Inverse temperature.
    smoothing : float
        What the loss chose beside it.
    loss : float
        Leave-one-out loss with both.
    """

    beta: float
    smoothing: float
    loss: float


Loss = Callable[[torch.Tensor, int], tuple[torch.Tensor, torch.Tensor]]


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
        How many weights to compute for each beta: those of all rows of small data. Of large data,
        at least as many rows are recalled as the root of their number.
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
    n_rows = min(len(patterns), max(n_weights // len(patterns), round(len(patterns) ** 0.5)))
    how = {"similarity": similarity, "separation": separation, "mass": mass}

    betas = _LADDER if beta is None else [beta]
    means = left_out_means(patterns, values, n_rows, [beta / unit for beta in betas], **how)
    losses, smoothings = loss(means, n_rows)
    best = losses.argmin().item()
    return Choice(betas[best], smoothings[best].item(), losses[best].item())


@torch.no_grad()
def left_out_means(
    patterns: torch.Tensor,
    values: torch.Tensor,
    n_rows: int,
    betas: list[float],
    *,
    similarity: str,
    separation: Separation,
    mass: torch.Tensor,
) -> torch.Tensor:
    """Recall each of the first patterns from all the others, in closed form.

    Parameters
    ----------
    patterns, values, similarity, separation, mass : object
        See :func:`best_beta`.
    n_rows : int
        How many patterns to recall.
    betas : list of float
        Inverse temperatures, each twice the one before.

    Returns
    -------
    Tensor of shape (n_betas, n_rows, n_values)
    """
    how = {"similarity": similarity, "exclude": torch.arange(n_rows, device=patterns.device)}
    if separation != EntmaxSeparation(1.0):
        how |= {"separation": separation, "mass": mass}
        means = [retrieve(patterns[:n_rows], patterns, values, beta=b, **how) for b in betas]
        return torch.stack(means)
    sums = values.new_empty(len(betas), n_rows, values.shape[1] + 1)
    masses = torch.column_stack([values * mass[:, None], mass])
    for rows, weights in score_chunks(patterns[:n_rows], patterns, beta=betas[0], **how):
        weights.exp_()
        for i in range(len(betas)):
            if i % 2:
                torch.nn.functional.threshold_(weights, _TINY, 0.0)
            if i:  # the weights at twice beta are the squares
                weights.square_()
            torch.mm(weights, masses, out=sums[i, rows])
    return sums[..., :-1] / sums[..., -1:]
