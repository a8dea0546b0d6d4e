"""Scales and references by which instances are described, learned block by block."""

from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler

from skdyn._blocks import in_blocks
from skdyn._scales import learn_column_scales, standardized
from skdyn.hopfield._bag_batches import BagStore, Description
from skdyn.hopfield._bags import Bags

__all__ = ["InstanceScales", "describe", "learn_instance_scales", "spread_references"]

_NUMBERS = 2**18  # in a block that is standardized or described


class InstanceScales(NamedTuple):
    """How instances are brought to one scale.

    Attributes
    ----------
    offset, scale : ndarray of shape (n_features,)
        Means and deviations of the clipped features.
    limits : ndarray of shape (2, n_features)
        Lowest and highest scaled value.
    n_varying : int
        Features that have any variance.
    """

    offset: np.ndarray
    scale: np.ndarray
    limits: np.ndarray
    n_varying: int


def learn_instance_scales(
    instances: np.ndarray, weight: np.ndarray | None, clip: float | None
) -> InstanceScales:
    """Learn means and deviations of features held within a number of deviations.

    Parameters
    ----------
    instances : ndarray of shape (n_instances, n_features)
        Numbers.
    weight : ndarray of shape (n_instances,) or None
        Weights of the instances.
    clip : float or None
        Deviations from the mean beyond which a value counts as if it were there; None holds
        nothing in. Deviations are learned again of what was held in.

    Returns
    -------
    InstanceScales
    """
    if instances.size <= _NUMBERS:
        offset, scale, varies = learn_column_scales(instances, weight)
    else:  # a sample tells the sizes, so that no second copy of the data is ever in memory
        rows = np.linspace(0, len(instances) - 1, _NUMBERS // instances.shape[1] + 1).astype(int)
        offset, scale, _ = learn_column_scales(instances[rows], None)
        scaler = _fitted_scaler(instances, weight, lambda rows: (rows - offset) / scale)
        offset, varies = offset + scaler.mean_ * scale, scaler.var_ > 0
        scale = scale * scaler.scale_
    limits = np.array([[-np.inf], [np.inf]]) * np.ones(instances.shape[1])
    if clip is not None:
        scaler = _fitted_scaler(
            instances, weight, lambda rows: standardized(rows, offset, scale).clip(-clip, clip)
        )
        center, spread = scaler.mean_, scaler.scale_
        limits = (np.array([[-clip], [clip]]) - center) / spread
        offset, scale = offset + center * scale, scale * spread
    return InstanceScales(offset, scale, limits, int(np.count_nonzero(varies)))


def spread_references(rows: np.ndarray, n_references: int, rng: Any) -> np.ndarray:
    """Draw different rows, whatever their order and however often each is there.

    Parameters
    ----------
    rows : ndarray of shape (n_instances, n_features)
        Scaled instances.
    n_references : int
        How many, at most.
    rng : RandomState
        Source of the draw.

    Returns
    -------
    ndarray of shape (n_references, n_features)
    """
    if not n_references:
        return rows[:0].copy()  # a view would keep all rows
    direction = rng.standard_normal(rows.shape[1])
    # Sums along a row do not depend on its place, as those of a matrix product do.
    places = in_blocks(lambda block: (block * direction).sum(axis=1), rows)
    order = np.argsort(places, kind="stable")
    near = np.flatnonzero(np.diff(places[order]) == 0)
    copies = [k for k in near if (rows[order[k]] == rows[order[k + 1]]).all()]
    different = np.delete(order, copies)
    return rows[different[rng.permutation(len(different))[:n_references]]]


def describe(
    bags: Bags, weight: np.ndarray | None, references: np.ndarray, gamma: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Learn the scales of descriptions of instances, and of the statistics of bags.

    Parameters
    ----------
    bags : Bags
        Scaled instances.
    weight : ndarray of shape (n_bags,) or None
        Weights of the bags.
    references : ndarray of shape (n_references, n_features)
        What instances are compared with; none where their features are seen themselves.
    gamma : float
        Sharpness of the likeness.

    Returns
    -------
    tuple of four ndarray
        Means and deviations of the instances' descriptions, ``(n_inputs,)``, and of the
        statistics, ``(3 * n_inputs,)``.
    """
    nothing = torch.zeros(1)
    stored = torch.as_tensor(references)
    raw = Description(stored, gamma, nothing, nothing + 1, nothing, nothing + 1)
    n_inputs = len(references) or bags.shape[2]
    of_instances = None if weight is None else np.repeat(weight, bags.sizes)
    scaler = _fitted_scaler(
        bags.instances, of_instances,
        lambda rows: raw.unscaled(torch.as_tensor(rows)).numpy(), n_inputs,
    )  # fmt: skip
    offset, scale = scaler.mean_, scaler.scale_
    ours = raw._replace(offset=torch.as_tensor(offset), scale=torch.as_tensor(scale))
    of_bags: Any = StandardScaler()
    for chunk in bags.chunks(max(1, _NUMBERS // n_inputs)):
        some = bags[chunk]
        store = BagStore(torch.as_tensor(some.instances), torch.as_tensor(some.sizes), ours)
        found = store.batch().raw_statistics().numpy()
        of_bags.partial_fit(found, sample_weight=None if weight is None else weight[chunk])
    return offset, scale, of_bags.mean_, of_bags.scale_


def _fitted_scaler(rows, weight, function, width=None) -> Any:
    """Return a scaler of what a function makes of rows, a block at a time."""
    scaler: Any = StandardScaler()
    n = max(1, _NUMBERS // (width or rows.shape[1]))
    for start in range(0, len(rows), n):
        block = slice(start, start + n)
        own = None if weight is None else weight[block]
        scaler.partial_fit(function(rows[block]), sample_weight=own)
    return scaler
