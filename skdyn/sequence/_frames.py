"""Series that come as frames of pandas, in the layouts of aeon and sktime or as one long table."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from skdyn._validation import as_floats, from_torch

__all__ = ["SeriesTable", "series_from_frame"]


class SeriesTable(NamedTuple):
    """Series of a frame.

    Attributes
    ----------
    X : list of ndarray of shape (n_channels, n_timepoints_i)
        The values of each case, NaN where a channel was not seen.
    t : list of ndarray of shape (n_timepoints_i,)
        Their times.
    cases : ndarray of shape (n_cases,)
        What the cases are called.
    channels : ndarray of shape (n_channels,)
        What the channels are called.
    """

    X: list[np.ndarray]
    t: list[np.ndarray]
    cases: np.ndarray
    channels: np.ndarray


def series_from_frame(
    frame: Any,
    *,
    case: str = "case",
    time: str = "time",
    channel: str = "channel",
    value: str = "value",
    unit: str | None = None,
) -> SeriesTable:
    """Make series of a frame, or of what aeon calls an np-list.

    Parameters
    ----------
    frame : DataFrame, or list of array-like of shape (n_channels, n_timepoints_i)
        One of

        - a long table with a row a value, and the columns ``case``, ``time``, ``channel`` (may be
          left out where there is one) and ``value``, in any order;
        - a frame with a row a time point and an index of two levels, the case and the time
          ("pd-multiindex"), whose columns are channels;
        - a frame with a row a case, whose cells hold a Series with the times as its index
          ("nested_univ"), and whose columns are channels;
        - a list of arrays, whose times are counted.
    case : str, default="case"
        Name of the column of a long table that holds the cases.
    time : str, default="time"
        Name of that of the times.
    channel : str, default="channel"
        Name of that of the channels.
    value : str, default="value"
        Name of that of the values.
    unit : str or None, default=None
        For dates and durations the unit of the times, such as "D", "h" or "s"; dates are counted
        from the first one of each case.

    Returns
    -------
    X : list of ndarray of shape (n_channels, n_timepoints_i)
        The values of each case, NaN where a channel was not seen.
    t : list of ndarray of shape (n_timepoints_i,)
        Their times, sorted.
    cases : ndarray of shape (n_cases,)
        What the cases are called, sorted; those of a nested frame keep their order.
    channels : ndarray of shape (n_channels,)
        What the channels are called, sorted in a long table.

    Raises
    ------
    ValueError
        If the layout is none of these, a value comes twice, a case, time or channel is missing, or
        dates come without ``unit`` or numbers with it, or nothing comes.

    See Also
    --------
    skdyn.sequence.SignatureTransformer : Features of series.

    Examples
    --------
    >>> import pandas as pd
    >>> from skdyn.sequence import series_from_frame
    >>> visits = pd.DataFrame({
    ...     "patient": [7, 7, 7, 3, 3],
    ...     "day": [0.0, 2.0, 2.0, 0.0, 5.0],
    ...     "test": ["sodium", "sodium", "urea", "urea", "sodium"],
    ...     "result": [140.0, 138.0, 5.1, 4.4, 141.0],
    ... })
    >>> names = {"case": "patient", "time": "day", "channel": "test", "value": "result"}
    >>> X, t, cases, channels = series_from_frame(visits, **names)
    >>> cases.tolist(), channels.tolist()
    ([3, 7], ['sodium', 'urea'])
    >>> X[1]
    array([[140. , 138. ],
           [  nan,   5.1]])
    >>> t[1]
    array([0., 2.])
    """
    if isinstance(frame, list | tuple) or not hasattr(frame, "columns"):
        return _from_arrays(frame)
    index: Any = frame.index
    if not len(frame):
        raise ValueError("frame has no rows; series need at least one.")
    if index.nlevels == 2:
        table = frame.set_axis(_of_values(index)).sort_index()
        _refuse_repeated(table.index, "row")
    elif {case, time, value} <= set(frame.columns):
        table = _pivoted(frame, case, time, channel, value)
    elif frame.size and np.ndim(frame.iloc[0, 0]) == 1:
        return _from_nested(frame, unit)
    else:
        raise ValueError(
            "frame is none of: a long table with the columns "
            f"{case!r}, {time!r}, {channel!r}, {value!r} (name them by case=, time=, channel=, "
            "value=); a frame with an index of two levels, case and time; a frame with a Series in "
            f"each cell. It has the columns {list(frame.columns)[:8]}."
        )
    if any(pd.isna(level).any() for level in (table.index.get_level_values(k) for k in (0, 1))):
        raise ValueError("A case or a time of the index is missing (NaN). Leave these rows out.")
    numbers, names = pd.factorize(table.index.get_level_values(0))
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    values, times = as_floats(table), table.index.get_level_values(1)
    bounds = zip(starts, [*starts[1:], len(values)], strict=True)
    X, t = [], []
    for start, end in bounds:
        X.append(np.ascontiguousarray(values[start:end].T))
        t.append(_numbers(times[start:end], unit))
    return SeriesTable(X, t, np.asarray(names), np.asarray(table.columns))


def _from_arrays(cases):
    X = [as_floats(case) for case in from_torch(cases)]
    if not X:
        raise ValueError("The list is empty; series need at least one case.")
    if any(case.ndim != 2 or len(case) != len(X[0]) for case in X):
        raise ValueError("Each case of the list must have the shape (n_channels, n_timepoints_i).")
    t = [np.arange(case.shape[1], dtype=np.float64) for case in X]
    return SeriesTable(X, t, np.arange(len(X)), np.arange(len(X[0])))


def _pivoted(frame, case, time, channel, value):
    """Return a frame with an index of case and time and a column a channel, sorted."""
    keys = [case, time, channel] if channel in frame.columns else [case, time]
    for key in keys:
        missing = np.flatnonzero(frame[key].isna())
        if len(missing):
            raise ValueError(f"Row {missing[0]} of frame has no {key!r}. Leave such rows out.")
    values = frame.set_index(keys)[value]
    values.index = _of_values(values.index)
    _refuse_repeated(values.index, "value")
    return (
        values.unstack(channel).sort_index() if len(keys) == 3 else values.to_frame().sort_index()
    )


def _of_values(index):
    """Return an index of values in the place of categories, which have an order of their own."""
    levels = [index.get_level_values(number) for number in range(index.nlevels)]
    plain = [np.asarray(level) if level.dtype == "category" else level for level in levels]
    return pd.MultiIndex.from_arrays(plain, names=index.names)


def _refuse_repeated(index, what):
    repeated = np.flatnonzero(index.duplicated())
    if len(repeated):
        raise ValueError(
            f"frame has more than one {what} for {index[repeated[0]]}. Merge them, by "
            "groupby(...).mean() for instance."
        )


def _from_nested(frame, unit):
    """Read a frame with a Series a cell: a case's channels may have times of their own."""
    X, t = [], []
    for row, cells in enumerate(frame.itertuples(index=False)):
        own = [
            cell if isinstance(cell, pd.Series) else pd.Series(np.asarray(cell)) for cell in cells
        ]
        for cell in own:
            _refuse_repeated(cell.index, f"value in row {row}")
        joined = pd.concat(own, axis=1, keys=range(len(own))).sort_index()
        X.append(np.ascontiguousarray(as_floats(joined).T))
        t.append(_numbers(joined.index, unit))
    return SeriesTable(X, t, np.asarray(frame.index), np.asarray(frame.columns))


def _numbers(times: pd.Index | ArrayLike, unit):
    """Return times as numbers; dates from the first one on."""
    times = pd.Index(times)
    if times.dtype.kind not in "mM":
        if unit is not None:
            raise ValueError(
                f"unit={unit!r} is for dates and durations, but the times are of dtype "
                f"{times.dtype}. Leave unit out; pandas.to_datetime makes dates of texts."
            )
        return as_floats(times)
    if unit is None:
        raise ValueError(
            "The times are dates or durations: say in which unit they are to be counted, unit='D' "
            "or unit='h' for instance."
        )
    since: Any = times - times[0] if times.dtype.kind == "M" else times
    return as_floats(since / pd.Timedelta(1, unit))
