"""The convention for functions: how they come, how they go, and how a resolution changes.

====================  ============================================================================
array                 meaning
====================  ============================================================================
``(n, width)``        one channel on ``width`` points; with ``grid_shape``, as many channels as fit
``(n, channels, *g)`` fields on a grid of one, two, three axes
``(n, *g)``           one channel, where ``grid_shape`` has these two or three axes
``(n,)``, ``(n, 1)``  as targets: one number per sample
``(n, k)``            as targets, with ``targets="numbers"``: k numbers per sample
====================  ============================================================================

Predictions take the layout of the targets in ``fit``. A resolution changes only when that is said:
by X with its axes written out, or by ``predict(X, grid=...)``. Along an axis that is not periodic
the first and the last point are the ends of the domain; along a periodic one the last point is a
step before the first. Arrays have no extents: each is taken for the whole domain. Data with names
have, see :mod:`~skdyn.operators._named_fields`.

Estimators of functions have the parameters ``grid_shape``, ``periodic`` and ``resolution``, where
targets are read also ``targets``; they keep ``_x_layout``, ``_y_layout`` and ``_names``.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from numbers import Integral
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.interpolate import make_interp_spline
from sklearn.utils import check_consistent_length

from skdyn._state import check_size
from skdyn._validation import (
    Interval,
    StrOptions,
    check_array,
    check_sizes,
    from_torch,
    is_whole,
    validate_data,
)
from skdyn.operators._doubts import doubt_inputs, doubt_targets
from skdyn.operators._named_fields import (
    Names,
    check_grid_of,
    check_same_axes,
    is_named,
    read_named,
)

__all__ = [
    "GRID_CONSTRAINTS",
    "TARGET_CONSTRAINTS",
    "Layout",
    "check_grid",
    "check_layouts",
    "interpolation_matrix",
    "read_inputs",
    "read_queries",
    "read_targets",
    "resample",
]

_Fields = TypeVar("_Fields", np.ndarray, torch.Tensor)

GRID_CONSTRAINTS = {
    "grid_shape": ["array-like", Interval(Integral, 1, None, closed="left"), None],
    "periodic": ["boolean"],
    "resolution": [StrOptions({"resample", "native"})],
}
TARGET_CONSTRAINTS = {"targets": [StrOptions({"auto", "functions", "numbers"})]}
_FEW_NUMBERS = 4  # columns of y that are rather numbers than points


class Layout(NamedTuple):
    """How the functions of an array are laid out.

    Attributes
    ----------
    n_channels : int
        Values at a point.
    grid : tuple of int
        Points of each axis; empty for numbers, which are channels.
    ndim : int
        Axes of the array: 1 for one number per sample, 2 for more or for flattened fields, else
        ``2 + len(grid)``, or ``1 + len(grid)`` without an axis of the one channel.
    """

    n_channels: int
    grid: tuple[int, ...]
    ndim: int

    def fields(self, array: np.ndarray) -> np.ndarray:
        """Write out the axes.

        Parameters
        ----------
        array : ndarray
            Functions in this layout.

        Returns
        -------
        ndarray of shape (n, n_channels, \\*grid)
        """
        return array.reshape(len(array), self.n_channels, *self.grid)

    def array(self, fields: np.ndarray) -> np.ndarray:
        """Lay fields out; their grid may be another one.

        Parameters
        ----------
        fields : ndarray of shape (n, n_channels, \\*grid)
            Fields.

        Returns
        -------
        ndarray
        """
        n = len(fields)
        if self.ndim > 2 and self.ndim == 1 + len(self.grid):
            return fields[:, 0]
        return fields.reshape({1: (n,), 2: (n, -1)}.get(self.ndim, fields.shape))


def check_grid(grid: Any, name: str) -> tuple[int, ...] | None:
    """Return the shape of a grid as a tuple of positive integers, or None.

    Parameters
    ----------
    grid : int, array-like of int or None
        The shape.
    name : str
        What the user calls it.

    Returns
    -------
    tuple of int or None

    Raises
    ------
    ValueError
        If it is not one, two or three positive integers.
    """
    if grid is None:
        return None
    shape = tuple(np.atleast_1d(np.asarray(grid, dtype=object)).tolist())
    if not 1 <= len(shape) <= 3 or not all(is_whole(n, 1) for n in shape):
        raise ValueError(f"{name} must be one to three positive integers; got {grid!r}.")
    return tuple(int(n) for n in shape)


def _flat_layout(width, grid, name):
    if width % prod(grid):
        raise ValueError(
            f"{name} has {width} columns, which is no multiple of the {prod(grid)} points of the "
            f"grid {grid}. Set grid_shape to the grid that the rows were flattened from, or pass "
            f"{name} with its axes, as (n_samples, n_channels, *grid)."
            + (" For numbers set targets='numbers'." if name == "y" else "")
        )
    return Layout(width // prod(grid), grid, 2)


def input_layout(X, grid_shape):
    """Return the layout of inputs."""
    if X.ndim == 2:
        return _flat_layout(X.shape[1], grid_shape or (X.shape[1],), "X")
    grid = X.shape[2:]
    if X.ndim > 5 or 0 in X.shape:
        raise ValueError(
            "X must be of shape (n_samples, n_channels, *grid) with one to three axes of the grid, "
            f"none of them empty; got {X.shape}."
        )
    if grid_shape is not None and grid != grid_shape:
        raise ValueError(
            f"X of shape {X.shape} is on a grid {grid}, but grid_shape={grid_shape}. Leave "
            "grid_shape=None where X has its axes written out, or make the two agree."
        )
    return Layout(X.shape[1], grid, X.ndim)


def target_layout(y, grid_shape, inputs, targets="auto"):
    """Return the layout of targets."""
    if y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
        return Layout(1, (), y.ndim)
    if y.ndim == 2 and _are_numbers(y.shape[1], grid_shape, inputs.grid, targets):
        return Layout(y.shape[1], (), 2)
    if targets == "numbers":
        raise ValueError(
            f"targets='numbers' needs y of shape (n_samples,) or (n_samples, n_numbers); got "
            f"{y.shape}. Set targets='functions' for fields."
        )
    if y.ndim == 2:
        one_axis = grid_shape is None and len(inputs.grid) == 1
        return _flat_layout(y.shape[1], (y.shape[1],) if one_axis else inputs.grid, "y")
    if y.ndim > 5 or 0 in y.shape:
        raise ValueError(
            "y must be of shape (n_samples,), (n_samples, width) or (n_samples, n_channels, *grid) "
            f"with one to three axes of the grid; got {y.shape}."
        )
    if y.shape[1:] in (inputs.grid, grid_shape):  # of two axes or more: the channel is left out
        return Layout(1, y.shape[1:], y.ndim)
    return Layout(y.shape[1], y.shape[2:], y.ndim)


def _are_numbers(width, grid_shape, grid, targets):
    """Whether rows of targets hold numbers rather than functions."""
    if targets != "auto":
        return targets == "numbers"
    one_axis = grid_shape is None and len(grid) == 1
    fits = width == grid[0] if one_axis else width % prod(grid) == 0
    return width <= _FEW_NUMBERS and not fits


def _n_axes(X):
    """Return the axes of an array-like; numpy's own function refuses some of them."""
    return X.ndim if hasattr(X, "ndim") else np.asarray(from_torch(X)).ndim


