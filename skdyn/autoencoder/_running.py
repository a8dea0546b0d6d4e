"""Running any torch module over inputs, as it stands or with a layer's output replaced."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import numpy as np
import torch

__all__ = ["LayerOutput", "batches_of", "evaluating", "layer_named", "ready", "replaced", "run_on"]


def layer_named(module: torch.nn.Module, name: str) -> torch.nn.Module:
    """Return a submodule by its name.

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    name : str
        Name, as ``module.named_modules()`` tells it.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    layers = dict(module.named_modules())
    if name not in layers:
        known = ", ".join(repr(name) for name in layers if name)
        raise ValueError(f"The module has no layer {name!r}; it has {known}.")
    return layers[name]


@contextmanager
def evaluating(module: torch.nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode for a block; each of its parts returns to its own mode.

    Parameters
    ----------
    module : torch.nn.Module
        The network.

    Yields
    ------
    None
    """
    training = [part for part in module.modules() if part.training]
    try:
        module.eval()
        yield
    finally:
        for part in training:
            part.training = True


def batches_of(inputs: Any, batch_size: int) -> Iterator[Any]:
    """Cut an array into batches; what is no array holds batches already.

    Parameters
    ----------
    inputs : ndarray, Tensor or iterable of batches
        The inputs.
    batch_size : int
        Cases per batch of an array.

    Yields
    ------
    object
        A batch.
    """
    if hasattr(inputs, "__array__") or isinstance(inputs, torch.Tensor):
        inputs = inputs if isinstance(inputs, torch.Tensor) else np.asarray(inputs)
        for start in range(0, len(inputs), batch_size):
            yield inputs[start : start + batch_size]
    else:
        yield from inputs


def ready(part: Any, like: torch.Tensor) -> torch.Tensor:
    """Return an array as a tensor where a module is, floating ones in its type.

    Parameters
    ----------
    part : ndarray or Tensor
        The array.
    like : Tensor
        A weight of the module.

    Returns
    -------
    Tensor
    """
    if not isinstance(part, torch.Tensor):
        part = torch.from_numpy(np.array(part))
    return part.to(like) if part.is_floating_point() else part.to(like.device)


def run_on(module: torch.nn.Module, batch: Any) -> Any:
    """Run a module on a batch.

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    batch : array, tuple or dict of arrays
        One argument, several, or named ones.

    Returns
    -------
    object
        What the module returns.
    """
    like = next(module.parameters(), torch.empty(0))
    if isinstance(batch, dict):
        return module(**{name: ready(part, like) for name, part in batch.items()})
    parts = batch if isinstance(batch, tuple) else (batch,)
    return module(*(ready(part, like) for part in parts))


class LayerOutput(NamedTuple):
    """The tensor that a layer gives, alone or first in a tuple.

    Attributes
    ----------
    tensor : Tensor of shape (..., n_outputs)
        The tensor.
    whole : object
        What the layer returned.
    """

    tensor: torch.Tensor
    whole: Any

    @classmethod
    def of(cls, output: Any, name: str) -> Self:
        """Find the tensor.

        Parameters
        ----------
        output : Tensor or tuple
            What the layer returned.
        name : str
            The layer's, for errors.

        Returns
        -------
        LayerOutput

        Raises
        ------
        TypeError
            If it is no tensor, nor a tuple that begins with one.
        """
        tensor = output[0] if isinstance(output, tuple) and output else output
        if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point():
            raise TypeError(
                f"Layer {name!r} gives a {type(output).__name__}; what can be replaced is a "
                "tensor of floats, or a tuple whose first element is one. Name a layer inside it."
            )
        return cls(tensor, output)

    def with_tensor(self, tensor: torch.Tensor) -> Any:
        """Return the output with another tensor in that place.

        Parameters
        ----------
        tensor : Tensor
            The other one.

        Returns
        -------
        object
            Of the kind that the layer returned.
        """
        if not isinstance(self.whole, tuple):
            return tensor
        if hasattr(self.whole, "_make"):  # a named tuple
            return type(self.whole)(tensor, *self.whole[1:])
        return (tensor, *self.whole[1:])


@contextmanager
def replaced(
    module: torch.nn.Module,
    layer: str,
    replace: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> Iterator[list[int]]:
    """Replace what a layer gives for a block.

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    layer : str
        Name of the layer.
    replace : callable
        ``replace(x, y)`` gets the layer's first input and its output and returns a new output.

    Yields
    ------
    list of int
        Its only element counts how often the layer ran.
    """
    n_runs = [0]

    def replace_output(_, args, named, output):
        n_runs[0] += 1
        found = LayerOutput.of(output, layer)
        x = args[0] if args else next(iter(named.values()))
        return found.with_tensor(replace(x, found.tensor))

    hook = layer_named(module, layer).register_forward_hook(replace_output, with_kwargs=True)
    try:
        yield n_runs
    finally:
        hook.remove()
