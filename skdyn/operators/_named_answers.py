"""Questions with names, answered with names: where they lie, and where answers do.

Questions on other points than those of ``fit`` are the same functions if they cover the same
domain, and are taken to the grid of ``fit`` by their coordinates. What covers a part of the domain
alone is refused: an operator needs the whole function. Answers can be had on any part.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.interpolate import make_interp_spline

from skdyn._validation import as_floats
from skdyn.operators._grids import check_grid
from skdyn.operators._named_fields import (
    CLOSE,
    Axis,
    NamedDims,
    Names,
    extent_of,
    is_named,
    read_named,
    same_points,
)

__all__ = ["Names", "answered", "is_named", "plain_inputs", "plain_targets"]


def plain_inputs(model: Any, X: Any) -> Any:
    """Return inputs as an array in the order of ``fit``, at the points of ``fit``.

    Parameters
    ----------
    model : estimator
        Fitted, with ``_names``.
    X : DataArray, Dataset or anything else
        Inputs; what has no names stays as it is.

    Returns
    -------
    ndarray, or X
    """
    if not is_named(X):
        return X
    values, named = read_named(X, "X", model._names.x)
    return _at_points_of_fit(model, values, named)[0]


def plain_targets(model: Any, y: Any) -> Any:
    """Return targets as an array in the order of ``fit``.

    Parameters
    ----------
    model : estimator
        Fitted, with ``_names``.
    y : DataArray, Dataset or anything else
        Targets; what has no names stays as it is.

    Returns
    -------
    ndarray, or y
    """
    return read_named(y, "y", model._names.y)[0] if is_named(y) else y


def answered(model: Any, X: Any, grid: Any, answer: Callable[..., Any]) -> Any:
    """Answer a question that has names.

    Parameters
    ----------
    model : estimator
        Fitted, with ``_names``.
    X : DataArray or Dataset
        Inputs.
    grid : int, tuple of int, mapping of str to array-like, DataArray, Dataset or None
        Grid of the answers: points of each axis, or their coordinates by name, which may be any in
        the domain.
    answer : callable
        ``answer(X)`` or ``answer(X, grid)`` of arrays returns an array, or a tuple of them.

    Returns
    -------
    DataArray, or tuple of DataArray
        With the dimensions of the targets in ``fit``, and the coordinates of X.
    """
    values, named = read_named(X, "X", model._names.x)
    values, moved = _at_points_of_fit(model, values, named)
    places = _places(model, grid, named)
    grid = check_grid(None if places is not None else grid, "grid")
    y = _names_of_answers(model, named)
    sizes = grid or _grid_of_answers(model, values, y)
    shown, wanted = [], []
    for axis, n_points in zip(y.axes, sizes, strict=True):
        own = None if grid else _shared_axis(model, axis, named, n_points, moved)
        spread = _spread(model, axis, n_points)
        asked = own if own is not None and axis.name in moved else None
        shown.append(spread if own is None or asked is not None else own)
        wanted.append(asked if places is None or axis.name not in places else places[axis.name])
    found = answer(values) if grid is None else answer(values, grid)

    def dressed(array):
        fields = array.reshape(len(array), -1, *(axis.n_points for axis in shown))
        for number, (now, then) in enumerate(zip(shown, wanted, strict=True), start=2):
            if then is not None and not _alike(now, then):
                fields = _moved(fields, number, _between(model, now, then, beyond=True))
        axes = [one if then is None else then for one, then in zip(shown, wanted, strict=True)]
        return _with_names(fields, X, y, named.case, axes)

    return tuple(map(dressed, found)) if isinstance(found, tuple) else dressed(found)


# -- where questions lie -----------------------------------------------------------------------


def _at_points_of_fit(model, values, named):
    """Interpolate where coordinates are not those of a grid on the whole domain of ``fit``."""
    moved, known = set(), model._names.x
    first = values.ndim - len(named.axes)
    for number, axis in enumerate(named.axes, start=first):
        then = None if known is None else known.axes[number - first]
        if then is None or axis.points is None or then.points is None:
            continue
        if not hasattr(model, "_x_layout"):
            if not same_points(axis, then):
                raise ValueError(_elsewhere(axis, then, "Pass it at the same points."))
        elif not _same_domain(model, axis, then):
            values = _moved(values, number, _between(model, axis, then))
            moved.add(axis.name)
    return values, moved


def _same_domain(model, axis, then):
    """Tell whether two grids cover the same domain, as those without coordinates would."""
    if same_points(axis, then):
        return True
    now, old = _even(axis), _even(then)
    if now is None or old is None:
        return False
    close = CLOSE * abs(old[1])
    if model.periodic:
        lengths = axis.n_points * now[1], then.n_points * old[1]
    else:
        lengths = (axis.n_points - 1) * now[1], (then.n_points - 1) * old[1]
    return abs(now[0] - old[0]) <= close and abs(lengths[0] - lengths[1]) <= close


def _even(axis):
    """Return first point and step of evenly spaced points; None for others."""
    points = as_floats(axis.points)
    if len(points) < 2:
        return None
    step = (points[-1] - points[0]) / (len(points) - 1)
    off = np.abs(points - np.linspace(points[0], points[-1], len(points))).max()
    return (points[0], step) if off <= CLOSE * abs(step) and step else None


def _between(model, axis, then, beyond=False):
    """Return the matrix from values at the points of one axis to those of another.

    With ``beyond`` the second is what was asked for, and may be any part of the domain.
    """
    if getattr(model, "resolution", "resample") == "native" and not beyond:
        raise ValueError(_elsewhere(axis, then, "Set resolution='resample' to interpolate."))
    points, places = as_floats(axis.points), as_floats(then.points)
    if model.periodic:
        return _periodic_matrix(axis, then, beyond)
    order = np.argsort(points)
    points = points[order]
    twice = len(points) > 1 and np.diff(points).min() <= 0
    old = points if beyond else places
    slack = (0.5 + CLOSE) * abs(old[-1] - old[0]) / max(len(old) - 1, 1)
    ends = points[0] - places.min(), places.max() - points[-1]  # what is missing, if positive
    if twice or max(ends) > slack or (not beyond and min(ends) < -slack):
        raise ValueError(_outside(axis, then, beyond))
    matrix = np.empty((len(places), len(points)))
    spline = make_interp_spline(points, np.eye(len(points)), k=min(3, len(points) - 1))
    matrix[:, order] = spline(places)
    return matrix


def _periodic_matrix(axis, then, beyond):
    """Return values of the trigonometric interpolant, at any places of a circle."""
    even = _even(axis)
    if even is None:
        raise ValueError(_outside(axis, then, beyond))
    (start, step), n = even, axis.n_points
    if not beyond:
        own = _even(then)
        length = then.n_points * abs(own[1]) if own else 0.0
        if abs(n * abs(step) - length) > CLOSE * length / then.n_points:
            raise ValueError(_outside(axis, then, beyond))
    k = np.round(np.fft.fftfreq(n) * n)
    k = k[2 * np.abs(k) <= (n if beyond else then.n_points)]
    u = (as_floats(then.points) - start) / step
    waves = np.exp(2j * np.pi / n * np.outer(u, k))
    return (waves @ np.exp(-2j * np.pi / n * np.outer(k, np.arange(n)))).real / n


def _elsewhere(axis, then, remedy):
    return f"X lies {extent_of(axis)}, but the model was fitted {extent_of(then)}. {remedy}"


def _outside(axis, then, beyond):
    if beyond:
        return (
            f"Answers are known {extent_of(axis)}, but grid asks for some {extent_of(then)}. Ask "
            "for places within."
        )
    return _elsewhere(
        axis, then,
        "An operator reads a function on the whole domain: pass it there, and ask for answers on a "
        f"part by predict(X, grid={{{axis.name!r}: places}}). Cut what is longer, X.sel("
        f"{axis.name}=slice(first, last)).",
    )  # fmt: skip


def _moved(fields, number, matrix):
    return np.ascontiguousarray((fields.swapaxes(number, -1) @ matrix.T).swapaxes(number, -1))


# -- where answers lie -------------------------------------------------------------------------


def _places(model, grid, named):
    """Return axes that answers were asked on by coordinates; None where they were not."""
    if is_named(grid):
        of_answers = {axis.name for axis in _names_of_answers(model, named).axes}
        grid = {name: grid[name].values for name in grid.coords if name in of_answers}
    elif not isinstance(grid, Mapping):
        return None
    of_answers = [axis.name for axis in _names_of_answers(model, named).axes]
    unknown = sorted({*grid} - {*of_answers}, key=str)
    if unknown or not hasattr(model, "_y_layout"):
        raise ValueError(
            f"grid has coordinates for {unknown}, but answers have the axes {of_answers}."
        )
    places = {}
    for name, points in grid.items():
        points = np.atleast_1d(as_floats(points))
        if points.ndim != 1 or not len(points) or not np.isfinite(points).all():
            raise ValueError(f"grid[{name!r}] must be a row of finite numbers; got {points!r}.")
        places[name] = Axis(name, len(points), points)
    return places


def _names_of_answers(model, named):
    """Return the names of the targets in ``fit``, or those that inputs lend them."""
    if model._names.y is not None:
        return model._names.y
    layout = model._y_layout
    known = named if model._names.x is None else model._names.x
    axes = [Axis(f"axis_{number}", n, None) for number, n in enumerate(layout.grid)]
    if len(axes) == len(known.axes):
        axes = [Axis(a.name, n, None) for a, n in zip(known.axes, layout.grid, strict=True)]
        if layout.grid == model._x_layout.grid:
            axes = known.axes
    alone = layout.n_channels == 1 and layout.ndim < 2 + len(axes)
    channel = "" if alone else named.channel or "channel"
    channel = "" if not axes and layout.ndim == 1 else channel
    dims = [named.case, *([channel] if channel else []), *(axis.name for axis in axes)]
    return NamedDims(dims, named.case, channel, [], axes)


def _grid_of_answers(model, values, y):
    """Return the grid that a model answers such inputs on."""
    if not hasattr(model, "_x_layout"):
        return tuple(axis.n_points for axis in y.axes)
    here, there = model._x_layout.grid, model._y_layout.grid
    return values.shape[values.ndim - len(here) :] if there == here else there


def _shared_axis(model, axis, named, n_points, moved):
    """Return the axis of the question that answers share; None where theirs is another one."""
    asked = next((one for one in named.axes if one.name == axis.name), None)
    if asked is None or (asked.n_points != n_points and axis.name not in moved):
        return None
    if model._names.x is not None:
        then = next(one for one in model._names.x.axes if one.name == axis.name)
        apart = then.points is not None and axis.points is not None and not same_points(then, axis)
        if then.n_points != axis.n_points or apart:
            return None
    return _spread(model, axis, n_points) if asked.points is None else asked


def _spread(model, axis, n_points):
    """Return an axis with another number of points on the same domain."""
    if axis.n_points == n_points or axis.points is None or axis.n_points < 2:
        kept = axis.points if axis.n_points == n_points else None
        return Axis(axis.name, n_points, kept)
    first, last = axis.points[0], axis.points[-1]
    if getattr(model, "periodic", False):
        step = (last - first) / (axis.n_points - 1) * axis.n_points / n_points
        return Axis(axis.name, n_points, first + step * np.arange(n_points))
    return Axis(axis.name, n_points, np.linspace(first, last, n_points))


def _alike(now, then):
    return now.points is None or np.array_equal(now.points, then.points)


def _with_names(fields, X, y, case, axes):
    """Return a DataArray in the order of the targets in ``fit``, with coordinates."""
    xarray: Any = sys.modules["xarray"]
    kept = {name: c for name, c in X.coords.items() if {*c.dims} <= {case}}
    coords = kept | {axis.name: _own_kind(X, axis) for axis in axes if axis.points is not None}
    if y.labels:
        coords[y.channel] = y.labels
    dims = [case, *([y.channel] if y.channel else []), *(axis.name for axis in axes)]
    fields = fields if y.channel else fields[:, 0]
    return xarray.DataArray(fields, coords=coords, dims=dims).transpose(
        *(case if dim == y.case else dim for dim in y.dims)
    )


def _own_kind(X, axis):
    """Return coordinates, as X has them if they are the same."""
    own = X.coords[axis.name].values if axis.name in X.coords else axis.points
    return own if np.array_equal(own, axis.points) else axis.points
