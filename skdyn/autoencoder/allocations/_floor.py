"""Latents that win nothing for long get something, so that none is lost for good."""

import math
from typing import Any

import torch

from skdyn.autoencoder._kernels import Codes
from skdyn.autoencoder.allocations._batch_topk import take_largest
from skdyn.autoencoder.allocations._largest import largest
from skdyn.training._devices import counted, is_near

__all__ = ["calibrate_with_floor", "rouse", "take_with_floor"]

_BARELY = 1e-3  # of the unit of pre-activations, which is a feature's deviation


@torch.no_grad()
def rouse(coder: Any, latents: torch.Tensor, best: torch.Tensor) -> None:
    """Raise the biases of latents whose largest pre-activations are not positive.

    Without it they would be silent for good: a ReLU lets no gradient through below zero.

    Parameters
    ----------
    coder : SparseCoder
        The network.
    latents : Tensor of shape (n_latents,)
        Their numbers.
    best : Tensor of shape (n_latents,)
        The largest of each.
    """
    lift = (_BARELY - best).clamp_min(0.0).masked_fill(best > 0, 0.0)
    coder.encoder_bias.index_add_(0, latents, lift.to(coder.encoder_bias))


def take_with_floor(pre: torch.Tensor, coder: Any, k: int, share: float) -> Codes:
    """Take the largest of a batch, among them the best rows of latents that waited too long.

    A latent has waited when it was not active in ``1 / share`` rows.

    Parameters
    ----------
    pre : Tensor of shape (n_rows, n_components)
        Pre-activations.
    coder : SparseCoder
        The network.
    k : int
        Active latents per row, on average.
    share : float
        Share of the rows that each latent is to be active in.

    Returns
    -------
    Codes
    """
    n_rows, n_components = pre.shape
    in_turn = math.ceil(share * n_rows * n_components)  # no more at a time, the longest first
    waited, latents = coder.idle.topk(min(in_turn, n_components, k * n_rows // 2))
    turns = waited >= 1.0 / share
    if is_near(pre):  # elsewhere all are looked at, but those whose turn it is not stay as they are
        latents, turns = latents[turns], turns[turns]
    if not len(latents):
        return take_largest(pre, coder, k * n_rows)
    best, rows = pre[:, latents].max(dim=0)
    rouse(coder, latents, best.where(turns, torch.inf))
    pre[rows, latents] = best.masked_fill(turns, torch.inf)  # and back: a copy would take longer
    support = take_largest(pre, coder, k * n_rows).support
    pre[rows, latents] = best.where(~turns, best.clamp_min(_BARELY))
    return Codes(support, support.gather(pre))


def calibrate_with_floor(pre: torch.Tensor, coder: Any, k: int, share: float) -> None:
    """Learn thresholds: one for all, but for latents that it would leave below their share.

    Parameters
    ----------
    pre : Tensor of shape (n_rows, n_components)
        Pre-activations of many rows.
    coder : SparseCoder
        The network.
    k : int
        Active latents per row, on average.
    share : float
        Share of the rows that each latent is to be active in; so few rows that it comes to less
        than half of one tell nothing of it.
    """
    n_rows, n_components = pre.shape
    chosen = largest(pre, k * n_rows + 1)  # one that is left, for a bound between
    values, latents = pre.flatten().index_select(0, chosen), chosen % n_components
    quota = min(round(share * n_rows), k * n_rows // (2 * n_components))  # half of all, at most
    rare = counted(latents, n_components) < 2 * quota  # and some that may become
    own = torch.full_like(coder.threshold, torch.inf, dtype=pre.dtype)
    if rare.any():
        own[rare] = pre[:, rare].topk(quota + 1, dim=0).values[-2:].mean(dim=0).clamp_min(0.0)
    others = values[values <= own[latents]]
    n_left = len(others) + quota * int(rare.sum()) - k * n_rows  # what those take, others leave
    bound = others.topk(min(n_left + 1, len(others)), largest=False).values[-2:].mean()
    coder.track_threshold(torch.minimum(own, bound).to(coder.threshold), n_rows)
