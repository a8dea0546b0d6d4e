"""The k largest of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from skdyn.autoencoder._kernels import Codes, Support
from skdyn.autoencoder.allocations._allocation import Allocation
from skdyn.autoencoder.allocations._largest import largest_of_rows

if TYPE_CHECKING:
    from skdyn.autoencoder._network import SparseCoder

__all__ = ["TopKAllocation"]


class TopKAllocation(Allocation):
    """Every row takes its k largest latents [1]_, in training and after it.

    References
    ----------
    .. [1] Leo Gao et al., "Scaling and evaluating sparse autoencoders", arXiv:2406.04093, 2024.
    """

    has_thresholds = False

    def choose(self, pre: torch.Tensor, coder: SparseCoder, k: int, progress: float) -> Codes:
        """Choose the active latents of a training batch.

        Parameters
        ----------
        pre : Tensor of shape (n_rows, n_components)
            Pre-activations, without gradient.
        coder : SparseCoder
            The network.
        k : int
            Active latents per row.
        progress : float
            Not used.

        Returns
        -------
        Codes
            The pre-activations that are active.
        """
        values, columns = largest_of_rows(pre, k)
        return Codes(Support.of_columns(columns, pre.shape[1]), values.reshape(-1))

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
        return self.choose(pre, coder, coder.k, 1.0).support
