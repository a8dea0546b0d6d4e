"""What training minimizes: the error of the reconstruction, and what revives idle latents."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.functional import mse_loss

from skdyn.autoencoder._kernels import Codes, decode
from skdyn.autoencoder._network import SparseCoder
from skdyn.autoencoder._plan import Plan
from skdyn.autoencoder._revival import revival_loss, underused
from skdyn.autoencoder._start import Shortened

__all__ = ["ObjectiveSettings", "ReconstructionObjective", "Step"]

_GENEROUS = 4  # times k, where the warm-up of a budget begins


class ObjectiveSettings(NamedTuple):
    """How training weighs what it wants; the fields are the estimators' parameters."""

    k: int
    l1_coefficient: float | None = None  # steered by k
    aux: str | None = None
    aux_coefficient: float = 1 / 32
    dead_after: int = 10_000
    prefixes: tuple[int, ...] = ()
    sparsity_warmup: float = 0.0


class Step(NamedTuple):
    """What a batch came to.

    Attributes
    ----------
    loss : Tensor
        Its loss, a scalar.
    rebuilt : Tensor of shape (n_rows, n_outputs)
        Its reconstruction in the network's units, with gradients.
    """

    loss: torch.Tensor
    rebuilt: torch.Tensor


class ReconstructionObjective:
    """Mean squared error of the reconstruction of a batch, in units of the outputs' variance.

    Parameters
    ----------
    settings : ObjectiveSettings
        What counts how much.
    plan : Plan
        How far the training is.
    """

    reconstruction_weight = 1.0  # beside penalties, and what a sibling adds

    def __init__(self, settings: ObjectiveSettings, plan: Plan) -> None:
        self.settings = settings
        self.plan = plan
        self._norms: Any = None  # of the decoder's rows, which training keeps
        self._shorten: Any = ()  # of the inputs; also of targets that are others
        # No code at all leaves the mean, whose error is one; what is revived adds its share.
        self.trivial_loss = 1.0 + (settings.aux_coefficient if settings.aux else 0.0)

    def begin(self, coder: SparseCoder, X: np.ndarray, Y: np.ndarray | None = None) -> None:
        """Learn from data how far rows may lie, before the first step.

        Parameters
        ----------
        coder : SparseCoder
            The network, its scales and center set.
        X : ndarray of shape (n_samples, n_features)
            Inputs.
        Y : ndarray of shape (n_samples, n_outputs) or None, default=None
            Targets, if not the inputs.
        """
        self._shorten = (Shortened(X, coder.input_scale, coder.shift, "X"),)
        if Y is not None:
            self._shorten += (Shortened(Y, coder.output_scale, coder.decoder_bias, "y"),)

    def state(self) -> dict[str, Any]:
        """Return what it has learned from the data and how far it is.

        Returns
        -------
        dict
        """
        shorten = [part.state() for part in self._shorten]
        return {"plan": self.plan.state(), "norms": self._norms, "shorten": shorten}

    def take_state(self, state: dict[str, Any]) -> None:
        """Go on from such a state.

        Parameters
        ----------
        state : dict
            The state.
        """
        self.plan.take_state(state["plan"])
        self._norms = state["norms"]
        for part, known in zip(self._shorten, state["shorten"], strict=True):
            part.take_state(known)

    def _within_reach(self, x, y):
        """Shorten the rows that lie too far, inputs and targets by the same."""
        if not self._shorten:
            return x, y
        if y is None:
            return self._shorten[0](x), None
        of_x, of_y = self._shorten
        share = torch.minimum(of_x.share(x), of_y.share(y))
        return of_x(x, share), of_y(y, share)

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
        return self.step(coder, x, y).loss

    def step(self, coder: SparseCoder, x: torch.Tensor, y: torch.Tensor | None = None) -> Step:
        """Take a step of the plan: code a batch and tell how well it is restored.

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
        Step
        """
        settings = self.settings
        if self._norms is None:
            self._norms = coder.row_norms()
        x, y = self._within_reach(
            x * coder.input_scale, None if y is None else y * coder.output_scale
        )
        target = (x if y is None else y) - coder.line(x)
        progress = self.plan.progress
        k, coefficient = self.sparsity(progress, coder.n_components)
        self.plan.take(len(x))
        coder.next_step()
        coded = coder.training_codes(x, k, progress)
        coder.track_use(coded.codes)
        rebuilt = self.rebuilt(coder, coded.codes)
        loss: Any = sum(mse_loss(part, target) for part in rebuilt) / len(rebuilt)
        loss = self.reconstruction_weight * loss
        loss = loss + coder.allocation.penalty(coded, coder, target.detach(), k, coefficient)
        if settings.aux is not None:
            latents = underused(coder, settings.aux, settings.dead_after)
            revival = revival_loss(coder, x, coded.dense, rebuilt[-1] - target, latents)
            loss = loss + settings.aux_coefficient * revival
        return Step(loss, rebuilt[-1])

    def sparsity(self, progress: float, n_components: int) -> tuple[int, float | None]:
        """Return the budget a row and the strength of a penalty, which a warm-up tightens.

        Parameters
        ----------
        progress : float
            Share of the training that is done.
        n_components : int
            Number of latents, the largest budget.

        Returns
        -------
        k : int
        l1_coefficient : float or None
            None where the budget steers it.
        """
        k, coefficient, warmup = (
            self.settings.k, self.settings.l1_coefficient, self.settings.sparsity_warmup,
        )  # fmt: skip
        if progress >= warmup:
            return k, coefficient
        tightness = progress / warmup
        generous = min(_GENEROUS * k, n_components)
        budget = round(generous + (k - generous) * tightness)
        return budget, None if coefficient is None else coefficient * tightness

    def rebuilt(self, coder: SparseCoder, codes: Codes) -> list[torch.Tensor]:
        """Return the reconstructions from growing numbers of latents, the whole one last.

        Parameters
        ----------
        coder : SparseCoder
            The network.
        codes : Codes
            Codes of the batch.

        Returns
        -------
        list of Tensor of shape (n_rows, n_outputs)
        """
        weight, total = coder.decoder_weight, coder.decoder_bias
        if not self.settings.prefixes:
            return [decode(codes, weight, tangent=True) + total]
        ends = (*self.settings.prefixes, coder.n_components)
        rebuilt = []
        for first, end in zip((0, *ends), ends, strict=False):
            total = total + decode(codes.between(first, end), weight, tangent=True)
            rebuilt.append(total)
        return rebuilt

    def after_step(self, coder: SparseCoder) -> None:
        """Keep the norms of the decoder's rows: one, unless it came with others.

        Parameters
        ----------
        coder : SparseCoder
            The network.
        """
        coder.scale_rows(self._norms)
