"""What every allocation offers the coder."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from sklearn.base import BaseEstimator

from skdyn._state import PlainState
from skdyn.autoencoder._kernels import Codes, Support

if TYPE_CHECKING:
    from skdyn.autoencoder._network import SparseCoder

__all__ = ["Allocation", "TrainingCodes"]


class TrainingCodes(NamedTuple):
    """What the encoder made of a training batch.

    Attributes
    ----------
    codes : Codes
        Codes in the network's units, with gradients.
    pre : Tensor of shape (n_active,)
        Pre-activations at their support, with gradients.
    dense : Tensor of shape (n_rows, n_components)
        All pre-activations, without gradients.
    """

    codes: Codes
    pre: torch.Tensor
    dense: torch.Tensor


class Allocation(PlainState, BaseEstimator):
    """Base of the allocations: rules that decide which latents stand for which row.

    An allocation holds settings alone. What it learns lives in the coder, as parameters and
    buffers that :meth:`extend` registers there.
    """

    _parameter_constraints = {}
    settles_at = 0.0  # share of the training after which the rule stays the same
    penalizes_size = False  # whether l1_coefficient has a part in it
    has_thresholds = True  # which are learned once the weights rest
    trivial_penalty = 0.0  # what is added to the loss where no latent is active at all

    def extend(self, coder: SparseCoder) -> None:
        """Register with a new coder what this allocation learns beside its weights.

        Parameters
        ----------
        coder : SparseCoder
            The network, its weights made.
        """

    def aims_at_k(self, l1_coefficient: float | None) -> bool:
        """Say whether about k latents per row are promised without being counted out.

        Parameters
        ----------
        l1_coefficient : float or None
            Strength of the penalty that is given; None steers it.

        Returns
        -------
        bool
        """
        return self.penalizes_size and l1_coefficient is None

    def start(self, pre: torch.Tensor, coder: SparseCoder) -> None:
        """Set what is learned beside the weights to where the data say that it begins.

        Parameters
        ----------
        pre : Tensor of shape (n_rows, n_components)
            Pre-activations of some rows.
        coder : SparseCoder
            The network, its scales and center set.
        """

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
        return False

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
        raise NotImplementedError

    def calibrate(self, pre: torch.Tensor, coder: SparseCoder, fresh: bool) -> None:
        """Learn from a batch what inference compares with, now that the weights rest.

        Parameters
        ----------
        pre : Tensor of shape (n_rows, n_components)
            Pre-activations.
        coder : SparseCoder
            The network.
        fresh : bool
            Whether parameters may be set, so that k are active: the training was the first of these
            weights and aims at k. Else they stay as gradients left them.
        """
        self.choose(pre, coder, coder.k, 1.0)

    def select(self, pre: torch.Tensor, coder: SparseCoder) -> Support:
        """Choose the active latents of rows of which each must be answered by itself.

        Parameters
        ----------
        pre : Tensor of shape (n_rows, n_components)
            Pre-activations.
        coder : SparseCoder
            The trained network.

        Returns
        -------
        Support
        """
        return Support.of_mask(pre > coder.threshold.clamp_min(0.0))

    def activate(self, pre: torch.Tensor, support: Support, coder: SparseCoder) -> torch.Tensor:
        """Return the codes from the pre-activations at the support.

        Parameters
        ----------
        pre : Tensor of shape (n_active,)
            Pre-activations.
        support : Support
            Whose they are.
        coder : SparseCoder
            The network.

        Returns
        -------
        Tensor of shape (n_active,)
        """
        return torch.relu(pre)

    def penalty(
        self,
        coded: TrainingCodes,
        coder: SparseCoder,
        target: torch.Tensor,
        k: int,
        coefficient: float | None,
    ) -> torch.Tensor | float:
        """Return what is added to the loss of a batch.

        Parameters
        ----------
        coded : TrainingCodes
            Its codes.
        coder : SparseCoder
            The network.
        target : Tensor of shape (n_rows, n_outputs)
            What is to be reconstructed, in the network's units.
        k : int
            Active latents per row that are wished for.
        coefficient : float or None
            Strength of a penalty on the size of the codes; None steers it so that k are active.

        Returns
        -------
        Tensor or float
            A scalar.
        """
        return 0.0
