"""Dictionaries that are trained for what a network goes on to say.

The autoencoder stays a :class:`~skdyn.autoencoder.SparseAutoencoder`: the network is an argument of
the training, as it is of all else that needs one, and no part of the model, which is copied, saved
and spliced as any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from numbers import Real
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_scalar
from torch.nn.functional import kl_div, log_softmax

from skdyn.autoencoder._activations import collect_activations
from skdyn.autoencoder._autoencoder import SparseAutoencoder
from skdyn.autoencoder._network import SparseCoder
from skdyn.autoencoder._objective import ObjectiveSettings, ReconstructionObjective
from skdyn.autoencoder._plan import Plan
from skdyn.autoencoder._running import LayerOutput, evaluating, layer_named, replaced, run_on

__all__ = ["fit_end_to_end"]

_TINY = 1e-12  # variance of hidden values that are all alike


def fit_end_to_end(
    coder: SparseAutoencoder,
    network: torch.nn.Module,
    inputs: np.ndarray | torch.Tensor,
    layer: str,
    *,
    kl_weight: float = 1.0,
    reconstruction_weight: float = 1.0,
    hidden_weight: float = 0.0,
    hidden_layers: Sequence[str] = (),
) -> SparseAutoencoder:
    """Fit an autoencoder to a layer by what the network makes of its reconstructions.

    With :math:`f(x)` the network's logits, :math:`h_l(x)` what later layers give, and hats where
    the layer's output x is replaced by its reconstruction, it minimizes [1]_

    .. math:: \\text{kl\\_weight} \\, \\mathrm{KL}(f(x) \\,\\|\\, f(\\hat x)) +
        \\text{reconstruction\\_weight} \\, |x - \\hat x|^2 +
        \\text{hidden\\_weight} \\sum_l |h_l - \\hat h_l|^2

    beside the penalties of the allocation, the network frozen. Squares are means, in units of the
    variance; the divergence is the mean over all places that the network says something of. Only
    what matters to the network is then worth a code: at the same k more of its loss is recovered
    and less of the variance. With the reconstruction alone it is ``coder.fit`` on the
    activations.

    Each batch runs the network twice. The activations of all inputs are in memory at once.

    Parameters
    ----------
    coder : SparseAutoencoder
        What to fit; with ``warm_start`` training goes on from its weights.
    network : torch.nn.Module
        The network, whose first output is logits, the classes last. It is run in evaluation mode;
        its weights, gradients and mode are afterwards as they were.
    inputs : ndarray or Tensor of shape (n_cases, ...)
        What the network reads. ``batch_size`` counts these, of which each may give several rows.
    layer : str
        Name of the submodule, as ``network.named_modules()`` tells it. It gives a tensor of shape
        (..., n_features), or a tuple that begins with one, and runs once.
    kl_weight : float, default=1.0
        Weight of the divergence of the network's answers, in nats.
    reconstruction_weight : float, default=1.0
        Weight of the reconstruction.
    hidden_weight : float, default=0.0
        Weight of what later layers give.
    hidden_layers : sequence of str, default=()
        Their names.

    Returns
    -------
    SparseAutoencoder
        ``coder``, fitted; ``loss_curve_`` holds the sum of all.

    Raises
    ------
    TypeError
        If ``coder`` is no SparseAutoencoder, or the network gives no tensor of floats.
    ValueError
        If a layer does not exist or does not run once, a weight is negative, none is positive, or
        ``hidden_weight`` and ``hidden_layers`` do not come together.

    See Also
    --------
    SparseAutoencoder : Learns to restore the layer itself.
    loss_recovered : What is lost by a dictionary.

    References
    ----------
    .. [1] Dan Braun, Jordan Taylor, Nicholas Goldowsky-Dill, Lee Sharkey, "Identifying Functionally
       Important Features with End-to-End Sparse Dictionary Learning", NeurIPS 2024,
       arXiv:2405.12241.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from skdyn.autoencoder import SparseAutoencoder, fit_end_to_end
    >>> X = torch.tensor(load_digits().data).float() / 16
    >>> network = torch.nn.Sequential(
    ...     torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 10)
    ... )
    >>> coder = SparseAutoencoder(32, k=4, max_iter=5, random_state=0)
    >>> fit_end_to_end(coder, network, X, "1").components_.shape
    (32, 16)
    """
    if not isinstance(coder, SparseAutoencoder):
        raise TypeError(f"coder must be a SparseAutoencoder; got a {type(coder).__name__}.")
    weights = {"kl_weight": kl_weight, "reconstruction_weight": reconstruction_weight}
    weights["hidden_weight"] = hidden_weight
    for name, weight in weights.items():
        check_scalar(weight, name, Real, min_val=0)
    if not any(weights.values()):
        raise ValueError(f"{', '.join(weights)} are all zero: there is nothing to train for.")
    if bool(hidden_layers) != (hidden_weight > 0):
        raise ValueError(
            f"hidden_weight={hidden_weight!r} and hidden_layers={hidden_layers!r}: pass both, a "
            "positive weight and names of layers, or none."
        )
    for name in hidden_layers:
        layer_named(network, name)
    if not isinstance(inputs, torch.Tensor):
        inputs = torch.from_numpy(np.asarray(inputs))
    task = _Task(network, inputs, layer, tuple(hidden_layers), *weights.values())
    with _frozen(network):
        return coder._fit_within(_rows(network, inputs, layer), task)


def _rows(network, inputs, layer):
    """Return a layer's outputs for all inputs, one row a place."""

    def flat(output):
        return _matrix(LayerOutput.of(output, layer).tensor)

    return collect_activations(network, inputs, layer, transform=flat)


