"""Labeled series in every layout the estimators accept, checked and laid out alike."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from skdyn._cases import ragged_values, split_time, times_of_cases
from skdyn._times import are_even
from skdyn._trajectories import Trajectories, doubt_axes, is_list_of_cases
from skdyn._validation import check_sizes, from_torch, validate_data

__all__ = ["Paths", "check_series", "laid_paths", "reads_series", "values_at"]

_LAYOUTS = (
    "Series are (n_cases, n_channels, n_timepoints), a list of (n_channels, n_timepoints_i), or a "
    "table (n_cases, n_timepoints) of one channel; skdyn.sequence.series_from_frame makes such a "
    "list of frames."
)


def reads_series(estimator: BaseEstimator) -> bool:
    """Tell estimators of labeled series, where a row of a table is a series of one channel.

    Parameters
    ----------
    estimator : estimator
        Its class says so by ``_reads_series = True``.

    Returns
    -------
    bool
    """
    return getattr(estimator, "_reads_series", False)


def check_series(
    estimator: BaseEstimator,
    X: Any,
    t: Any = None,
    *,
    time_channel: int | None = None,
    reset: bool,
    name: str = "X",
    t_name: str = "t",
) -> Trajectories:
    """Validate labeled series in any accepted layout.

    A time at which no channel was seen is no point of a case: it is left out, so that padding and
    rows of NaN change nothing.

    Parameters
    ----------
    estimator : estimator
        Whose ``n_features_in_`` and feature names are set (``reset=True``) or compared: the number
        of channels, or of columns of a table.
    X : array-like
        ``(n_cases, n_channels, n_timepoints)``, a list of ``(n_channels, n_timepoints_i)``, or a
        table ``(n_cases, n_timepoints)`` of one channel. NaN marks missing values.
    t : array-like or None, default=None
        Times: one row for all cases, one row per case, or a list for unequal lengths; None counts
        0, 1, 2, ...
    time_channel : int or None, default=None
        Channel of ``X`` that holds the times.
    reset : bool
        Whether this is a fit.
    name : str, default="X"
        Name of ``X`` in messages.
    t_name : str, default="t"
        Name of ``t`` in messages.

    Returns
    -------
    Trajectories
        Values, times and numbers of points, padded with NaN to the longest case.

    Raises
    ------
    ValueError
        If the layout, the values or the times cannot be used; the message names the case.
    """
    if time_channel is not None and t is not None:
        raise ValueError("Times came twice, in t and in time_channel; leave one of them out.")
    if time_channel is None and t is None:
        _refuse_uneven_columns(X, name)
    X = from_torch(X)
    values: Any = _values(estimator, X, reset, name)
    if time_channel is None:
        times = times_of_cases(from_torch(t), values, t_name)
    else:
        values, times = split_time(values, time_channel, name)
    _check_lengths(values, name)
    series = _without_unseen_times(values, times, name)
    _check_times(series, t_name)
    if reset:
        _check_channels(series, name)
        doubt_axes(series, name, _LAYOUTS)
    return series


class Paths(NamedTuple):
    """Series without gaps.

    Attributes
    ----------
    values : ndarray of shape (n_cases, n_timepoints, n_channels)
        Straight lines through what was seen, held at both ends; after a case's end its last ones.
    times : ndarray of shape (n_cases, n_timepoints)
        After a case's end its last one.
    seen : ndarray of bool of shape (n_cases, n_timepoints, n_channels)
        Which values were seen.
    """

    values: np.ndarray
    times: np.ndarray
    seen: np.ndarray

    def select(self, cases: Any) -> "Paths":
        """Return some of the cases.

        Parameters
        ----------
        cases : slice or array-like of int
            Which ones.

        Returns
        -------
        Paths
        """
        return Paths(self.values[cases], self.times[cases], self.seen[cases])


def laid_paths(series: Trajectories, stand_ins: np.ndarray) -> Paths:
    """Lay straight lines through what was seen.

    Parameters
    ----------
    series : Trajectories
        Series with gaps.
    stand_ins : ndarray of shape (n_channels,)
        Where a channel stands in a case in which it was never seen.

    Returns
    -------
    Paths
    """
    last = series.n_points - 1
    cases = np.arange(len(last))
    after = np.arange(series.times.shape[1]) > last[:, None]
    times = np.where(after, series.times[cases, last][:, None], series.times)
    values, seen = series.values.copy(), series.observed
    if seen.all():
        return Paths(values, times, seen)
    for case, channel in np.argwhere((~seen & ~after[:, :, None]).any(axis=1)):
        size = last[case] + 1
        own, here = values[case, :size, channel], times[case, :size]  # a view: filled in place
        there = seen[case, :size, channel]
        own[~there] = (
            np.interp(here[~there], here[there], own[there]) if there.any() else stand_ins[channel]
        )
    values = np.where(after[:, :, None], values[cases, last][:, None], values)
    return Paths(values, times, seen)


def values_at(paths: Paths, when: np.ndarray) -> np.ndarray:
    """Read paths at any times; before and after what was seen they are held.

    Parameters
    ----------
    paths : Paths
        Paths.
    when : ndarray of shape (n_cases, m)
        Times.

    Returns
    -------
    ndarray of shape (n_cases, m, n_channels)
    """
    pairs = zip(paths.times, when, strict=True)
    after = np.stack([np.searchsorted(row, times, side="right") for row, times in pairs])
    before = np.maximum(after - 1, 0)
    after = np.minimum(after, paths.times.shape[1] - 1)
    cases = np.arange(len(when))[:, None]
    start, end = paths.times[cases, before], paths.times[cases, after]
    width = np.where(end > start, end - start, 1.0)
    share = np.clip((when - start) / width, 0.0, 1.0)[:, :, None]
    low, high = paths.values[cases, before], paths.values[cases, after]
    return low * (1 - share) + high * share


def _values(estimator, X, reset, name):
    """Return float64 values (n_cases, n_channels, n_timepoints) or a list of such cases."""
    _refuse_other_layouts(X, name)
    if is_list_of_cases(X):
        return ragged_values(estimator, X, reset, name)
    values = validate_data(
        estimator, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan", allow_nd=True
    )
    if values.ndim == 2:
        if values.shape[1] == 1:
            raise ValueError(
                f"{name} has n_features = 1 column, a series of a single point, but a series needs "
                f"at least 2. {_LAYOUTS}"
            )
        return values[:, None]
    if values.ndim != 3:
        raise ValueError(f"{name} has {values.ndim} axes, shape {values.shape}. {_LAYOUTS}")
    return values


def _refuse_other_layouts(X: Any, name):
    """Refuse rows of unequal lengths, nested frames and frames with an index of several levels."""
    several = isinstance(X, list | tuple) and len(X) > 0
    if several and all(np.ndim(row) == 1 for row in X) and len({len(row) for row in X}) > 1:
        raise ValueError(
            f"{name} is a list of rows of unequal lengths; give each case the shape "
            f"(1, n_timepoints_i), as case[None] has it. {_LAYOUTS}"
        )
    if several and any(np.ndim(row) == 2 for row in X) and not is_list_of_cases(X):
        raise ValueError(f"The cases of {name} have different numbers of axes. {_LAYOUTS}")
    frame: Any = X
    nested = hasattr(X, "iloc") and frame.ndim == 2 and frame.size and np.ndim(frame.iloc[0, 0])
    if nested or getattr(getattr(X, "index", None), "nlevels", 1) > 1:
        raise ValueError(
            f"{name} is a nested frame, or one with an index of several levels. {_LAYOUTS}"
        )


def _refuse_uneven_columns(X, name):
    """Refuse to count 0, 1, 2, ... where the names of the columns are times that are not even."""
    for frame in X if isinstance(X, list | tuple) else [X]:
        columns: Any = getattr(frame, "columns", None)
        kind = getattr(getattr(columns, "dtype", None), "kind", None)
        if kind in ("M", "m", "f") and len(columns) > 2 and not are_even(columns):
            raise ValueError(
                f"The columns of {name} are named by times at uneven steps, or backwards, but t "
                "was not given, and they would be counted 0, 1, 2, ... Times are numbers in a unit "
                f"that you choose: pass t={name}.columns or what it makes of it; or pass {name}."
                "to_numpy() to count."
            )


def _without_unseen_times(values, times, name):
    """Stack the cases, without the times at which nothing was seen."""
    if isinstance(values, np.ndarray) and not np.isnan(values).any():  # the usual case, quickly
        clock = np.array(times)
        if not np.isnan(clock).any():
            n_points = np.full(len(values), values.shape[2])
            return Trajectories(np.ascontiguousarray(values.transpose(0, 2, 1)), clock, n_points)
    seen = [~np.isnan(case).all(axis=0) for case in values]
    n_points = np.array([int(there.sum()) for there in seen])
    if not n_points.all():
        raise ValueError(
            f"Case {np.argmin(n_points)} of {name} has no value: all are missing (NaN). Leave it "
            "out."
        )
    shape = len(seen), int(n_points.max()), len(values[0])
    stacked, clock = np.full(shape, np.nan), np.full(shape[:2], np.nan)
    for case, there in enumerate(seen):
        own = times[case][there]
        if np.isnan(own).any():
            where = np.flatnonzero(there)[np.isnan(own)][0]
            raise ValueError(
                f"Case {case} of {name} has a value at index {where}, whose time is NaN; every "
                "value needs a time."
            )
        stacked[case, : len(own)] = values[case][:, there].T
        clock[case, : len(own)] = own
    return Trajectories(stacked, clock, n_points)


def _check_lengths(values, name):
    for case, length in enumerate(value.shape[1] for value in values):
        if length < 2:
            raise ValueError(
                f"Case {case} of {name} has {length} time point{'s' * (length == 0)}, but a series "
                "needs at least 2. Leave it out."
            )


def _check_times(series, t):
    if np.isinf(series.times).any():
        case = np.argwhere(np.isinf(series.times))[0][0]
        raise ValueError(f"The times {t} of case {case} contain infinity.")
    gaps = np.diff(series.times, axis=1)
    if (gaps <= 0).any():
        case, k = np.argwhere(gaps <= 0)[0]
        before, after = series.times[case, k : k + 2]
        raise ValueError(
            f"Times must strictly increase, but in case {case} of {t} {before:g} is followed by "
            f"{after:g}. Sort the time points and merge duplicates."
        )
    check_sizes((series.times - series.times[:, :1]).ravel(), f"{t}, from a case's first time on,")


def _check_channels(series, name):
    unseen = np.flatnonzero(~series.observed.any(axis=(0, 1)))
    if len(unseen):
        raise ValueError(
            f"Channel {unseen[0]} of {name} is missing (NaN) at every time of every case: nothing "
            "can be learned from it. Leave it out."
        )
