"""Allocations: who gives the k n active latents of a batch to whom.

With a budget of k latents a row on average, a batch of n rows has k n matches of rows and latents
to give. Allocations differ in who chooses: each row (topk), nobody (batch_topk, mutual_choice: the
largest matches of the batch), each latent (feature_choice), or a penalty and learnt thresholds.
"""

from skdyn.autoencoder.allocations._allocation import Allocation
from skdyn.autoencoder.allocations._topk import TopKAllocation

ALLOCATIONS: dict[str, type[Allocation]] = {
    "topk": TopKAllocation,
}

__all__ = ["ALLOCATIONS", "Allocation", "TopKAllocation", "as_allocation"]


def as_allocation(allocation: str | Allocation) -> Allocation:
    """Return the object that a parameter means.

    Parameters
    ----------
    allocation : str or Allocation
        A name, or an object with settings.

    Returns
    -------
    Allocation
    """
    return allocation if isinstance(allocation, Allocation) else ALLOCATIONS[allocation]()
