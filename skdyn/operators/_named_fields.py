"""Functions with names: xarray's arrays, whose dimensions say what they are.

A dimension called ``case`` or ``sample`` holds the cases, one called ``channel`` or ``variable``
the channels, and all others are axes of the grid. Inputs may have theirs in any order; those
of the first ``fit`` count, and all that comes later is put in their order by name. A Dataset's
variables are channels, each spread over the dimensions that it lacks.

Coordinates say where the points of an axis lie. Those of ``fit`` are evenly spaced, as grids are.
xarray itself is never imported: what nobody has imported cannot come.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np

from skdyn._row_blocks import rows_of
from skdyn._state import Shape
from skdyn._validation import as_floats

__all__ = ["Axis", "NamedDims", "Names", "check_order", "is_named", "read_named"]

_CASES = ("case", "cases", "sample", "samples")
_CHANNELS = ("channel", "channels", "variable")
_TIMES = ("time", "times", "t")
CLOSE = 1e-3  # of a step: coordinates in float32 are as far off


class Axis(NamedTuple):
    """An axis of a grid.

    Attributes
    ----------
    name : str
        Its dimension.
    n_points : int
        Number of points.
    points : ndarray of shape (n_points,) or None
        Where they lie; None if nobody said.
    """

    name: str
    n_points: int
    points: Annotated[np.ndarray, Shape("n_points")] | None


class NamedDims(NamedTuple):
    """What dimensions are called.

    Attributes
    ----------
    dims : list of str
        All of them, in the order in which they came.
    case : str
        That of the cases.
    channel : str
        That of the channels; empty without one.
    labels : list of str
        Names of the channels, if they have any.
    axes : list of Axis
        The others, in the order in which a model sees them.
    """

    dims: list[str]
    case: str
    channel: str
    labels: list[str]
    axes: list[Axis]


class Names(NamedTuple):
    """Names of the data of ``fit``.

    Attributes
    ----------
    x, y : NamedDims or None
        Of inputs and targets; None where arrays came without.
    """

    x: NamedDims | None = None
    y: NamedDims | None = None


def is_named(data: Any) -> bool:
    """Tell xarray's DataArray and Dataset from all else.

    Parameters
    ----------
    data : object
        What a user passed.

    Returns
    -------
    bool
    """
    xarray: Any = sys.modules.get("xarray")
    return xarray is not None and isinstance(data, xarray.DataArray | xarray.Dataset)


def read_named(
    data: Any, name: str, known: NamedDims | None = None, order: Sequence[str] = ()
) -> tuple[np.ndarray, NamedDims]:
    """Return values in the order of arrays, and what their dimensions are called.

    Parameters
    ----------
    data : DataArray or Dataset
        Functions.
    name : str
        What the user calls them.
    known : NamedDims or None, default=None
        Names in ``fit``, which these must have too.
    order : sequence of str, default=()
        Axes that come first where nothing is known.

    Returns
    -------
    values : ndarray of shape (n, n_channels, \\*grid), or (n, n_points), (n,) without channels
        A single axis without channels is laid out flat, as in arrays.
    named : NamedDims

    Raises
    ------
    ValueError
        If no dimension, or more than one, is that of the cases, if there are more than three axes,
        or if dimensions, channels or coordinates are other ones than in ``fit``.
    """
    if hasattr(data, "data_vars"):
        data = _joined(data, name)
    dims = list(data.dims)
    case = _only(dims, _CASES, name)
    channel = _only(dims, _CHANNELS, name, needed=False)
    axes = [dim for dim in dims if dim not in (case, channel)]
    if not all(isinstance(dim, str) for dim in dims) or len(axes) > 3 or 0 in data.shape:
        raise ValueError(
            f"{name} must have dimensions with names of text, besides cases and channels at most "
            f"three, none of them empty; got {dict(data.sizes)}."
        )
    if known is not None:
        _check_dims(name, {*axes}, bool(channel), known, data)
        order = [axis.name for axis in known.axes]
    axes = sorted(axes, key=lambda dim: order.index(dim) if dim in order else len(order))
    data = _in_known_order(data, name, channel, known)
    named = NamedDims(
        dims, case, channel, _labels(data, channel),
        [Axis(dim, data.sizes[dim], _points(data, dim, name)) for dim in axes],
    )  # fmt: skip
    data = data.transpose(case, *([channel] if channel else []), *axes)
    values = rows_of(data, name)
    return (values if channel or len(axes) < 2 else values[:, None]), named


def check_order(data: Any, name: str) -> None:
    """Refuse trajectories whose names say that their axes are not where they will be read.

    Parameters
    ----------
    data : object
        What a user passed; what has no names passes.
    name : str
        What the user calls it.

    Raises
    ------
    ValueError
        If cases, channels, times and the grid do not come in this order.
    """
    if not is_named(data):
        return
    if hasattr(data, "data_vars"):
        raise ValueError(f"{name} must be one array; write {name}.to_dataarray('channel').")
    dims = list(data.dims)
    case, channel, time = (
        [dim for dim in dims if dim in group] for group in (_CASES, _CHANNELS, _TIMES)
    )
    rest = [dim for dim in dims if dim not in (*case, *channel, *time)]
    if time and len(dims) > 3 and not (case and channel):
        raise ValueError(
            f"{name} has dimensions {tuple(dims)}; trajectories of fields need one called 'case' "
            f"and one called 'channel': {name}.expand_dims('channel')."
        )
    flat = case and time and not channel and len(rest) == 1  # (n_cases, width, n_timepoints)
    wanted = [*case, *rest, *time] if flat else [*case, *channel, *time, *rest]
    if wanted != dims:
        listed = ", ".join(map(repr, wanted))
        raise ValueError(
            f"{name} has dimensions {tuple(dims)}, but axes are read in the order {tuple(wanted)}: "
            f"write {name}.transpose({listed})."
        )


def check_grid_of(named: NamedDims, name: str) -> None:
    """Refuse coordinates of ``fit`` that are those of no grid."""
    for axis in named.axes:
        if axis.points is None or axis.n_points < 2:
            continue
        even = np.linspace(axis.points[0], axis.points[-1], axis.n_points)
        if not np.abs(axis.points - even).max() < CLOSE * _step(even):
            raise ValueError(
                f"The coordinates of {name} along {axis.name!r} are not evenly spaced, as those of "
                f"grids are. Interpolate, {name}.interp({axis.name}=np.linspace(...)), take "
                "PointCloudOperatorRegressor for points that lie anywhere, or, if their number is "
                f"what counts, leave coordinates out: {name}.drop_vars({axis.name!r})."
            )


def check_same_axes(named: NamedDims, known: NamedDims, name: str) -> None:
    """Refuse coordinates that are other ones than those of ``fit``, where training goes on."""
    for now, then in zip(named.axes, known.axes, strict=True):
        if now.points is not None and then.points is not None and not same_points(now, then):
            raise ValueError(
                f"{name} lies {extent_of(now)}, but the model was fitted on data {extent_of(then)}."
            )


def same_points(one: Axis, other: Axis) -> bool:
    """Tell whether two axes with coordinates have the same ones, but for rounding."""
    if one.n_points != other.n_points:
        return False
    pair = as_floats(one.points), as_floats(other.points)
    return bool(np.abs(pair[0] - pair[1]).max() <= CLOSE * (_step(pair[1]) or 1.0))


def extent_of(axis: Axis) -> str:
    """Return in words where an axis lies."""
    points = as_floats(axis.points)
    return f"from {points[0]:.6g} to {points[-1]:.6g} along {axis.name!r} ({axis.n_points} points)"


def _step(points):
    """Return the mean distance of neighbors; zero for a single point."""
    return abs(points[-1] - points[0]) / max(len(points) - 1, 1)


def _joined(dataset, name):
    """Make channels of the variables of a Dataset."""
    if not dataset.data_vars:
        raise ValueError(f"{name} is a Dataset without variables: there is nothing to learn from.")
    inside = {*_CHANNELS} & {*dataset.dims}
    if inside:
        raise ValueError(
            f"{name} is a Dataset, whose variables are channels, with the dimension "
            f"{min(inside)!r} besides. Pass a DataArray of one of its variables."
        )
    return dataset.to_dataarray("channel")


def _only(dims, names, data, needed=True):
    """Return the only dimension that has one of some names."""
    found = [dim for dim in dims if dim in names]
    if len(found) == 1 or (not found and not needed):
        return found[0] if found else ""
    which, what = names[0], "those of the samples" if needed else "those of the channels"
    if found:
        raise ValueError(f"{data} has the dimensions {found}: which of them are {what}?")
    raise ValueError(
        f"No dimension of {data}, {tuple(dims)}, is called {which!r} or {names[2]!r}. Say which "
        f"are {what}: {data}.rename({dims[0] if dims else '...'}={which!r}), for instance; pass "
        f"{data}.values for an array without names."
    )


def _check_dims(name, axes, has_channel, known, data):
    wanted = {axis.name for axis in known.axes}
    if axes != wanted or has_channel != bool(known.channel):
        raise ValueError(
            f"{name} has the dimensions {tuple(data.dims)}, but the model was fitted on "
            f"{tuple(known.dims)}, in any order."
        )


def _in_known_order(data, name, channel, known):
    """Put channels with names in the order in which they came in ``fit``."""
    labels = _labels(data, channel)
    if known is None or not labels or not known.labels or labels == known.labels:
        return data
    if sorted(labels) != sorted(known.labels):
        raise ValueError(
            f"{name} has the channels {labels}, but the model was fitted on {known.labels}."
        )
    return data.sel({channel: known.labels})


def _labels(data, channel):
    if not channel or channel not in data.coords:
        return []
    labels = data.coords[channel].values.tolist()
    named = all(isinstance(label, str) for label in labels) and len({*labels}) == len(labels)
    return labels if named else []


def _points(data, dim, name):
    """Return the coordinates of an axis as numbers."""
    if dim not in data.coords:
        return None
    try:
        points = as_floats(data.coords[dim].values)
    except (TypeError, ValueError):
        points = np.array([np.nan])
    if not np.isfinite(points).all():
        raise ValueError(
            f"The coordinates of {name} along {dim!r} are no finite numbers. Pass numbers, in a "
            f"unit of your choice, {name}.assign_coords({dim}=...), or leave coordinates out: "
            f"{name}.drop_vars({dim!r})."
        )
    return points
