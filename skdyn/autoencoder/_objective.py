"""What training minimises: the error of the reconstruction, and what revives idle latents."""

import torch

from skdyn.autoencoder._kernels import decode
from skdyn.autoencoder._network import SparseCoder

__all__ = ["ReconstructionObjective"]


class ReconstructionObjective:
    """Mean squared error of the reconstruction of a batch, in units of the outputs' variance.

    Parameters
    ----------
    k : int
        Active latents a row, on average.
    n_steps : int
        Steps of the whole training.
    first_step : int, default=0
        Steps done in earlier calls.
    """

    def __init__(self, k: int, n_steps: int, first_step: int = 0) -> None:
        self.k = k
        self.n_steps = n_steps
        self.step = first_step

    def __call__(
        self, coder: SparseCoder, x: torch.Tensor, y: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        coder : SparseCoder
            The network.
        x : Tensor of shape (n_rows, n_features)
            Inputs.
        y : Tensor of shape (n_rows, n_outputs) or None, default=None
            Targets; None takes the inputs.

        Returns
        -------
        Tensor
        """
        x = x * coder.input_scale
        target = x if y is None else y * coder.output_scale
        coded = coder.training_codes(x, self.k, min(1.0, self.step / self.n_steps))
        self.step += 1
        error = decode(coded.codes, coder.decoder_weight) + coder.decoder_bias - target
        return error.square().mean()

    def before_step(self, coder: SparseCoder) -> None:
        """Let no gradient change the norms of the decoder's rows.

        Parameters
        ----------
        coder : SparseCoder
            The network.
        """
        coder.tangent_gradient()

    def after_step(self, coder: SparseCoder) -> None:
        """Keep the decoder's rows at norm one.

        Parameters
        ----------
        coder : SparseCoder
            The network.
        """
        coder.unit_rows()