def _with_channel(X, grid):
    """Write out the axis of the only channel where there are axes of the grid alone."""
    if grid is None or len(grid) < 2 or _n_axes(X) != 1 + len(grid):
        return X
    return np.asarray(from_torch(X))[:, None]


def check_layouts(state):
    """Refuse grids that neither the columns of X nor the module's configuration bear out."""
    if "_x_layout" not in state:
        return
    x, y, config = state["_x_layout"], state["_y_layout"], state.get("_module_config", {})
    for layout, side in ((x, "inputs"), (y, "outputs")):
        points = layout.n_channels * prod(layout.grid)
        check_size(points, 0, f"The number of points of the {side}")
        if min((layout.n_channels, *layout.grid)) < 1 or layout.ndim > 5:
            raise ValueError(f"The layout of the {side}, {layout}, is none.")
    if x.ndim == 2 and state["n_features_in_"] != x.n_channels * prod(x.grid):
        raise ValueError(f"{x} has not n_features_in_={state['n_features_in_']} columns.")
    if x.ndim > 2 and (state["n_features_in_"], x.ndim) != (x.n_channels, 2 + len(x.grid)):
        raise ValueError(f"{x} has not n_features_in_={state['n_features_in_']} channels.")
    told = {"n_inputs": x.n_channels, "grid": x.grid, "output_grid": y.grid}
    told |= {"n_sensors": prod(x.grid)}
    for name in told.keys() & config.keys():
        if config[name] != told[name]:
            raise ValueError(f"{name} of the module is {config[name]}, that of the data "
                             f"{told[name]}.")  # fmt: skip


