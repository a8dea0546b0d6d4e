"""What every allocation offers the coder."""

import torch
from sklearn.base import BaseEstimator

from skdyn.autoencoder._kernels import Support

__all__ = ["Allocation"]


class Allocation(BaseEstimator):
    """Base of the allocations: rules that decide which latents stand for which row.

    An allocation holds settings alone. What it learns lives in the coder, as parameters and
    buffers that :meth:`extend` registers there.
    """

    _parameter_constraints = {}
    by_threshold = True  # whether inference compares with the coder's running thresholds
    penalized = False  # whether a penalty, not a budget, makes the codes sparse

    def extend(self, coder: torch.nn.Module) -> None:
        """Register with a new coder what this allocation learns beside its weights.

        Parameters
        ----------
        coder : SparseCoder
            The network, its weights made.
        """

    def choose(self, pre: torch.Tensor, coder: torch.nn.Module, k: int, progress: float) -> Support:
        """Choose the active latents of a training batch.

        Parameters
        ----------
        pre : Tensor of shape (n_rows, n_components)
            Pre-activations, without gradient.
        coder : SparseCoder
            The network, whose running statistics may be read and written.
        k : int
            Active latents a row, on average.
        progress : float
            Share of the training that is done.

        Returns
        -------
        Support
        """
        raise NotImplementedError

    def select(self, pre: torch.Tensor, coder: torch.nn.Module) -> Support:
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

    def activate(self, pre: torch.Tensor, support: Support, coder: torch.nn.Module) -> torch.Tensor:
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
        pre: torch.Tensor,
        values: torch.Tensor,
        support: Support,
        coder: torch.nn.Module,
        k: int,
    ) -> torch.Tensor:
        """Return what makes the codes sparse, of an allocation that is ``penalized``.

        Parameters
        ----------
        pre, values : Tensor of shape (n_active,)
            Pre-activations and codes at the support.
        support : Support
            Whose they are.
        coder : SparseCoder
            The network.
        k : int
            Active latents a row that are wished for.

        Returns
        -------
        Tensor
            A scalar, to be weighed by ``l1_coefficient``.
        """
        raise NotImplementedError
