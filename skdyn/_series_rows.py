"""Labeled series as the rows of an estimator: what the classifier and the regressor do with them.

Functions that take an estimator, the bodies of the hooks that both bases of
:mod:`skdyn._series_estimator` share.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.base import is_classifier, is_regressor
from sklearn.utils.multiclass import check_classification_targets

from skdyn._outliers import held_in
from skdyn._scales import learn_column_scales, standardized
from skdyn._series import check_series
from skdyn._series_units import doubt_unit, learn_unit, refuse_lost_times, refuse_other_lengths
from skdyn._trajectories import Trajectories
from skdyn._validation import check_is_fitted, check_X_y
from skdyn.training import to_tensor
from skdyn.training._optimizers import FULL_BATCH

__all__ = [
    "SeriesRows",
    "TimedSeries",
    "answers",
    "encode",
    "hold_inputs",
    "learn_scales",
    "objective_of",
    "standard_values",
    "told",
    "validate",
]

_X_EDGE = 2.0  # where values far from all others are learned, as those of tables
_PREDICTION_POINTS = 2**15  # time points a forward pass at prediction: bounds memory


class TimedSeries(NamedTuple):
    """Series and their times, as they came.

    Attributes
    ----------
    X : array-like
        Series.
    t : array-like or None
        Times.
    """

    X: Any
    t: Any


class SeriesRows:
    """Checked series, one per row.

    Parameters
    ----------
    series : Trajectories
        Values, times and numbers of points.
    t : array-like or None
        Times as they came.
    """

    ndim = 3

    def __init__(self, series: Trajectories, t: Any) -> None:
        self.series, self.t = series, t
        self.shape = len(series.values), series.values.shape[2]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> SeriesRows:
        return SeriesRows(self.series.select(rows), self.t)


def told(X: TimedSeries, y: Any, sample_weight: Any) -> dict[str, Any]:
    """Return what callbacks are told of the data.

    Parameters
    ----------
    X : TimedSeries
        Series.
    y : array-like
        Targets.
    sample_weight : array-like or None
        Weights.

    Returns
    -------
    dict
    """
    metadata = {"t": X.t, "sample_weight": sample_weight}
    given = {name: value for name, value in metadata.items() if value is not None}
    return {"X": X.X, "y": y, "metadata": given or None}


def validate(estimator: Any, X: TimedSeries, y: Any, reset: bool) -> Any:
    """Return checked series and targets.

    Parameters
    ----------
    estimator : estimator
        Who reads them.
    X : TimedSeries
        Series.
    y : array-like
        Targets.
    reset : bool
        Whether this is a first fit.

    Returns
    -------
    X : SeriesRows
    y : ndarray
    """
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None. Pass "
            "one target per series."
        )
    rows = read(estimator, X, reset)
    refuse_other_lengths(y, len(rows))
    several = {"multi_output": True, "y_numeric": True} if is_regressor(estimator) else {}
    _, y = check_X_y(np.zeros((len(rows), 1)), y, estimator=estimator, **several)
    if is_classifier(estimator):
        check_classification_targets(y)
    return rows, y


def read(estimator: Any, X: TimedSeries, reset: bool) -> SeriesRows:
    """Return checked series.

    Parameters
    ----------
    estimator : estimator
        Who reads them.
    X : TimedSeries
        Series.
    reset : bool
        Whether this is a first fit.

    Returns
    -------
    SeriesRows
    """
    channel = estimator.time_channel
    if not reset and channel is None:
        refuse_lost_times(estimator, X.t)
    series = check_series(estimator, X.X, X.t, time_channel=channel, reset=reset)
    if not reset:
        doubt_unit(estimator, series)
    return SeriesRows(series, series.times if X.t is None and channel is not None else X.t)


def hold_inputs(X: SeriesRows, weight: np.ndarray | None, which: str) -> SeriesRows:
    """Hold in values far from all others.

    Parameters
    ----------
    X : SeriesRows
        Series.
    weight : ndarray of shape (n_cases,) or None
        Weights.
    which : str
        What the name of ``X`` ends in.

    Returns
    -------
    SeriesRows
    """
    n_cases, n_points, n_channels = X.series.values.shape
    columns = X.series.values.reshape(-1, n_channels)
    of_points = None if weight is None else np.repeat(weight, n_points)

    def place(row, channel):
        return f"case {row // n_points} channel {channel} point {row % n_points}"

    held = held_in(columns, of_points, f"X{which}", edge=_X_EDGE, place=place)
    if held is columns:
        return X
    values = held.reshape(n_cases, n_points, n_channels)
    return SeriesRows(X.series._replace(values=values), X.t)


def learn_scales(estimator: Any, X: SeriesRows, weight: np.ndarray | None) -> None:
    """Learn the units of channels and times.

    Parameters
    ----------
    estimator : estimator
        Who learns them.
    X : SeriesRows
        Series of fit.
    weight : ndarray of shape (n_cases,) or None
        Weights.
    """
    values = X.series.values
    n_points, n_channels = values.shape[1:]
    estimator.n_channels_ = n_channels
    of_points = None if weight is None else np.repeat(weight, n_points)
    scales = learn_column_scales(values.reshape(-1, n_channels), of_points)
    estimator._x_offset, estimator._x_scale = scales.mean, scales.scale
    learn_unit(estimator, X.series, X.t)
    if not estimator._step:
        raise ValueError(
            "Every series of X has a single point at which anything was seen, but a series needs "
            "at least 2."
        )
    steps = X.series.intervals
    estimator._even_times = bool(np.ptp(steps) <= 1e-6 * estimator._step)
    inside = np.arange(n_points) < X.series.n_points[:, None]
    estimator._has_gaps = bool((~X.series.observed & inside[:, :, None]).any())


def standard_values(estimator: Any, series: Trajectories) -> Trajectories:
    """Return series in deviations of the training data, NaN where nothing was seen.

    Parameters
    ----------
    estimator : estimator
        Fitted, or being so.
    series : Trajectories
        Series in the units of the data.

    Returns
    -------
    Trajectories
    """
    shape = series.values.shape
    columns = series.values.reshape(-1, shape[2])
    values = standardized(columns, estimator._x_offset, estimator._x_scale)
    return series._replace(values=values.reshape(shape))


def encode(estimator: Any, X: SeriesRows, y: np.ndarray, weight: np.ndarray) -> Any:
    """Return what batches are cut from: arrays of the network, targets and weights.

    Parameters
    ----------
    estimator : estimator
        Being fitted.
    X : SeriesRows
        Series.
    y, weight : ndarray of shape (n_cases, ...)
        Targets and weights.

    Returns
    -------
    tuple of ndarray
    """
    dtype = estimator._precision()
    inputs = estimator._network_inputs(standard_values(estimator, X.series))
    arrays = [array.astype(dtype) if array.dtype.kind == "f" else array for array in inputs]
    targets = estimator._encode_targets(y)
    if targets.dtype.kind == "f":
        targets = targets.astype(dtype)
    return *arrays, targets, weight / weight.mean()


@torch.no_grad()  # not inference_mode: some fields differentiate inside
def answers(estimator: Any, X: TimedSeries) -> np.ndarray:
    """Return the outputs of the network, computed in blocks of time points.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : TimedSeries
        Series.

    Returns
    -------
    ndarray of shape (n_cases, n_outputs)
    """
    check_is_fitted(estimator)
    series = read(estimator, X, reset=False).series
    module = estimator._module_for(np.dtype("float64"))
    like = next(module.parameters())
    n_each = max(1, _PREDICTION_POINTS // series.values.shape[1])
    order = np.argsort(series.n_points, kind="stable")  # blocks are cut to their longest series
    parts = []
    for start in range(0, len(order), n_each):
        block = series.select(order[start : start + n_each])
        inputs = map(to_tensor, estimator._network_inputs(standard_values(estimator, block)))
        inputs = [x.to(like) if x.is_floating_point() else x.to(like.device) for x in inputs]
        parts.append(module(*inputs).cpu())
    answered = torch.cat(parts).numpy()
    return answered[np.argsort(order)]


def objective_of(estimator: Any, generator: torch.Generator) -> Any:
    """Return the weighted mean of each series' loss; the network may leave things out by chance.

    Parameters
    ----------
    estimator : estimator
        Being fitted.
    generator : torch.Generator
        Source of what is left out.

    Returns
    -------
    callable
    """

    source = None if estimator.optimizer in FULL_BATCH else generator  # they need one function

    def objective(module, *arrays):
        *inputs, y, weight = arrays
        return (estimator._row_loss(module(*inputs, source), y) * weight).mean()

    return objective
