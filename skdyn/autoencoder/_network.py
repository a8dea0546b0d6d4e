"""The network: an encoder whose codes are sparse, and a linear decoder."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch.nn.functional import normalize

from skdyn.autoencoder._kernels import Codes, Support, decode, encode_at
from skdyn.autoencoder.allocations import ALLOCATIONS
from skdyn.autoencoder.allocations._allocation import TrainingCodes

__all__ = ["SparseCoder"]

_MEMORY = 100  # steps that running averages look back
_MEMORY_ROWS = 2**8  # rows that running thresholds look back: as weights move, they must too
_OF_THRESHOLDS = ("threshold", "tracked", "latents_choose")
_NARROW = 64  # inputs of which a line is trained at the rate of all else
_ROUNDING = 1e-5  # from one: so close is a norm of one


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
        Active latents per row.
    allocation : str
        Name of the allocation.
    allocation_settings : tuple of (str, object), default=()
        Its parameters.
    autoencoding : bool, default=True
        Whether the outputs are the inputs: then the decoder's bias is what is taken from them, and
        the encoder starts as the transposed decoder. Else ``centre`` is, which is not learned.
    skip : bool, default=False
        Whether a linear function of the inputs, W_skip (s x - b), is added to what codes stand for.
    """

    input_scale: torch.Tensor
    output_scale: torch.Tensor
    centre: torch.Tensor
    steps: torch.Tensor
    threshold: torch.Tensor
    tracked: torch.Tensor
    density: torch.Tensor
    mean_code: torch.Tensor
    idle: torch.Tensor
    # What allocations register, each its own.
    demand: torch.Tensor
    latents_choose: torch.Tensor
    penalty_strength: torch.Tensor
    log_magnitude: torch.Tensor
    log_threshold: torch.Tensor
    magnitude_bias: torch.Tensor
    skip_weight: torch.Tensor | None

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        n_components: int,
        k: int,
        allocation: str,
        allocation_settings: tuple[tuple[str, object], ...] = (),
        autoencoding: bool = True,
        skip: bool = False,
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
        line = torch.nn.Parameter(torch.zeros(n_outputs, n_features)) if skip else None
        self.register_parameter("skip_weight", line)
        self.register_buffer("input_scale", torch.ones(n_features))
        self.register_buffer("output_scale", torch.ones(n_outputs))
        self.register_buffer("centre", torch.zeros(n_features))
        self.register_buffer("steps", torch.zeros(()))
        self.register_buffer("threshold", torch.zeros(n_components))
        self.register_buffer("tracked", torch.zeros(n_components))  # rows each was observed in
        self.register_buffer("density", torch.full((n_components,), k / n_components))
        self.register_buffer("mean_code", torch.zeros(n_components))  # zeros counted
        self.register_buffer("idle", torch.zeros(n_components))  # rows since it was active
        self.allocation.extend(self)
        self._numbers = {}

    def number(self, name: str) -> float:
        """Return a buffer of one number; the device is asked only if others wrote to it.

        Parameters
        ----------
        name : str
            The buffer's.

        Returns
        -------
        float
        """
        buffer, known = getattr(self, name), self._numbers.get(name)
        if known is None or known[0] is not buffer or known[1] != buffer._version:
            known = self._numbers[name] = buffer, buffer._version, buffer.item()
        return known[2]

    @torch.no_grad()
    def set_number(self, name: str, value: float) -> None:
        """Set a buffer of one number, and remember it on the host.

        Parameters
        ----------
        name : str
            The buffer's.
        value : float
            The number.
        """
        buffer = getattr(self, name).fill_(value)
        self._numbers[name] = buffer, buffer._version, value

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Say which parameters learn at a rate of their own: the line's slopes, of wide inputs.

        A step of all of them moves each output by all inputs at once, codes by a few of theirs.

        Returns
        -------
        list of dict
        """
        if self.skip_weight is None:
            return []
        rate = min(1.0, math.sqrt(_NARROW / self.skip_weight.shape[1]))
        return [{"params": [self.skip_weight], "rate": rate}]

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

    @property
    def origin(self) -> torch.Tensor:
        """Scaled outputs of no code beside inputs of zero, shape (n_outputs,)."""
        if self.skip_weight is None:
            return self.decoder_bias
        return self.decoder_bias - self.skip_weight @ self.shift

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
        centered = x * self.input_scale - self.shift
        dense = self._pre_activations(centered)
        support = self.allocation.select(dense, self)
        values = self.allocation.activate(support.gather(dense), support, self)
        return Codes(support, values * self.unit).where(values > 0)

    def _pre_activations(self, centered, by_latent=False):
        if by_latent:  # those of a latent are neighbors in memory
            return torch.addmm(self.encoder_bias[:, None], self.encoder_weight, centered.T).T
        return torch.addmm(self.encoder_bias, centered, self.encoder_weight.T)

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
        return self.decode(self.encode(x)) + self.beside(x)

    def beside(self, x: torch.Tensor) -> torch.Tensor | float:
        """Return what inputs add to the outputs without any code.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_features)
            Inputs.

        Returns
        -------
        Tensor of shape (n_rows, n_outputs) or 0.0
        """
        line = self.line(x * self.input_scale)
        return line if isinstance(line, float) else line / self.output_scale

    def line(self, x: torch.Tensor) -> torch.Tensor | float:
        """Return the linear function of scaled inputs that codes come beside.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_features)
            Scaled inputs.

        Returns
        -------
        Tensor of shape (n_rows, n_outputs) or 0.0
            In the network's units; zero where there is none.
        """
        return 0.0 if self.skip_weight is None else (x - self.shift) @ self.skip_weight.T

    def training_codes(self, x: torch.Tensor, k: int, progress: float) -> TrainingCodes:
        """Return the codes of a training batch, allocated as training does.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_features)
            Scaled inputs.
        k : int
            Active latents per row, on average.
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

    @torch.no_grad()
    def next_step(self) -> None:
        """Count a step of training; what was known before of the thresholds counts for less."""
        self.set_number("steps", self.number("steps") + 1.0)
        self.tracked.clamp_(max=_MEMORY_ROWS)

    @property
    def rate(self) -> torch.Tensor:
        """Weight of this step's batch in running averages."""
        return (1.0 / self.steps).clamp_min(1.0 / _MEMORY)

    @torch.no_grad()
    def track_threshold(
        self, smallest: torch.Tensor, n_rows: int, latents: torch.Tensor | slice = slice(None)
    ) -> None:
        """Take the smallest active pre-activations of a batch into the running thresholds.

        Parameters
        ----------
        smallest : Tensor of shape (n_latents,) or ()
            The values.
        n_rows : int
            Rows of the batch; the more, the more it counts.
        latents : Tensor of shape (n_latents,) or slice, default=slice(None)
            Whose they are.
        """
        self.tracked[latents] += n_rows
        rate = n_rows / self.tracked[latents]
        self.threshold[latents] += rate * (smallest - self.threshold[latents])

    def known_thresholds(self) -> dict[str, torch.Tensor]:
        """Return a copy of the running thresholds and of what they come from.

        Returns
        -------
        dict of str to Tensor
        """
        state = self.state_dict()
        return {name: state[name].clone() for name in _OF_THRESHOLDS if name in state}

    @torch.no_grad()
    def calibrate(
        self,
        batches: Iterable[torch.Tensor],
        known: dict[str, torch.Tensor] | None = None,
        fresh: bool = True,
    ) -> None:
        """Learn the thresholds from weights that rest.

        Parameters
        ----------
        batches : iterable of Tensor of shape (n_rows, n_features)
            Scaled inputs, in large batches.
        known : dict of str to Tensor or None, default=None
            What :meth:`known_thresholds` returned before; None learns them anew.
        fresh : bool, default=True
            Whether the training was the first of these weights, and aims at k.
        """
        if known is None:
            self.tracked.zero_()
        else:
            self.load_state_dict(self.state_dict() | known)
            self.tracked.clamp_(max=_MEMORY_ROWS)
        for x in batches:
            pre = self._pre_activations(x - self.shift, self.allocation.by_latent(1.0))
            self.allocation.calibrate(pre, self, fresh)

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
    def row_norms(self) -> torch.Tensor:
        """Return the norms of the decoder's rows: one, or what a dictionary from elsewhere has.

        Returns
        -------
        Tensor of shape (n_components,)
            Exactly one where they are one but for rounding, which would add up otherwise.
        """
        norms = torch.linalg.vector_norm(self.decoder_weight, dim=1)
        return torch.where((norms - 1.0).abs() < _ROUNDING, 1.0, norms)

    @torch.no_grad()
    def scale_rows(self, norms: torch.Tensor) -> None:
        """Give the decoder's rows their norms back.

        Parameters
        ----------
        norms : Tensor of shape (n_components,)
            The norms.
        """
        present = torch.linalg.vector_norm(self.decoder_weight, dim=1)
        self.decoder_weight.mul_((norms / present.clamp_min_(1e-12))[:, None])
