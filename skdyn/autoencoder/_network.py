"""The network: an encoder whose codes are sparse, and a linear decoder."""

from collections.abc import Iterable

import torch
from torch.nn.functional import normalize

from skdyn.autoencoder._kernels import Codes, Support, decode, encode_at
from skdyn.autoencoder.allocations import ALLOCATIONS
from skdyn.autoencoder.allocations._allocation import TrainingCodes

__all__ = ["SparseCoder"]

_MEMORY = 100  # steps that running averages look back


class SparseCoder(torch.nn.Module):
    """Sparse codes z = act(W_enc (s x - b) + b_enc) and what they stand for, (z W_dec + b_dec) / t.

    Inside, inputs and outputs have unit variance a feature, on average: s and t scale them. Codes
    come out in units of the outputs, so that they multiply decoder rows of norm one.

    Parameters
    ----------
    n_features : int
        Width of the inputs.
    n_outputs : int
        Width of what is to be reconstructed.
    n_components : int
        Number of latents.
    k : int
        Active latents a row.
    allocation : str
        Name of the allocation.
    allocation_settings : tuple of (str, object), default=()
        Its parameters.
    autoencoding : bool, default=True
        Whether the outputs are the inputs: then the decoder's bias is what is taken from them, and
        the encoder starts as the transposed decoder. Else ``centre`` is, which is not learnt.
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        n_components: int,
        k: int,
        allocation: str,
        allocation_settings: tuple[tuple[str, object], ...] = (),
        autoencoding: bool = True,
    ) -> None:
        super().__init__()
        self.k = k
        self.autoencoding = autoencoding
        self.allocation = ALLOCATIONS[allocation](**dict(allocation_settings))
        decoder = normalize(torch.randn(n_components, n_outputs), dim=1)
        encoder = decoder if autoencoding else torch.randn(n_components, n_features)
        self.encoder_weight = torch.nn.Parameter(normalize(encoder, dim=1).clone())
        self.encoder_bias = torch.nn.Parameter(torch.zeros(n_components))
        self.decoder_weight = torch.nn.Parameter(decoder)
        self.decoder_bias = torch.nn.Parameter(torch.zeros(n_outputs))
        self.register_buffer("input_scale", torch.ones(n_features))
        self.register_buffer("output_scale", torch.ones(n_outputs))
        self.register_buffer("centre", torch.zeros(n_features))
        self.register_buffer("steps", torch.zeros(()))
        self.register_buffer("threshold", torch.zeros(n_components))
        self.register_buffer("tracked", torch.zeros(n_components))  # times each was observed
        self.register_buffer("density", torch.full((n_components,), k / n_components))
        self.register_buffer("mean_code", torch.zeros(n_components))  # zeros counted
        self.register_buffer("idle", torch.zeros(n_components))  # rows since it was active
        self.allocation.extend(self)

    @property
    def n_components(self) -> int:
        """Number of latents."""
        return len(self.encoder_bias)

    @property
    def shift(self) -> torch.Tensor:
        """What is taken from the scaled inputs, shape (n_features,)."""
        return self.decoder_bias if self.autoencoding else self.centre

    @property
    def unit(self) -> torch.Tensor:
        """Size of a code of one in units of the outputs."""
        return 1.0 / self.output_scale.mean()

    def encode(self, x: torch.Tensor) -> Codes:
        """Return the codes of inputs, each row's by itself.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_features)
            Inputs.

        Returns
        -------
        Codes
        """
        centred = x * self.input_scale - self.shift
        dense = self._pre_activations(centred)
        support = self.allocation.select(dense, self)
        values = self.allocation.activate(support.gather(dense), support, self)
        return Codes(support, values * self.unit).where(values > 0)

    def _pre_activations(self, centred, by_latent=False):
        if by_latent:  # those of a latent are neighbours in memory
            return torch.addmm(self.encoder_bias[:, None], self.encoder_weight, centred.T).T
        return torch.addmm(self.encoder_bias, centred, self.encoder_weight.T)

    def decode(self, codes: Codes) -> torch.Tensor:
        """Return what codes stand for.

        Parameters
        ----------
        codes : Codes
            Codes.

        Returns
        -------
        Tensor of shape (n_rows, n_outputs)
        """
        summed = decode(Codes(codes.support, codes.values / self.unit), self.decoder_weight)
        return (summed + self.decoder_bias) / self.output_scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the reconstruction.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_features)
            Inputs.

        Returns
        -------
        Tensor of shape (n_rows, n_outputs)
        """
        return self.decode(self.encode(x))

    def training_codes(self, x: torch.Tensor, k: int, progress: float) -> TrainingCodes:
        """Return the codes of a training batch, allocated as training does.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_features)
            Scaled inputs.
        k : int
            Active latents a row, on average.
        progress : float
            Share of the training that is done.

        Returns
        -------
        TrainingCodes
        """
        with torch.no_grad():
            dense = self._pre_activations(x - self.shift, self.allocation.by_latent(progress))
            support, values = self.allocation.choose(dense, self, k, progress)
        pre = self.encode_at(x, support, values)
        return TrainingCodes(
            Codes(support, self.allocation.activate(pre, support, self)), pre, dense
        )

    def encode_at(
        self, x: torch.Tensor, support: Support, values: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the pre-activations of scaled inputs at a support, with gradients.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_features)
            Scaled inputs.
        support : Support
            Where.
        values : Tensor of shape (n_active,) or None, default=None
            The answer, where it is known already.

        Returns
        -------
        Tensor of shape (n_active,)
        """
        weight, bias = self.encoder_weight, self.encoder_bias
        return encode_at(x, weight, bias, support, shift=self.shift, values=values)

    @property
    def rate(self) -> torch.Tensor:
        """Weight of this step's batch in running averages."""
        return (1.0 / self.steps).clamp_min(1.0 / _MEMORY)

    @torch.no_grad()
    def track_threshold(
        self, smallest: torch.Tensor, latents: torch.Tensor | slice = slice(None)
    ) -> None:
        """Take the smallest active pre-activations of a batch into the running thresholds.

        Parameters
        ----------
        smallest : Tensor of shape (n_latents,) or ()
            The values.
        latents : Tensor of shape (n_latents,) or slice, default=slice(None)
            Whose they are.
        """
        self.tracked[latents] += 1.0
        rate = (1.0 / self.tracked[latents]).clamp_min(1.0 / _MEMORY)
        self.threshold[latents] += rate * (smallest - self.threshold[latents])

    @torch.no_grad()
    def calibrate(self, batches: Iterable[torch.Tensor]) -> None:
        """Learn the thresholds anew, now that the weights rest.

        Parameters
        ----------
        batches : iterable of Tensor of shape (n_rows, n_features)
            Inputs, in large batches.
        """
        self.tracked.zero_()
        for x in batches:
            self.training_codes(x * self.input_scale, self.k, progress=1.0)

    @torch.no_grad()
    def track_use(self, codes: Codes) -> None:
        """Take the codes of a batch into the running densities and means.

        Parameters
        ----------
        codes : Codes
            Codes of the batch.
        """
        support, values = codes
        counts = torch.zeros_like(self.density)
        counts.index_add_(0, support.index, (values > 0).to(counts))
        known = self.density.nan_to_num_()  # NaN in a dictionary that was loaded without it
        known.lerp_(counts / support.n_rows, self.rate)
        sums = torch.zeros_like(known).index_add_(0, support.index, values.detach()) * self.unit
        self.mean_code.lerp_(sums / support.n_rows, self.rate)
        self.idle.add_(support.n_rows).masked_fill_(counts > 0, 0.0)

    @torch.no_grad()
    def unit_rows(self) -> None:
        """Give each decoder row norm one."""
        norms = torch.linalg.vector_norm(self.decoder_weight, dim=1, keepdim=True)
        self.decoder_weight.div_(norms.clamp_min_(1e-12))
