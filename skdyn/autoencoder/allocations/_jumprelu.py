"""Latents that pass a threshold of their own, which is learned."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any

import torch

from skdyn._validation import Interval
from skdyn.autoencoder._kernels import Codes, Support
from skdyn.autoencoder.allocations._allocation import Allocation, TrainingCodes
from skdyn.autoencoder.allocations._largest import largest

if TYPE_CHECKING:
    from skdyn.autoencoder._network import SparseCoder

__all__ = ["JumpReLUAllocation"]

_ASIDE = 1e-4  # of a threshold, further than rounding in float32
_SMALLEST = 1e-3  # threshold at the start, where pre-activations are nothing
_LEAST = 0.1  # of a threshold, where fewer than k can be active at all


class JumpReLUAllocation(Allocation):
    """A latent is active where it passes its own threshold, which gradients learn [1]_.

    A step has no gradient; in its place stands that of a ramp of width ``bandwidth``. The penalty
    is on the number of active latents, ``strength`` times (their mean a row / k - 1) squared, so
    that about ``k`` remain.

    Parameters
    ----------
    bandwidth : float, default=4.0
        Width of the ramp, in units of the inputs' standard deviation. Where codes are much larger,
        few rows tell a threshold where to go, and latents die.
    strength : float, default=1.0
        Strength of the penalty.

    References
    ----------
    .. [1] Senthooran Rajamanoharan et al., "Jumping Ahead: Improving Reconstruction Fidelity with
       JumpReLU Sparse Autoencoders", arXiv:2407.14435, 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdyn import SparseAutoencoder
    >>> from skdyn.autoencoder.allocations import JumpReLUAllocation
    >>> X, _ = load_digits(return_X_y=True)
    >>> allocation = JumpReLUAllocation(bandwidth=2.0)
    >>> model = SparseAutoencoder(64, k=8, allocation=allocation, max_iter=2)
    >>> model.fit_transform(X).shape
    (1797, 64)
    """

    _parameter_constraints = {
        "bandwidth": [Interval(Real, 0, None, closed="neither")],
        "strength": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, bandwidth: float = 4.0, strength: float = 1.0) -> None:
        self.bandwidth = bandwidth
        self.strength = strength

    @property
    def trivial_penalty(self) -> float:
        """What is added to the loss where no latent is active at all."""
        return self.strength

    def extend(self, coder: SparseCoder) -> None:
        """Register with a new coder what this allocation learns beside its weights.

        Parameters
        ----------
        coder : SparseCoder
            The network, its weights made.
        """
        start = torch.full_like(coder.encoder_bias.detach(), math.log(self.bandwidth / 2))
        coder.register_parameter("log_threshold", torch.nn.Parameter(start))

    def aims_at_k(self, l1_coefficient: float | None) -> bool:
        """Say whether about k latents per row are promised without being counted out.

        Parameters
        ----------
        l1_coefficient : float or None
            Not used.

        Returns
        -------
        bool
        """
        return self.strength > 0

    def start(self, pre: torch.Tensor, coder: SparseCoder) -> None:
        """Begin where k latents per row are active.

        Parameters
        ----------
        pre : Tensor of shape (n_rows, n_components)
            Pre-activations of some rows.
        coder : SparseCoder
            The network.
        """
        smallest = pre.flatten()[largest(pre, coder.k * len(pre))].min()
        coder.log_threshold.fill_(smallest.clamp_min(_SMALLEST).log())

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
        # What is less than half a ramp below a threshold is inactive but has a say in it.
        return Codes.of_mask(pre > coder.log_threshold.exp() - self.bandwidth / 2, pre)

    def calibrate(self, pre: torch.Tensor, coder: SparseCoder, fresh: bool) -> None:
        """Scale all thresholds alike so that k latents per row are active.

        Gradients find what each is beside the others, and come near k where they have time.

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
        if not fresh:
            return
        ratios = pre / coder.log_threshold.exp()
        smallest = ratios.flatten()[largest(ratios, coder.k * len(pre) + 1)]
        ends = smallest.topk(min(2, len(smallest)), largest=False).values
        # Of rows that are alike none lies between: rounding would decide about all of them.
        aside = torch.where(ends.min() == ends.max(), 1.0 - _ASIDE, 1.0)
        middle = ends.mean() * aside
        coder.tracked += len(pre)  # the mean over batches
        coder.log_threshold += middle.clamp_min(_LEAST).log() * len(pre) / coder.tracked

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
        return Support.of_mask(pre > coder.log_threshold.exp())

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
        threshold = coder.log_threshold.exp()[support.index]
        return pre * _Step.apply(pre, threshold, self.bandwidth)

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
        support = coded.codes.support
        threshold = coder.log_threshold.exp()[support.index]
        n_active = _Step.apply(coded.pre.detach(), threshold, self.bandwidth).sum()
        return self.strength * (n_active / (k * len(target)) - 1.0).square()


class _Step(torch.autograd.Function):
    """Heaviside's step, which passes the gradient of a ramp on to the threshold alone."""

    @staticmethod
    def forward(ctx, pre, threshold, bandwidth):
        ctx.save_for_backward((pre - threshold).abs() < bandwidth / 2)
        ctx.bandwidth = bandwidth
        return (pre > threshold).to(pre)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        (gradient,) = grad_outputs
        (near,) = ctx.saved_tensors
        return None, -gradient * near / ctx.bandwidth, None