def read_inputs(model, X: ArrayLike, *, reset: bool) -> np.ndarray:
    """Validate the inputs of ``fit``; return fields ``(n, channels, *grid)``."""
    dtypes, grid_shape = [np.float64, np.float32], check_grid(model.grid_shape, "grid_shape")
    named = is_named(X)
    X = _named_inputs(model, X, grid_shape, reset) if named else _with_channel(X, grid_shape)
    X = validate_data(model, X, reset=reset, dtype=dtypes, allow_nd=True)
    layout = input_layout(X, grid_shape)
    if reset:
        model._x_layout = layout
        if not named:
            model._names = Names()
            doubt_inputs(layout.fields(X), layout.ndim == 2, grid_shape)
    elif layout[:2] != model._x_layout[:2]:
        raise ValueError(
            f"X has {layout.n_channels} channels on a grid {layout.grid}, but the model was "
            f"started with {model._x_layout.n_channels} on {model._x_layout.grid}."
        )
    return layout.fields(X)


def _named_inputs(model, X, grid_shape, reset):
    """Read inputs with names, and note these."""
    known = None if reset else model._names.x
    X, named = read_named(X, "X", known)
    grid = tuple(axis.n_points for axis in named.axes)
    if not grid:
        raise ValueError(
            f"X has no dimension besides {tuple(named.dims)}, but functions have at least one. "
            "Spread parameters over the grid of the functions, as variables of one Dataset with "
            "these are."
        )
    if grid_shape not in (None, grid):
        raise ValueError(
            f"X is on a grid {grid}, but grid_shape={grid_shape}. Names say it: leave "
            "grid_shape=None."
        )
    if known is not None:
        check_same_axes(named, known, "X")
    if reset:
        check_grid_of(named, "X")
        model._names = Names(named)
    return X


def _named_targets(model, y, reset):
    """Read targets with names, and note these; return their layout too."""
    x, known = model._names if not reset else (model._names.x, None)
    y, named = read_named(y, "y", known, [axis.name for axis in x.axes] if x else ())
    grid = tuple(axis.n_points for axis in named.axes)
    if bool(grid) == (model.targets == "numbers") and model.targets != "auto":
        raise ValueError(
            f"y has the dimensions {tuple(named.dims)}, but targets={model.targets!r}. Names say "
            "it: leave targets='auto'."
        )
    if known is not None:
        check_same_axes(named, known, "y")
    if reset:
        check_grid_of(named, "y")
        model._names = model._names._replace(y=named)
    n_axes = 1 + bool(named.channel) + len(grid)
    return y, Layout(y.shape[1] if named.channel else 1, grid, n_axes)


def read_targets(model, X: np.ndarray, y: ArrayLike, *, reset: bool) -> np.ndarray:
    """Validate the targets of ``fit``; return fields ``(n, channels, *grid)``."""
    if y is None:
        raise ValueError(
            f"{type(model).__name__} requires y to be passed, but the target y is None. Pass "
            "one function or number per sample."
        )
    y, told = _named_targets(model, y, reset) if is_named(y) else (y, None)
    y = check_array(
        y, dtype="numeric", ensure_2d=False, allow_nd=True, input_name="y", estimator=model
    )
    check_consistent_length(X, y)
    grid_shape, inputs = check_grid(model.grid_shape, "grid_shape"), model._x_layout
    layout = told or target_layout(y, grid_shape, inputs, model.targets)
    if reset:
        model._y_layout = layout
        if model.targets == "auto" and told is None:
            same = layout.grid == inputs.grid
            doubt_targets(layout.fields(y), y.shape, same, grid_shape)
    elif layout[:2] != model._y_layout[:2]:
        raise ValueError(
            f"y has {layout.n_channels} channels on a grid {layout.grid}, but the model was "
            f"started with {model._y_layout.n_channels} on {model._y_layout.grid}."
        )
    y = layout.fields(y if y.dtype == np.float32 else y.astype(np.float64, copy=False))
    check_sizes(y, "y", model._exponents)
    return y


def read_queries(model, X: ArrayLike, grid: Any = None) -> tuple[np.ndarray, tuple[int, ...]]:
    """Validate inputs of ``predict``; return fields on their own grid, and that of the answer.

    Without a ``grid`` the answers stay on the grid of the targets in ``fit``, except where
    that was also the grid of X: then they are on that of X.
    """
    grid = check_grid(grid, "grid")
    here, there = model._x_layout, model._y_layout
    if grid is not None and not there.grid:
        raise ValueError(f"grid={grid} has no meaning: the model predicts numbers, not fields.")
    if grid is not None and len(grid) != len(there.grid):
        raise ValueError(f"grid={grid} has not as many axes as that of the fit, {there.grid}.")
    X = _with_channel(X, here.grid if here.n_channels == 1 else None)
    fields = _read_fields(model, X) if _n_axes(X) > 2 else _read_flat(model, X, grid)
    same = there.grid == here.grid
    return fields, grid or (fields.shape[2:] if same else there.grid)


