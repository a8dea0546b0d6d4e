"""The largest of the batch."""

import torch

from skdyn.autoencoder._kernels import Codes, Support
from skdyn.autoencoder.allocations._allocation import Allocation

__all__ = ["BatchTopKAllocation", "largest"]

_PROBED = 2**15  # entries from whose quantile the bound of the largest is guessed


class BatchTopKAllocation(Allocation):
    """The k n largest of a batch of n rows are active, however many of a row [1]_.

    Later, whatever is above a threshold is: the running average of the smallest that was active.

    References
    ----------
    .. [1] Bart Bussmann, Patrick Leask, Neel Nanda, "BatchTopK Sparse Autoencoders",
       arXiv:2412.06410, 2024.
    """

    def choose(self, pre: torch.Tensor, coder: torch.nn.Module, k: int, progress: float) -> Codes:
        """Choose the active latents of a training batch.

        Parameters
        ----------
        pre : Tensor of shape (n_rows, n_components)
            Pre-activations, without gradient.
        coder : SparseCoder
            The network, whose running statistics may be read and written.
        k : int
            Active latents a row, on average.
        progress : float
            Share of the training that is done.

        Returns
        -------
        Codes
            The pre-activations that are active.
        """
        chosen = largest(pre, k * len(pre))
        values = pre.flatten().index_select(0, chosen)
        coder.track_threshold(values.min())
        return Codes(Support.of_sorted_entries(chosen, *pre.shape), values)


def largest(pre: torch.Tensor, budget: int) -> torch.Tensor:
    """Return the entries with the largest values, exactly ``budget`` of them.

    A quantile of a sample bounds them from below, so that only a few are compared exactly.

    Parameters
    ----------
    pre : Tensor of shape (n_rows, n_components)
        Values.
    budget : int
        How many.

    Returns
    -------
    Tensor of shape (budget,)
        Their numbers in the flattened matrix, in order.
    """
    flat = pre.flatten()
    budget = min(budget, len(flat))
    # A stride that is odd and no power of two meets all columns alike.
    probe = flat[:: max(1, len(flat) // _PROBED) | 1]
    expected = len(probe) * budget / len(flat)
    for slack in (4.0, 32.0):  # standard deviations of the count in the probe
        rank = int(expected + slack * (expected**0.5 + 1))
        if rank >= len(probe):
            break
        bound = probe.topk(rank, sorted=False).values.min()
        candidates = (flat > bound).nonzero().squeeze(1)
        if len(candidates) >= budget:
            keep = torch.zeros(len(candidates), dtype=torch.bool, device=flat.device)
            keep[flat[candidates].topk(budget, sorted=False).indices] = True
            return candidates[keep]
    return flat.topk(budget, sorted=False).indices.sort().values
