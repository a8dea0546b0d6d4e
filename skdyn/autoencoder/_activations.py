"""What a layer of any torch module answers, as arrays."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, overload

import numpy as np
import torch

from skdyn.autoencoder._running import batches_of, evaluating, layer_named, run_on

__all__ = ["collect_activations"]


@overload
def collect_activations(
    module: torch.nn.Module,
    inputs: np.ndarray | torch.Tensor | Iterable[Any],
    layer: str,
    *,
    batch_size: int = 256,
    transform: Callable[[Any], torch.Tensor] | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray: ...


@overload
def collect_activations(
    module: torch.nn.Module,
    inputs: np.ndarray | torch.Tensor | Iterable[Any],
    layer: list[str] | tuple[str, ...],
    *,
    batch_size: int = 256,
    transform: Callable[[Any], torch.Tensor] | None = None,
    out: Sequence[np.ndarray] | None = None,
) -> list[np.ndarray]: ...


def collect_activations(
    module: torch.nn.Module,
    inputs: np.ndarray | torch.Tensor | Iterable[Any],
    layer: str | Sequence[str],
    *,
    batch_size: int = 256,
    transform: Callable[[Any], torch.Tensor] | None = None,
    out: np.ndarray | Sequence[np.ndarray] | None = None,
) -> np.ndarray | list[np.ndarray]:
    """Run a module over inputs and return what one of its layers, or several, gave.

    The module is run in evaluation mode and without gradients, and is afterwards as it was,
    whatever happens.

    Parameters
    ----------
    module : torch.nn.Module
        The network; for an estimator of this package, its ``module_``.
    inputs : ndarray, Tensor or iterable of batches
        An array, whose first axis is cut into batches; or an iterable of batches, each a tensor or
        array, a tuple of arguments, or a dictionary of named ones. Floating inputs take the type of
        the module's weights, and all go to its device.
    layer : str or sequence of str
        Name of the submodule, as ``module.named_modules()`` tells it. With several names, one
        array a name is returned, from a single run.
    batch_size : int, default=256
        Cases per batch when ``inputs`` is an array.
    transform : callable or None, default=None
        Applied to the layer's output to make it the tensor to keep, one row per case: for example
        ``lambda z: z[0]`` for a layer that returns a tuple, or ``lambda z: z.flatten(0, 1)`` for
        one row per token.
    out : ndarray, sequence of ndarray or None, default=None
        Array to fill from its first row on, a ``numpy.memmap`` for instance; one a name where
        ``layer`` is a sequence. The filled part is returned.

    Returns
    -------
    ndarray of shape (n_rows, ...) or list of ndarray
        The outputs, row by row; a layer that runs several times per batch gives them in that order.

    Raises
    ------
    ValueError
        If there is no such layer, if it did not run, if there are no inputs, or if ``out`` has too
        few rows or another width.
    TypeError
        If what the layer gives is no tensor.

    See Also
    --------
    spliced : Puts a dictionary back into the network.
    SparseAutoencoder : Learns from what is collected.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skdyn.autoencoder import collect_activations
    >>> network = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    >>> collect_activations(network, np.ones((100, 4)), "1").shape
    (100, 8)
    """
    names, outs = ([layer], [out]) if isinstance(layer, str) else (list(layer), out)
    outs = [None] * len(names) if outs is None else list(outs)
    if len(outs) != len(names):
        raise ValueError(f"out holds {len(outs)} arrays for {len(names)} layers; pass one each.")
    stores = [_Store(name, place) for name, place in zip(names, outs, strict=True)]
    with _listening(module, stores, transform), torch.no_grad():
        for batch in batches_of(inputs, batch_size):
            run_on(module, batch)
    found = [store.result() for store in stores]
    return found[0] if isinstance(layer, str) else found


class _Store:
    """Where one layer's outputs go: an array of the caller's, or a list."""

    def __init__(self, name, out):
        self.name, self.out, self.n_rows, self.parts = name, out, 0, []

    def add(self, values):
        if self.out is None:
            self.parts.append(values.copy())  # later layers may work in place
        else:
            end = self.n_rows + len(values)
            if end > len(self.out) or values.shape[1:] != self.out.shape[1:]:
                raise ValueError(
                    f"out has shape {self.out.shape}, but layer {self.name!r} gave {end} rows or "
                    f"more of shape {values.shape[1:]}."
                )
            self.out[self.n_rows : end] = values
        self.n_rows += len(values)

    def result(self):
        if not self.n_rows:
            raise ValueError(
                f"Layer {self.name!r} gave nothing: there were no inputs, or the module does not "
                "run that layer."
            )
        return np.concatenate(self.parts) if self.out is None else self.out[: self.n_rows]


@contextmanager
def _listening(module, stores, transform):
    """Hear the layers' outputs for the block, with the module in evaluation mode."""
    layers = [layer_named(module, store.name) for store in stores]

    def listener(store):
        def hear(_, __, output):
            kept = output if transform is None else transform(output)
            if not isinstance(kept, torch.Tensor):
                raise TypeError(
                    f"Layer {store.name!r} gives a {type(kept).__name__}; say with transform= "
                    "which tensor to keep, e.g. transform=lambda output: output[0]."
                )
            kept = kept.detach().cpu()
            store.add((kept.float() if kept.dtype == torch.bfloat16 else kept).numpy())

        return hear

    with evaluating(module), ExitStack() as hooks:
        for layer, store in zip(layers, stores, strict=True):
            hooks.callback(layer.register_forward_hook(listener(store)).remove)
        yield
