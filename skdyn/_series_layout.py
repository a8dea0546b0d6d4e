"""What comes back looks like what came: series of pandas go on with their own labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skdyn._times import inferred_step
from skdyn._trajectories import is_list_of_cases

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LAYOUTS", "as_table", "described", "labels_after", "laid_out", "layout_of"]

LAYOUTS = ("array", "frame", "series", "several")


def described(index: Any, step: str = "") -> list[str]:
    """Tell how an index goes on, in plain text that files can hold.

    Parameters
    ----------
    index : Index
        Of a frame or series of pandas.
    step : str, default=""
        The step of dates or durations too few to tell it.

    Returns
    -------
    list of str
        The kind, the step, the last label, the time zone and the name; empty where labels do not
        go on by even steps.
    """
    import pandas as pd

    name = index.name if isinstance(index.name, str) else ""
    if isinstance(index, pd.PeriodIndex):
        return ["period", index.freqstr, str(index[-1]), "", name]
    if isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex):
        kind = "date" if isinstance(index, pd.DatetimeIndex) else "duration"
        step = _step_of(index) or step
        final: Any = index[-1]
        last = final.isoformat()
        zone = "" if getattr(final, "tz", None) is None else str(final.tz)
        return [kind, step, last, zone, name] if step else []
    if index.dtype.kind in "iuf":
        steps = np.diff(np.asarray(index, dtype=float))
        even = len(steps) and np.ptp(steps) <= 1e-6 * abs(steps[0])
        if even or step:
            by = steps.mean() if even else float(step)
            return [f"number {index.dtype}", repr(float(by)), repr(float(index[-1])), "", name]
    return []


def _step_of(index):
    """Return the alias of the step of dates or durations, or an empty text."""
    import pandas as pd

    if index.freq is not None:
        return index.freqstr
    if not (step := inferred_step(index)) and len(index) >= 2:
        return pd.tseries.frequencies.to_offset(index[-1] - index[-2]).freqstr
    return step


def labels_after(told: list[str], n: int) -> pd.Index:
    """Return the labels that come next.

    Parameters
    ----------
    told : list of str
        What :func:`described` returned; empty counts 0, 1, 2, ...
    n : int
        How many.

    Returns
    -------
    Index
    """
    import pandas as pd

    if not told:
        return pd.RangeIndex(n)
    kind, step, last, zone, name = told
    if kind == "period":
        labels = pd.period_range(pd.Period(last, freq=step), periods=n + 1, freq=step)[1:]
    elif kind == "date":
        start = pd.Timestamp(last)
        start = start.tz_convert(zone) if zone else start
        found: Any = pd.date_range(start, periods=n + 1, freq=step)
        labels = found[1:] if found[0] == start else found[:n]
    elif kind == "duration":
        labels = pd.timedelta_range(pd.Timedelta(last), periods=n + 1, freq=step)[1:]
    else:
        numbers = float(last) + float(step) * np.arange(1, n + 1)
        whole = kind.split()[1] != "float64" and float(step).is_integer()
        labels = pd.Index(numbers.round().astype(int) if whole else numbers)
    return labels.rename(name or None)


def as_table(X: Any) -> Any:
    """Return a series of pandas as a table of one column, else what came.

    Parameters
    ----------
    X : array-like
        Series.

    Returns
    -------
    array-like
    """
    return X.to_frame() if hasattr(X, "to_frame") and np.ndim(X) == 1 else X


def layout_of(X: Any, known: list[str] | None = None) -> tuple[str, list[str]]:
    """Return what an answer will look like, and how its labels go on.

    Parameters
    ----------
    X : array-like
        Series, in a layout of trajectories, or a frame or series of pandas.
    known : list of str or None, default=None
        How the labels of earlier ones go on, for their step.

    Returns
    -------
    layout : str
        One of ``LAYOUTS``.
    index : list of str
        See :func:`described`.
    """
    if hasattr(X, "iloc"):
        step = known[1] if known else ""
        return ("series" if np.ndim(X) == 1 else "frame"), described(X.index, step)
    return ("array" if not is_list_of_cases(X) and np.ndim(X) == 2 else "several"), []


def laid_out(values: np.ndarray, layout: str, index: list[str], names: Any) -> Any:
    """Return an answer in a layout.

    Parameters
    ----------
    values : ndarray of shape (n_cases, n_steps, n_features)
        The answer.
    layout, index : str, list of str
        See :func:`layout_of`.
    names : array-like of str or None
        Names of the features.

    Returns
    -------
    ndarray, DataFrame or Series
    """
    if layout == "several":
        return np.ascontiguousarray(values.transpose(0, 2, 1))
    if layout == "array":
        return values[0]
    import pandas as pd

    labels = labels_after(index, values.shape[1])
    frame = pd.DataFrame(values[0], index=labels, columns=names)
    return frame if layout == "frame" else frame.iloc[:, 0]
