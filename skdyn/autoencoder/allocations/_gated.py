"""Latents that are switched by one function of the row and sized by another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from skdyn.autoencoder._kernels import Codes, Support, decode
from skdyn.autoencoder.allocations._allocation import Allocation, TrainingCodes
from skdyn.autoencoder.allocations._steering import (
    extend_by_strength,
    shift_to_k_active,
    steered_strength,
)

if TYPE_CHECKING:
    from skdyn.autoencoder._network import SparseCoder

__all__ = ["GatedAllocation"]


class GatedAllocation(Allocation):
    """A gate decides whether a latent is active, another function how much [1]_.

    .. math:: z = 1[\\pi > 0] \\, \\mathrm{relu}(e^r (\\pi - b_{enc}) + b_{mag}), \\qquad
        \\pi = W_{enc} (x - b) + b_{enc}

    An L1 penalty on the gates, relu(pi), then leaves the sizes alone. The gates learn to detect
    from having to reconstruct the row, too, with a decoder that this does not move.

    References
    ----------
    .. [1] Senthooran Rajamanoharan et al., "Improving Dictionary Learning with Gated Sparse
       Autoencoders", arXiv:2404.16014, 2024.
    """

    penalizes_size = True
    trivial_penalty = 1.0  # the error of what the gates rebuild

    def extend(self, coder: SparseCoder) -> None:
        """Register with a new coder what this allocation learns beside its weights.

        Parameters
        ----------
        coder : SparseCoder
            The network, its weights made.
        """
        zeros = torch.zeros_like(coder.encoder_bias.detach())
        coder.register_parameter("log_magnitude", torch.nn.Parameter(zeros))
        coder.register_parameter("magnitude_bias", torch.nn.Parameter(zeros.clone()))
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
        """Move the gates' biases alike, so that k latents per row are active.

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
        at = support.index
        size = torch.exp(coder.log_magnitude)[at] * (pre - coder.encoder_bias[at])
        return torch.relu(size + coder.magnitude_bias[at])

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
        gates = torch.relu(coded.pre)
        rebuilt = decode(Codes(coded.codes.support, gates), coder.decoder_weight.detach())
        error = rebuilt + coder.decoder_bias.detach() - target
        strength = steered_strength(coder, coded.codes, k, coefficient)
        return strength * gates.sum() / target.numel() + error.square().mean()
