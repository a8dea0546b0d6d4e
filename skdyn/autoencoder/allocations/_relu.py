"""Whatever is positive, under an L1 penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from skdyn.autoencoder._kernels import Codes
from skdyn.autoencoder.allocations._allocation import Allocation, TrainingCodes
from skdyn.autoencoder.allocations._steering import (
    extend_by_strength,
    shift_to_k_active,
    steered_strength,
)

if TYPE_CHECKING:
    from skdyn.autoencoder._network import SparseCoder

__all__ = ["ReLUAllocation"]


class ReLUAllocation(Allocation):
    """Positive latents are active, and the sum of the codes is penalized [1]_, [2]_.

    The penalty is ``l1_coefficient`` times the mean of the rows' sums of codes, beside the mean of
    their squared errors; both are divided by the number of outputs. "auto" raises the coefficient
    while more than ``k`` latents per row are active, and lowers it while fewer are; training begins
    with biases at which ``k`` are active, and ends by shifting them alike until ``k`` are. Under a
    number ``k`` plays no part.

    References
    ----------
    .. [1] Trenton Bricken et al., "Towards Monosemanticity: Decomposing Language Models With
       Dictionary Learning", Transformer Circuits Thread, 2023.
    .. [2] Hoagy Cunningham et al., "Sparse Autoencoders Find Highly Interpretable Features in
       Language Models", ICLR 2024.
    """

    penalizes_size = True

    def extend(self, coder: SparseCoder) -> None:
        """Register with a new coder what this allocation learns beside its weights.

        Parameters
        ----------
        coder : SparseCoder
            The network, its weights made.
        """
        extend_by_strength(coder)

    def start(self, pre: torch.Tensor, coder: SparseCoder) -> None:
        """Begin where k latents per row are active.

        Parameters
        ----------
        pre : Tensor of shape (n_rows, n_components)
            Pre-activations of some rows.
        coder : SparseCoder
            The network.
        """
        shift_to_k_active(pre, coder)

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
        return Codes.of_mask(pre > 0, pre)

    def calibrate(self, pre: torch.Tensor, coder: SparseCoder, fresh: bool) -> None:
        """Move the biases alike, so that k latents per row are active.

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
        if fresh:
            shift_to_k_active(pre, coder)

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
            Strength of the penalty on the size of the codes; None steers it so that k are active.

        Returns
        -------
        Tensor or float
            A scalar.
        """
        strength = steered_strength(coder, coded.codes, k, coefficient)
        return strength * coded.codes.values.sum() / target.numel()
