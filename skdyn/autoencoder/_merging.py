"""Networks of which units that say the same are one."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.utils import check_scalar

from skdyn.autoencoder._running import LayerOutput, batches_of, evaluating, layer_named, run_on
from skdyn.metrics._complexity import distinct_units

__all__ = ["MergedUnits", "merge_units"]


class MergedUnits(NamedTuple):
    """A network whose layer reads each distinct unit once.

    Attributes
    ----------
    network : torch.nn.Module
        A copy, in which the weights of all other units are zero, so that they can be cut off.
    stands_for : ndarray of int, shape (n_units,)
        The unit that stands for each, itself where it is distinct; -1 where it never changes.
    complexity : float
        Number of distinct units over the number of all.
    change : float
        How far the answers of the network move, root mean square, in units of their deviation.

    See Also
    --------
    merge_units : Returns it.
    """

    network: torch.nn.Module
    stands_for: np.ndarray
    complexity: float
    change: float


def merge_units(
    network: torch.nn.Module,
    inputs: np.ndarray | torch.Tensor | Iterable[Any],
    reader: str,
    *,
    tolerance: float = 0.01,
    batch_size: int = 256,
) -> MergedUnits:
    """Merge the functionally equivalent units that a linear layer of a network reads [1]_.

    Where unit j is :math:`a + c` times unit i, its weights times c are added to those of i, and
    its weights times a to the bias: the network says the same with one unit less. Two units whose
    incoming weights are equal up to scale are such a pair, whatever lies between. Units that
    never change go into the bias, too. :func:`~skdyn.metrics.feature_complexity` measures the
    same of activations alone.

    Parameters
    ----------
    network : torch.nn.Module
        The network; it stays as it is.
    inputs : ndarray, Tensor or iterable of batches
        As in :func:`collect_activations`; units are equivalent over these.
    reader : str
        Name of the :class:`torch.nn.Linear` that reads the units, as ``network.named_modules()``
        tells it.
    tolerance : float, default=0.01
        Share of a unit's variance by which it may differ from what stands for it.
    batch_size : int, default=256
        Cases per batch where ``inputs`` is an array.

    Returns
    -------
    MergedUnits

    Raises
    ------
    TypeError
        If ``reader`` is no linear layer.
    ValueError
        If there is no such layer, it did not run, or there are no inputs.

    See Also
    --------
    MergedUnits : What it returns.
    skdyn.metrics.feature_complexity : The share of units that differ.

    References
    ----------
    .. [1] Yiting Chen, Zhanpeng Zhou, Junchi Yan, "Going Beyond Neural Network Feature Similarity:
       The Network Feature Complexity and Its Interpretation Using Category Theory", ICLR 2024,
       arXiv:2310.06756. There units are merged step by step by the distance of their weights.

    Examples
    --------
    >>> import torch
    >>> from skdyn.autoencoder import merge_units
    >>> first, reader = torch.nn.Linear(4, 6), torch.nn.Linear(6, 2)
    >>> with torch.no_grad():
    ...     first.weight[3:], first.bias[3:] = 2 * first.weight[:3], 2 * first.bias[:3]
    >>> network = torch.nn.Sequential(first, torch.nn.ReLU(), reader)
    >>> merged = merge_units(network, torch.randn(100, 4), "2")
    >>> bool(merged.complexity <= 0.5 and merged.change < 1e-5)
    True
    """
    check_scalar(tolerance, "tolerance", Real, min_val=0, max_val=1)
    if not isinstance(layer_named(network, reader), torch.nn.Linear):
        raise TypeError(f"reader={reader!r} must name a torch.nn.Linear, whose weights are merged.")
    batches = list(inputs) if isinstance(inputs, Iterator) else inputs  # they are read twice
    units, answers = _run(network, batches, reader, batch_size)
    found = distinct_units(units, tolerance)
    merged = copy.deepcopy(network)
    _merge(layer_named(merged, reader), found)
    _, now = _run(merged, batches, reader, batch_size)
    deviation = np.sqrt(np.mean((answers - answers.mean(axis=0)) ** 2))
    moved = np.sqrt(np.mean((now - answers) ** 2))
    change = float(moved / deviation) if deviation > 0 else float(moved)
    return MergedUnits(merged, found.stands_for, found.complexity, change)


def _run(network, inputs, reader, batch_size):
    """Return what a layer reads and what the network answers, both as rows in float64."""
    units, answers = [], []

    def hear(_, args):
        units.append(_rows(args[0]))

    hook = layer_named(network, reader).register_forward_pre_hook(hear)
    try:
        with evaluating(network), torch.no_grad():
            answers.extend(
                _rows(LayerOutput.of(run_on(network, batch), "the last").tensor)
                for batch in batches_of(inputs, batch_size)
            )
    finally:
        hook.remove()
    if not units:
        raise ValueError(
            f"Layer {reader!r} read nothing: there were no inputs, or the network does not run it."
        )
    return np.concatenate(units), np.concatenate(answers)


def _rows(tensor):
    return tensor.detach().reshape(-1, tensor.shape[-1]).double().cpu().numpy()


@torch.no_grad()
def _merge(layer: Any, found):
    weight = layer.weight.double()
    slope, offset, stands_for = (torch.as_tensor(part).to(weight.device) for part in (
        found.slope, found.offset, found.stands_for,
    ))  # fmt: skip
    into_bias = weight @ offset.double()
    summed = torch.zeros_like(weight)
    summed.index_add_(1, stands_for.clamp_min(0), weight * slope.double())
    if layer.bias is not None:
        layer.bias += into_bias.to(layer.bias)
    elif into_bias.abs().max() > 0:
        layer.bias = torch.nn.Parameter(into_bias.to(layer.weight))
    layer.weight.copy_(summed)