def _read_fields(model, X):
    layout, dtypes = model._x_layout, [np.float64, np.float32]
    if layout.ndim > 2 and _n_axes(X) == layout.ndim:
        X = validate_data(model, X, reset=False, dtype=dtypes, allow_nd=True)
    else:
        X = check_array(X, dtype=dtypes, allow_nd=True, input_name="X", estimator=model)
    if X.ndim != 2 + len(layout.grid) or X.shape[1] != layout.n_channels:
        raise ValueError(
            f"X of shape {X.shape} is not what the model was fitted on: {layout.n_channels} "
            f"channels on a grid of {len(layout.grid)} axes, as {layout.grid}."
        )
    return X


def _read_flat(model, X, grid):
    layout, dtypes = model._x_layout, [np.float64, np.float32]
    if layout.ndim == 2 and grid is not None:
        X = check_array(X, dtype=dtypes, input_name="X", estimator=model)
        width = X.shape[1]
        if width != model.n_features_in_ and width == layout.n_channels * prod(grid):
            return layout._replace(grid=grid).fields(X)
    if layout.ndim > 2 and _n_axes(X) == 2:
        raise ValueError(
            "X has two axes, but the model was fitted on fields (n_samples, "
            f"{layout.n_channels}, *{layout.grid}). Pass X with its axes."
        )
    return layout.fields(validate_data(model, X, reset=False, dtype=dtypes))


@lru_cache(maxsize=64)
def interpolation_matrix(n_from: int, n_to: int, *, periodic: bool) -> np.ndarray:
    """Return the matrix that takes values on one grid of an axis to another.

    Parameters
    ----------
    n_from, n_to : int
        Points of the axis.
    periodic : bool
        True gives the trigonometric interpolant, exact for functions without frequencies that
        either grid cannot hold; False a cubic spline, the ends of both grids being the same.

    Returns
    -------
    ndarray of shape (n_to, n_from)
    """
    if not periodic:
        if n_from == 1:
            return np.ones((n_to, 1))
        x = np.linspace(0, 1, n_from)
        return make_interp_spline(x, np.eye(n_from), k=min(3, n_from - 1))(np.linspace(0, 1, n_to))
    fewer, whole = min(n_from, n_to), n_from * n_to
    # Places i / n_to - j / n_from of the kernel, in units of 1 / whole: exact, however many.
    apart = np.arange(n_to)[:, None] * n_from - np.arange(n_from) * n_to
    n_waves = fewer - 1 + fewer % 2  # of both signs, the mean included: an odd number
    sine = np.sin(np.pi / whole * apart)
    kernel = np.sin(np.pi / whole * (n_waves * apart % (2 * whole)))
    kernel = np.divide(kernel, sine, out=np.full(sine.shape, float(n_waves)), where=apart != 0)
    if fewer % 2 == 0 and n_to >= n_from:  # the highest frequency, of which half is seen
        kernel += np.cos(np.pi / whole * (fewer * apart % (2 * whole)))
    return kernel / n_from


@lru_cache(maxsize=16)
def _matrix_as(n_to, n_from, periodic, dtype, device):
    """Return :func:`interpolation_matrix` as a tensor, made once for all steps of a training."""
    with torch.inference_mode(False):  # it outlives the pass that asks for it first
        matrix = interpolation_matrix(n_from, n_to, periodic=periodic)
        return torch.from_numpy(matrix).to(device, dtype)


def resample(fields: _Fields, grid: tuple[int, ...], *, periodic: bool) -> _Fields:
    """Take fields to another grid.

    Parameters
    ----------
    fields : ndarray or Tensor of shape (n, channels, \\*grid)
        Fields.
    grid : tuple of int
        The grid to take them to, with as many axes.
    periodic : bool
        Whether the axes are.

    Returns
    -------
    ndarray or Tensor of shape (n, channels, \\*grid)
        What `fields` is, with gradients where that is a tensor.
    """
    for axis, n_to in enumerate(grid, start=2):
        if fields.shape[axis] != n_to:
            matrix = interpolation_matrix(fields.shape[axis], n_to, periodic=periodic)
            if isinstance(fields, torch.Tensor):
                matrix = _matrix_as(*matrix.shape, periodic, fields.dtype, fields.device)
            moved: Any = fields.swapaxes(axis, -1)
            fields = (moved @ matrix.T).swapaxes(axis, -1)
    return fields
