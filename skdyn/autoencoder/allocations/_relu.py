"""Whatever is positive, under an L1 penalty."""

import torch

from skdyn.autoencoder._kernels import Codes
from skdyn.autoencoder.allocations._allocation import Allocation, TrainingCodes

__all__ = ["ReLUAllocation"]


class ReLUAllocation(Allocation):
    """Positive latents are active, and the sum of the codes is penalised [1]_, [2]_.

    The penalty is ``l1_coefficient`` times the mean of the rows' sums of codes, beside the mean of
    their squared errors; both are divided by the number of outputs. ``k`` plays no part.

    References
    ----------
    .. [1] Trenton Bricken et al., "Towards Monosemanticity: Decomposing Language Models With
       Dictionary Learning", Transformer Circuits Thread, 2023.
    .. [2] Hoagy Cunningham et al., "Sparse Autoencoders Find Highly Interpretable Features in
       Language Models", ICLR 2024.
    """

    def choose(self, pre: torch.Tensor, coder: torch.nn.Module, k: int, progress: float) -> Codes:
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
        Codes
            The pre-activations that are active.
        """
        return Codes.of_mask(pre > 0, pre)

    def penalty(
        self,
        coded: TrainingCodes,
        coder: torch.nn.Module,
        target: torch.Tensor,
        k: int,
        coefficient: float,
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
            Active latents a row that are wished for.
        coefficient : float
            Strength of a penalty on the size of the codes.

        Returns
        -------
        Tensor or float
            A scalar.
        """
        return coefficient * coded.codes.values.sum() / target.numel()
