"""Feature choice first, then mutual choice."""

from skdyn.autoencoder.allocations._mutual_then_feature import MutualThenFeatureAllocation

__all__ = ["FeatureThenMutualAllocation"]


class FeatureThenMutualAllocation(MutualThenFeatureAllocation):
    """Feature choice until every latent has found its meaning, then mutual choice [1]_.

    At first no latent may be idle, nor any take more than its share, so that all learn; but Zipf's
    law need not be the data's. In the end the codes go where they explain most.

    Parameters
    ----------
    switch : float, default=0.2
        Share of the training after which latents no longer choose.
    offset : float, default=5.0
        How flat Zipf's law is at its head.
    max_share : float, default=0.9
        Largest share of the rows.

    References
    ----------
    .. [1] Kola Ayonrinde, "Adaptive Sparse Allocation with Mutual Choice & Feature Choice Sparse
       Autoencoders", arXiv:2411.02124, 2024. The schedule is ours.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdyn import SparseAutoencoder
    >>> from skdyn.autoencoder.allocations import FeatureThenMutualAllocation
    >>> X, _ = load_digits(return_X_y=True)
    >>> allocation = FeatureThenMutualAllocation(switch=0.5)
    >>> model = SparseAutoencoder(64, k=8, allocation=allocation, max_iter=2)
    >>> model.fit_transform(X).shape
    (1797, 64)
    """

    def __init__(self, switch: float = 0.2, offset: float = 5.0, max_share: float = 0.9) -> None:
        super().__init__(switch, offset, max_share)

    def by_latent(self, progress: float) -> bool:
        """Say whether pre-activations are read latent by latent rather than row by row.

        Parameters
        ----------
        progress : float
            Share of the training that is done.

        Returns
        -------
        bool
        """
        return progress < self.switch
