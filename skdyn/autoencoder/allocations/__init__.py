"""Allocations: who gives the k n active latents of a batch to whom.

With a budget of k latents per row on average, a batch of n rows has k n matches of rows and latents
to give. Allocations differ in who chooses: each row (topk), nobody (batch_topk, mutual_choice: the
largest matches of the batch), each latent (feature_choice), or a penalty (relu, gated, jumprelu).
"""

from skdyn.autoencoder.allocations._allocation import Allocation
from skdyn.autoencoder.allocations._batch_topk import BatchTopKAllocation
from skdyn.autoencoder.allocations._feature_choice import FeatureChoiceAllocation
from skdyn.autoencoder.allocations._feature_then_mutual import FeatureThenMutualAllocation
from skdyn.autoencoder.allocations._gated import GatedAllocation
from skdyn.autoencoder.allocations._jumprelu import JumpReLUAllocation
from skdyn.autoencoder.allocations._mutual_choice import MutualChoiceAllocation
from skdyn.autoencoder.allocations._mutual_then_feature import MutualThenFeatureAllocation
from skdyn.autoencoder.allocations._relu import ReLUAllocation
from skdyn.autoencoder.allocations._topk import TopKAllocation

ALLOCATIONS: dict[str, type[Allocation]] = {
    "relu": ReLUAllocation,
    "topk": TopKAllocation,
    "batch_topk": BatchTopKAllocation,
    "gated": GatedAllocation,
    "jumprelu": JumpReLUAllocation,
    "feature_choice": FeatureChoiceAllocation,
    "mutual_choice": MutualChoiceAllocation,
    "mutual_then_feature": MutualThenFeatureAllocation,
    "feature_then_mutual": FeatureThenMutualAllocation,
}

# Names stand for the others: they have no settings.
__all__ = [
    "FeatureChoiceAllocation",
    "FeatureThenMutualAllocation",
    "JumpReLUAllocation",
    "MutualThenFeatureAllocation",
]


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
