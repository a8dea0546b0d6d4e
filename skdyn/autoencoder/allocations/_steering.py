"""A penalty whose strength follows from how many latents are to be active."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from skdyn.autoencoder._kernels import Codes

if TYPE_CHECKING:
    from skdyn.autoencoder._network import SparseCoder

__all__ = ["extend_by_strength", "steered_strength"]

_GAIN = 0.03  # of the logarithm a step, for each k that are too many; three times as much swings
_BOUNDS = 1e-3, 30.0  # it settles near four: further off the weights learn too slowly to follow


def extend_by_strength(coder: SparseCoder) -> None:
    """Register the strength of the penalty with a new coder.

    Parameters
    ----------
    coder : SparseCoder
        The network.
    """
    coder.register_buffer("penalty_strength", torch.ones(()))


@torch.no_grad()
def steered_strength(
    coder: SparseCoder, codes: Codes, k: int, coefficient: float | None
) -> torch.Tensor | float:
    """Return the strength of the penalty on a batch.

    Parameters
    ----------
    coder : SparseCoder
        The network, whose strength is raised where more than k latents a row are active and
        lowered where fewer are.
    codes : Codes
        Codes of the batch.
    k : int
        Active latents a row that are wished for.
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
