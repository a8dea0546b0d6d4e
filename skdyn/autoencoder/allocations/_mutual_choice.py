"""Rows and latents choose each other: the largest matches of all."""

from skdyn.autoencoder.allocations._batch_topk import BatchTopKAllocation

__all__ = ["MutualChoiceAllocation"]


class MutualChoiceAllocation(BatchTopKAllocation):
    """The k n best matches of rows and latents are made, wherever they are [1]_.

    Found independently as :class:`BatchTopKAllocation`, with the same choices; what [1]_ adds is
    an auxiliary loss that revives latents used less than Zipf's law would have it
    (``aux="zipf"``).

    References
    ----------
    .. [1] Kola Ayonrinde, "Adaptive Sparse Allocation with Mutual Choice & Feature Choice Sparse
       Autoencoders", arXiv:2411.02124, 2024.
    """
