"""The largest of the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from skdyn.autoencoder._kernels import Codes, Support, marked
from skdyn.autoencoder.allocations._allocation import Allocation
from skdyn.autoencoder.allocations._largest import largest

if TYPE_CHECKING:
    from skdyn.autoencoder._network import SparseCoder

__all__ = ["BatchTopKAllocation", "take_largest"]


class BatchTopKAllocation(Allocation):
    """The k n largest of a batch of n rows are active, however many of a row [1]_.

    Later, whatever is above a threshold is: the running average of what lies between the smallest
    that was active and the largest that was not.

    References
    ----------
    .. [1] Bart Bussmann, Patrick Leask, Neel Nanda, "BatchTopK Sparse Autoencoders",
       arXiv:2412.06410, 2024.
    """

    def choose(self, pre: torch.Tensor, coder: SparseCoder, k: int, progress: float) -> Codes:
        """Choose the active latents of a training batch.

        Parameters
        ----------
        pre : Tensor of shape (n_rows, n_components)
            Pre-activations, without gradient.
        coder : SparseCoder
            The network, whose running statistics may be read and written.
        k : int
            Active latents per row, on average.
        progress : float
            Share of the training that is done.

        Returns
        -------
        Codes
            The pre-activations that are active.
        """
        return take_largest(pre, coder, k * len(pre))


def take_largest(pre: torch.Tensor, coder: SparseCoder, budget: int) -> Codes:
    """Take the largest entries of all, and note the threshold above which they are.

    Parameters
    ----------
    pre : Tensor of shape (n_rows, n_components)
        Pre-activations, without gradient.
    coder : SparseCoder
        The network.
    budget : int
        How many.

    Returns
    -------
    Codes
    """
    chosen = largest(pre, budget + 1)  # one that is left, for a bound between
    values = pre.flatten().index_select(0, chosen)
    ends = values.topk(min(2, len(values)), largest=False)
    coder.track_threshold(ends.values.mean(), len(pre))
    if len(chosen) > budget:
        taken = torch.ones_like(chosen, dtype=torch.bool).index_fill_(0, ends.indices[:1], False)
        taken = marked(taken, len(chosen) - 1)
        chosen, values = chosen.index_select(0, taken), values.index_select(0, taken)
    return Codes(Support.of_sorted_entries(chosen, *pre.shape), values)