def _matrix(tensor):
    return tensor.reshape(-1, tensor.shape[-1])


@contextmanager
def _frozen(network: torch.nn.Module) -> Iterator[None]:
    """Let gradients pass through a network in evaluation mode, but not into it, for a block."""
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    try:
        for weight in learning:
            weight.requires_grad_(False)
        with evaluating(network):
            yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)


class _Task:
    """What a dictionary is to be good for; it makes the objective of the training.

    Parameters
    ----------
    network : torch.nn.Module
        The network, frozen.
    inputs : Tensor of shape (n_cases, ...)
        What it reads.
    layer : str
        The layer whose output is reconstructed.
    hidden_layers : tuple of str
        Layers that are compared.
    kl_weight, reconstruction_weight, hidden_weight : float
        What counts how much.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        inputs: torch.Tensor,
        layer: str,
        hidden_layers: tuple[str, ...],
        kl_weight: float,
        reconstruction_weight: float,
        hidden_weight: float,
    ) -> None:
        self.network, self.layer, self.hidden_layers = network, layer, hidden_layers
        self.arrays = (inputs,)
        self.kl_weight, self.hidden_weight = kl_weight, hidden_weight
        self.reconstruction_weight = reconstruction_weight

    def objective(self, settings: ObjectiveSettings, plan: Plan) -> ReconstructionObjective:
        """Return what training minimizes.

        Parameters
        ----------
        settings : ObjectiveSettings
            The estimator's.
        plan : Plan
            How far the training is.

        Returns
        -------
        ReconstructionObjective
        """
        return _EndToEndObjective(settings, plan, self)

    def run(self, batch: torch.Tensor, replace: Any) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Run the network with its layer replaced.

        Parameters
        ----------
        batch : Tensor of shape (n_cases, ...)
            Inputs.
        replace : callable
            ``replace(x, y)`` gets the layer's input and output and returns what stands for it.

        Returns
        -------
        output : Tensor of shape (..., n_classes)
        hidden : list of Tensor
            What the compared layers gave.
        """
        heard: dict[str, torch.Tensor] = {}

        def listen(name):
            def hear(_, __, output):
                heard[name] = LayerOutput.of(output, name).tensor

            return layer_named(self.network, name).register_forward_hook(hear)

        with replaced(self.network, self.layer, replace) as n_runs, ExitStack() as hooks:
            for name in self.hidden_layers:
                hooks.callback(listen(name).remove)
            output = LayerOutput.of(run_on(self.network, batch), "the last").tensor
        if n_runs[0] != 1:
            raise ValueError(
                f"Layer {self.layer!r} ran {n_runs[0]} times in one pass of the network; it must "
                "run once. Name a layer that is not shared."
            )
        if missing := [name for name in self.hidden_layers if name not in heard]:
            raise ValueError(f"Layer {missing[0]!r} of hidden_layers did not run.")
        if self.kl_weight and output.shape[-1] < 2:
            raise ValueError(
                f"The network's output has shape {tuple(output.shape)}: of one class there is no "
                "divergence. Set kl_weight=0 and compare hidden_layers."
            )
        return output, [heard[name] for name in self.hidden_layers]


class _EndToEndObjective(ReconstructionObjective):
    """The reconstruction of a layer, and what the network makes of it."""

    def __init__(self, settings: ObjectiveSettings, plan: Plan, task: _Task) -> None:
        super().__init__(settings, plan)
        self.task = task
        self.reconstruction_weight = task.reconstruction_weight

    def __call__(
        self, coder: SparseCoder, x: torch.Tensor, y: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        coder : SparseCoder
            The network of the autoencoder.
        x : Tensor of shape (n_cases, ...)
            Inputs of the network that it is trained for.
        y : None
            Not used.

        Returns
        -------
        Tensor
        """
        task, layer_outputs = self.task, []

        def look(_, output):
            layer_outputs.append(output)
            return output

        with torch.no_grad():
            said, hidden = task.run(x, look)
        step = self.step(coder, _matrix(layer_outputs[0]).to(coder.decoder_weight))
        loss = step.loss
        if task.kl_weight == task.hidden_weight == 0:
            return loss
        restored = step.rebuilt / coder.output_scale
        says, moved = task.run(x, lambda _, output: restored.view(output.shape).to(output))
        loss = loss + task.hidden_weight * sum(map(_unlike, moved, hidden))
        if task.kl_weight:
            now, before = (log_softmax(_matrix(part), dim=-1) for part in (says, said))
            divergence = kl_div(now, before, reduction="batchmean", log_target=True)
            loss = loss + task.kl_weight * divergence
        return loss


def _unlike(moved, hidden):
    """Return the mean squared difference in units of the variance."""
    rows = _matrix(hidden)
    variance = (rows - rows.mean(dim=0)).square().mean().clamp_min(_TINY)
    return (moved - hidden).square().mean() / variance
