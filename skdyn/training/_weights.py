"""Weights as numpy arrays and as snapshots."""

from collections.abc import Iterable, Mapping, Sequence

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
        self._kept = [value.detach().clone() for value in self._live]

    @torch.no_grad()
    def take(self) -> None:
        """Copy the tensors as they are now."""
        for kept, live in zip(self._kept, self._live, strict=True):
            kept.copy_(live)

    @torch.no_grad()
    def restore(self) -> None:
        """Put the copied values back."""
        for kept, live in zip(self._kept, self._live, strict=True):
            live.copy_(kept)


class LastGood:
    """The weights from which the last whole epoch ran without trouble.

    Weights are known to be good only after an epoch has run from them, so two copies take turns:
    one of the epoch under way, one of the last that succeeded.

    Parameters
    ----------
    tensors : sequence of Tensor
        The tensors to watch.
    """

    def __init__(self, tensors: Sequence[torch.Tensor]) -> None:
        self._trial = Snapshot(tensors)
        self._good = Snapshot(tensors)

    def begin(self) -> None:
        """Note the weights an epoch starts from."""
        self._trial.take()

    def commit(self) -> None:
        """Call those weights good."""
        self._trial, self._good = self._good, self._trial

    def restore(self) -> None:
        """Put the last good weights back."""
        self._good.restore()
