"""Warnings where data were perhaps not meant as the convention reads them.

A function is known by its neighbors: values at points side by side go together over the samples,
by a correlation near one for what is smooth on its grid, while columns of a table, or channels,
mostly do not. Nothing is changed by a doubt; each warning names what says clearly what was meant.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdyn.exceptions import warn_user
from skdyn.operators._corrections import mean_square

__all__ = ["ALIKE", "FEW_CHANNELS", "are_neighbors", "doubt_channels", "doubt_inputs",
           "doubt_targets", "doubt_worth", "likeness"]  # fmt: skip

ALIKE = 0.5  # functions on 8 points and more have .85 to 1, most tables 0 to .5
_FEWEST_SAMPLES = 4  # that a correlation says anything of
_SAMPLES = 256  # that are looked at: bounds time and memory
_HARDLY_WORSE = 1.02  # than the mean of the targets: pure noise is answered so
_ENOUGH = 30  # samples: of fewer, nothing else would make more
_LITTLE = 0.7  # of the error of the mean of functions: half of the variance is not explained
FEW_CHANNELS = 4  # components and colors are no more, and no axis of space is as short


def likeness(values: np.ndarray) -> float | None:
    """Return the mean correlation, over samples and points, of neighbors along the second axis.

    Parameters
    ----------
    values : ndarray of shape (n, m, ...)
        Values.

    Returns
    -------
    float or None
        None where nothing can be said: few samples, or less than two columns that move.
    """
    if len(values) < _FEWEST_SAMPLES or values.shape[1] < 2:
        return None
    values = values[:_SAMPLES].astype(np.float64)
    size = np.abs(values).max(axis=0)
    values = values / np.where(size > 0, size, 1.0)  # squares of tiny units would vanish
    values = values - values.mean(axis=0)
    values = values.swapaxes(1, -1).reshape(-1, values.shape[1])
    lengths = np.linalg.norm(values, axis=0)
    products = lengths[1:] * lengths[:-1]
    there = products > 1e-12 * len(values)
    if not there.any():
        return None
    return float(((values[:, 1:] * values[:, :-1]).sum(axis=0)[there] / products[there]).mean())


def doubt_inputs(X: np.ndarray, flat: bool, grid_shape: tuple[int, ...] | None) -> None:
    """Warn of flat rows that are no functions, and of channels that are an axis of space.

    Parameters
    ----------
    X : ndarray of shape (n, channels, \\*grid)
        Inputs, as they were read.
    flat : bool
        Whether they came as rows.
    grid_shape : tuple of int or None
        What was said of the grid; there is no doubt where something was.
    """
    if grid_shape is not None:
        return
    if not flat:
        doubt_channels(X, "X")
        return
    n_points = X.shape[2]
    alike = likeness(X[:, 0])
    if n_points > 1 and (alike is None or alike >= ALIKE):
        return
    warn_user(
        f"The rows of X are read as functions on {n_points} points, but their columns have little "
        "to do with their neighbors. If they are parameters of functions, give each as a channel "
        "that is constant in space, standardized: X[:, :, None].repeat(n_points, axis=2); if they "
        "are a table for numbers or classes, take an estimator of tables. If they are functions, "
        f"say so with grid_shape={n_points}."
    )


def are_neighbors(fields: np.ndarray) -> bool:
    """Whether channels go together as points of an axis of space do.

    Parameters
    ----------
    fields : ndarray of shape (n, channels, ...)
        Fields, as they were read.

    Returns
    -------
    bool
    """
    return fields.shape[1] > FEW_CHANNELS and (likeness(fields) or 0.0) >= ALIKE


def doubt_channels(fields: np.ndarray, name: str) -> None:
    """Warn of channels that look like an axis of space.

    Parameters
    ----------
    fields : ndarray of shape (n, channels, \\*grid)
        Fields, as they were read.
    name : str
        What the user calls them.
    """
    n_channels, grid = fields.shape[1], fields.shape[2:]
    if not are_neighbors(fields):
        return
    last = f"np.moveaxis({name}, -1, 1) if channels come last, "
    without = f"grid_shape={(n_channels, *grid)} if there is no axis of channels, "
    warn_user(
        f"{name} of shape {fields.shape} is read as {n_channels} channels on a grid {grid}, but "
        "they go together as neighbors in space do: axes are (n_samples, n_channels, *grid). Use "
        f"{without if len(grid) < 3 else ''}{last if len(grid) > 1 else ''}or grid_shape={grid} to "
        "say that they are channels."
    )


def doubt_targets(
    y: np.ndarray, shape: Sequence[int], same_grid: bool, grid_shape: tuple[int, ...] | None
) -> None:
    """Warn where rows of targets were taken for numbers, or may well be some.

    Parameters
    ----------
    y : ndarray of shape (n, channels, \\*grid) or (n, n_numbers)
        Targets, as they were read by ``targets="auto"``.
    shape : tuple of int
        Shape as they came.
    same_grid : bool
        Whether their grid is that of X.
    grid_shape : tuple of int or None
        What was said of the grid.
    """
    if len(shape) > 2:
        if grid_shape is None:
            doubt_channels(y, "y")
        return
    if len(shape) == 1 or shape[1] == 1 or same_grid:
        return
    if y.ndim == 2:
        warn_user(
            f"y of shape {shape} is taken for {shape[1]} numbers per sample. Say so with "
            "targets='numbers', or targets='functions' if they are values of a function on "
            f"{shape[1]} points."
        )
    elif (alike := likeness(y[:, 0])) is not None and alike < ALIKE:
        warn_user(
            f"y of shape {shape} is read as functions on {shape[1]} points, but its columns have "
            "little to do with their neighbors. Set targets='numbers' if they are numbers "
            "without an order, or targets='functions' if they are functions."
        )


def doubt_worth(model: Any, y: np.ndarray, weight: np.ndarray) -> None:
    """Warn where a model answers samples left out worse than, or hardly better than, the mean.

    Parameters
    ----------
    model : estimator
        With ``left_out_error_``.
    y : ndarray of shape (n, channels, \\*grid) or (n, n_numbers)
        Targets.
    weight : ndarray of shape (n,)
        Weight of each.
    """
    n, rounding, error = len(y), 1e-9 * abs(y).max(), model.left_out_error_
    spread = mean_square(y - np.average(y, axis=0, weights=weight), weight).mean()
    trivial = np.sqrt(spread) * n / max(n - 1, 1)  # without the sample
    most = _LITTLE if y.ndim > 2 else _HARDLY_WORSE
    if n < 2 or error <= most * trivial + rounding:
        return
    told = f"its error on samples left out is {error:.3g}, that of the mean {trivial:.3g}."
    name = type(model).__name__
    if error > _HARDLY_WORSE * trivial + rounding:
        known = f" Does symmetry={model.symmetry!r} hold?" if model.symmetry else ""
        warn_user(
            f"{name} is no better than the mean of the targets: {told}{known} Pass more samples, "
            "or look for what X cannot tell."
        )
    elif n >= _ENOUGH:
        warn_user(
            f"{name} explains less than half of the variance: {told} Where things travel, inputs "
            "that are near for a kernel have answers that are not: try FNORegressor, or pass more "
            "samples."
        )
