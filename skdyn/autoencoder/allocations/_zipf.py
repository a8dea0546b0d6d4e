"""Shares of the rows by Zipf's law."""

from functools import lru_cache

import numpy as np
import torch

__all__ = ["least_share", "zipf_ends", "zipf_shares"]

_HALVINGS = 60


@lru_cache(maxsize=16)
def zipf_shares(
    n_components: int, k: float, offset: float = 5.0, largest: float = 0.9
) -> torch.Tensor:
    """Return the share of the rows that the latent of each rank is active in.

    It falls as 1 / (rank + offset), is ``largest`` at most, and sums to ``k``.

    Parameters
    ----------
    n_components : int
        Number of latents.
    k : float
        Active latents per row.
    offset : float, default=5.0
        How flat the law is at its head.
    largest : float, default=0.9
        Bound of a share; more where ``k`` cannot be reached otherwise.

    Returns
    -------
    Tensor of shape (n_components,)
        Shares, float64, falling.
    """
    largest = max(largest, k / n_components)
    law = 1.0 / (torch.arange(1, n_components + 1, dtype=torch.float64) + offset)
    low, high = 0.0, largest * (n_components + offset)  # at which all shares are the largest
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if (middle * law).clamp_max(largest).sum() < k:
            low = middle
        else:
            high = middle
    return (high * law).clamp_max(largest)


@lru_cache(maxsize=16)
def zipf_ends(n_components: int, k: float, offset: float = 5.0, largest: float = 0.9) -> np.ndarray:
    """Return the sums of the shares of all ranks up to each.

    Parameters
    ----------
    n_components, k, offset, largest : int or float
        As of :func:`zipf_shares`.

    Returns
    -------
    ndarray of shape (n_components,)
        On the host, so that no device is asked how many rows a latent takes.
    """
    return zipf_shares(n_components, k, offset, largest).cumsum(0).numpy()


@lru_cache(maxsize=16)
def least_share(n_components: int, k: float, offset: float = 5.0, largest: float = 0.9) -> float:
    """Return the share of the last rank.

    Parameters
    ----------
    n_components, k, offset, largest : int or float
        As of :func:`zipf_shares`.

    Returns
    -------
    float
    """
    return zipf_shares(n_components, k, offset, largest)[-1].item()
