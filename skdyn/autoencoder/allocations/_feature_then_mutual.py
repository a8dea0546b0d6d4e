"""Feature choice first, then mutual choice."""

from numbers import Real
from typing import Annotated

from skdyn._state import Since
from skdyn._validation import Interval
from skdyn.autoencoder.allocations._floor import calibrate_with_floor, take_with_floor
from skdyn.autoencoder.allocations._mutual_then_feature import MutualThenFeatureAllocation
from skdyn.autoencoder.allocations._zipf import least_share

__all__ = ["FeatureThenMutualAllocation"]


class FeatureThenMutualAllocation(MutualThenFeatureAllocation):
    """Feature choice until every latent has found its meaning, then mutual choice [1]_.

    At first no latent may be idle, nor any take more than its share, so that all learn; but Zipf's
    law need not be the data's. In the end the codes go where they explain most, but for a few:
    a latent that wins none for long takes the row that it matches best, and has a threshold of its
    own, below the others'.

    Parameters
    ----------
    switch : float, default=0.2
        Share of the training after which latents no longer choose.
    offset : float, default=5.0
        How flat Zipf's law is at its head.
    max_share : float, default=0.9
        Largest share of the rows.
    floor : float, default=0.15
        Least share of the rows, as a part of what the law has for the rarest latent; 0 lets
        latents die. Where training data are so few that it comes to less than half a row, new
        rows may still find none.

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

    _parameter_constraints = {
        **MutualThenFeatureAllocation._parameter_constraints,
        "floor": [Interval(Real, 0, 1, closed="both")],
    }
    floor: Annotated[float, Since(lambda state: 0.0)]

    def __init__(
        self,
        switch: float = 0.2,
        offset: float = 5.0,
        max_share: float = 0.9,
        floor: float = 0.15,
    ) -> None:
        super().__init__(switch, offset, max_share)
        self.floor = floor

    def _least_share(self, coder, k):
        return self.floor * least_share(coder.n_components, k, self.offset, self.max_share)

    def _choose_mutually(self, pre, coder, k):
        share = self._least_share(coder, k)
        if share == 0:
            return super()._choose_mutually(pre, coder, k)
        return take_with_floor(pre, coder, k, share)

    def _calibrate_mutually(self, pre, coder):
        calibrate_with_floor(pre, coder, coder.k, self._least_share(coder, coder.k))

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
