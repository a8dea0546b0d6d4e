"""Mutual choice first, then feature choice."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

import torch

from skdyn._validation import Interval
from skdyn.autoencoder._kernels import Codes
from skdyn.autoencoder.allocations._feature_choice import FeatureChoiceAllocation
from skdyn.autoencoder.allocations._mutual_choice import MutualChoiceAllocation

if TYPE_CHECKING:
    from skdyn.autoencoder._network import SparseCoder

__all__ = ["MutualThenFeatureAllocation"]


class MutualThenFeatureAllocation(FeatureChoiceAllocation):
    """Mutual choice until latents have found their ranks, then feature choice by these [1]_.

    Parameters
    ----------
    switch : float, default=0.5
        Share of the training after which latents choose.
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
    >>> from skdyn.autoencoder.allocations import MutualThenFeatureAllocation
    >>> X, _ = load_digits(return_X_y=True)
    >>> allocation = MutualThenFeatureAllocation(switch=0.3)
    >>> model = SparseAutoencoder(64, k=8, allocation=allocation, max_iter=2)
    >>> model.fit_transform(X).shape
    (1797, 64)
    """

    _parameter_constraints = {
        **FeatureChoiceAllocation._parameter_constraints,
        "switch": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, switch: float = 0.5, offset: float = 5.0, max_share: float = 0.9) -> None:
        self.switch = switch
        self.offset = offset
        self.max_share = max_share

    @property
    def settles_at(self) -> float:
        """Share of the training after which the rule stays the same."""
        return self.switch

    def extend(self, coder: SparseCoder) -> None:
        """Register with a new coder what this allocation learns beside its weights.

        Parameters
        ----------
        coder : SparseCoder
            The network, its weights made.
        """
        super().extend(coder)
        coder.register_buffer("latents_choose", torch.tensor(float(self.by_latent(0.0))))

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
        return progress >= self.switch

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
        if self._latents_choose(coder, progress):
            return super().choose(pre, coder, k, progress)
        self.track_demand(pre, coder, k)
        return self._choose_mutually(pre, coder, k)

    def calibrate(self, pre: torch.Tensor, coder: SparseCoder, fresh: bool) -> None:
        """Learn from a batch what inference compares with, now that the weights rest.

        Parameters
        ----------
        pre : Tensor of shape (n_rows, n_components)
            Pre-activations.
        coder : SparseCoder
            The network.
        fresh : bool
            Not used: thresholds are no parameters here.
        """
        if self._latents_choose(coder, 1.0):
            super().calibrate(pre, coder, fresh)
        else:
            self._calibrate_mutually(pre, coder)

    def _choose_mutually(self, pre, coder, k):
        return MutualChoiceAllocation().choose(pre, coder, k, 1.0)

    def _calibrate_mutually(self, pre, coder):
        self._choose_mutually(pre, coder, coder.k)

    def _latents_choose(self, coder, progress):
        latents_choose = self.by_latent(progress)
        if latents_choose != coder.number("latents_choose"):
            # One rule's thresholds are no start for another.
            coder.set_number("latents_choose", float(latents_choose))
            coder.tracked.zero_()
        return latents_choose
