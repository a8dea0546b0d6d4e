"""A penalty whose strength follows from how many latents are to be active."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from skdyn.autoencoder._kernels import Codes
from skdyn.autoencoder.allocations._largest import largest

if TYPE_CHECKING:
    from skdyn.autoencoder._network import SparseCoder

__all__ = ["extend_by_strength", "shift_to_k_active", "steered_strength"]

_GAIN = 0.03  # of the logarithm a step, for each k that are too many; three times as much swings
_ASIDE = 1e-4  # of a value, further than rounding in float32
_BOUNDS = 1e-3, 30.0  # it settles near four: further off the weights learn too slowly to follow


def extend_by_strength(coder: SparseCoder) -> None:
    """Register the strength of the penalty with a new coder.

    Parameters
    ----------
    coder : SparseCoder
        The network.
    """
    coder.register_buffer("penalty_strength", torch.ones(()))


def shift_to_k_active(pre: torch.Tensor, coder: SparseCoder) -> None:
    """Shift the encoder's bias until k latents per row are active.

    Training begins there, so that no penalty has to bring weights to it that learn slowly; and what
    it misses at its end is little.

    Parameters
    ----------
    pre : Tensor of shape (n_rows, n_components)
        Pre-activations of a batch; the shift is the mean over those that came.
    coder : SparseCoder
        The network, whose ``tracked`` counts rows.
    """
    smallest = pre.flatten()[largest(pre, coder.k * len(pre) + 1)]
    ends = smallest.topk(min(2, len(smallest)), largest=False).values
    middle = ends.mean()
    if ends.min() == ends.max():  # of rows that are alike: rounding would decide about all of them
        middle = middle + _ASIDE * middle.abs()
    coder.tracked += len(pre)
    coder.encoder_bias.sub_(middle * len(pre) / coder.tracked)


@torch.no_grad()
def steered_strength(
    coder: SparseCoder, codes: Codes, k: int, coefficient: float | None
) -> torch.Tensor | float:
    """Return the strength of the penalty on a batch.

    Parameters
    ----------
    coder : SparseCoder
        The network, whose strength is raised where more than k latents per row are active and
        lowered where fewer are.
    codes : Codes
        Codes of the batch.
    k : int
        Active latents per row that are wished for.
    coefficient : float or None
        A strength that is given, which ``k`` does not change; None steers it.

    Returns
    -------
    Tensor or float
    """
    if coefficient is not None:
        return coefficient
    n_active = (codes.values > 0).sum() / codes.support.n_rows
    excess = (n_active / k - 1.0).clamp(-1.0, 1.0)
    return coder.penalty_strength.mul_(torch.exp(_GAIN * excess)).clamp_(*_BOUNDS)
