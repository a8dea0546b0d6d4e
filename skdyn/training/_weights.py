"""Weights as numpy arrays and as snapshots."""

import math
import operator
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np
import torch


def state_to_arrays(module: torch.nn.Module) -> dict[str, np.ndarray]:
    """Return a module's parameters and buffers as numpy arrays on the host.

    Parameters
    ----------
    module : torch.nn.Module
        The module.

    Returns
    -------
    dict of str to ndarray
    """
    return {name: value.detach().cpu().numpy() for name, value in module.state_dict().items()}


def arrays_to_state(module: torch.nn.Module, arrays: Mapping[str, np.ndarray]) -> torch.nn.Module:
    """Load arrays made by :func:`state_to_arrays` into a module built from the same config.

    Parameters
    ----------
    module : torch.nn.Module
        A freshly built module.
    arrays : dict of str to ndarray
        The weights.

    Returns
    -------
    torch.nn.Module
        The same module, in the arrays' precision and in evaluation mode.
    """
    state = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    floating = [value.dtype for value in state.values() if value.is_floating_point()]
    if floating:
        module.to(floating[0])
    module.load_state_dict(state)
    return module.eval().requires_grad_(False)


class Snapshot:
    """A copy of tensors that can be put back in place.

    Parameters
    ----------
    tensors : iterable of Tensor
        The tensors to watch: a module's parameters and buffers, say.
    """

    def __init__(self, tensors: Iterable[torch.Tensor]) -> None:
        self._live = list(tensors)
        self.kept = [value.detach().clone() for value in self._live]

    @torch.no_grad()
    def take(self) -> None:
        """Copy the tensors as they are now."""
        torch._foreach_copy_(self.kept, self._live)  # pyright: ignore[reportPrivateImportUsage]

    @torch.no_grad()
    def restore(self) -> None:
        """Put the copied values back."""
        torch._foreach_copy_(self._live, self.kept)  # pyright: ignore[reportPrivateImportUsage]


class BestWeights:
    """The weights with the lowest loss since a stage began.

    Parameters
    ----------
    tensors : sequence of Tensor
        What to keep: whatever a step may change.
    before : bool
        Whether an epoch's loss is that of the weights it starts from: of a full batch, which is
        evaluated before the step. Otherwise it counts for the weights it ends with: of many
        batches, whose mean lies between, or of data that are watched afterwards.

    Attributes
    ----------
    loss : float
        The lowest loss; infinite before the first epoch.
    epoch : int or None
        The epoch it came in, counted from 0; None keeps the weights from before the first.
    """

    def __init__(self, tensors: Sequence[torch.Tensor], *, before: bool) -> None:
        self._live = list(tensors)
        self._best = Snapshot(self._live)
        self._trial = Snapshot(self._live) if before else None
        self.loss, self.epoch = math.inf, None

    def begin(self) -> None:
        """Take the weights that an epoch starts from, where its loss is theirs."""
        if self._trial is not None:
            self._trial.take()

    def note(self, loss: float, epoch: int) -> None:
        """Keep an epoch's weights if its loss is the lowest.

        Parameters
        ----------
        loss : float
            The loss.
        epoch : int
            The epoch.
        """
        if loss >= self.loss:
            return
        self.loss, self.epoch = loss, epoch
        if self._trial is None:
            self._best.take()
        else:
            self._trial, self._best = self._best, self._trial

    def state(self) -> dict[str, Any]:
        """Return what it keeps, plain; the weights an epoch starts from are taken anew.

        Returns
        -------
        dict
        """
        return {"loss": self.loss, "epoch": self.epoch, "weights": self._best.kept}

    @torch.no_grad()
    def take_state(self, state: dict[str, Any]) -> None:
        """Go on from such a state.

        Parameters
        ----------
        state : dict
            The state.
        """
        self.loss, self.epoch = state["loss"], state["epoch"]
        for kept, known in zip(self._best.kept, state["weights"], strict=True):
            kept.copy_(known)

    def restore(self) -> None:
        """Put the best weights back."""
        self._best.restore()

    def holds(self, tensors: Sequence[torch.Tensor]) -> bool:
        """Tell whether these are the tensors that it keeps, not others in their place.

        Parameters
        ----------
        tensors : sequence of Tensor
            What is learned now.

        Returns
        -------
        bool
        """
        return len(tensors) == len(self._live) and all(map(operator.is_, tensors, self._live))


def carry_over(
    known: Mapping[torch.Tensor, Any], before: Mapping[str, torch.Tensor],
    state: MutableMapping[torch.Tensor, Any], now: Mapping[str, torch.Tensor],
) -> None:  # fmt: skip
    """Let an optimizer's new state begin with what the old one knew of weights of the same shape.

    Parameters
    ----------
    known : mapping of Tensor to object
        State of the old optimizer.
    before : mapping of str to Tensor
        The weights that it knew, by their names.
    state : mapping of Tensor to object
        State of the new optimizer, written in place.
    now : mapping of str to Tensor
        The weights by now.
    """
    for name, weight in now.items():
        old = before.get(name)
        if old is not None and old in known and old.shape == weight.shape:
            state[weight] = known[old]
