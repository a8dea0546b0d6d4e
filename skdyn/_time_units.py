"""Dates and durations as times: numbers in a unit that fit chooses and says."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import Any

import numpy as np

from skdyn._validation import from_torch

__all__ = ["labeled_by", "read_times"]

_UNITS = {
    "days": np.timedelta64(1, "D"),
    "hours": np.timedelta64(1, "h"),
    "minutes": np.timedelta64(1, "m"),
    "seconds": np.timedelta64(1, "s"),
    "milliseconds": np.timedelta64(1, "ms"),
    "microseconds": np.timedelta64(1, "us"),
    "nanoseconds": np.timedelta64(1, "ns"),
}
_SINCE = " since "


def read_times(estimator: Any, t: Any, *, reset: bool, name: str = "t") -> Any:
    """Read dates and durations as numbers; leave all else alone.

    Fit sets ``time_unit_``, in the words of the CF conventions for files of climate data: "days
    since 2020-01-01" of dates, "days" of durations, None of numbers. The unit is the longest that
    the longest case holds twice, so that rates of change are neither huge nor tiny; the origin is
    the day of the first date. Dates without a zone are UTC.

    Parameters
    ----------
    estimator : estimator
        Whose ``time_unit_`` is set (``reset=True``) or used.
    t : object
        What came: times in any layout, or None.
    reset : bool
        Whether this is a fit.
    name : str, default="t"
        Its name in messages.

    Returns
    -------
    object
        float64 times, NaN where a date is missing; or what came, where it holds no dates.

    Raises
    ------
    ValueError
        If dates come to a model of numbers or of durations, or durations to one of dates.
    """
    in_rows = isinstance(t, list | tuple) and len(t) > 0 and all(np.ndim(row) == 1 for row in t)
    rows = [_dates(row, name) for row in (t if in_rows else [t])]
    kinds = {"" if row is None else row.dtype.kind for row in rows}
    if len(kinds) > 1:
        raise ValueError(f"{name} mixes dates, durations and numbers. Pass times of one kind.")
    if kinds == {""}:
        if reset:
            estimator.time_unit_ = None
        return t
    if reset:
        estimator.time_unit_ = _chosen_unit(rows)
    known = getattr(estimator, "time_unit_", None)
    unit, since, origin = (known or "").partition(_SINCE)
    came, had = {"M": ("dates", since), "m": ("durations", known and not since)}[kinds.pop()]
    if not had:
        raise ValueError(
            f"{name} holds {came}, but {type(estimator).__name__} was fitted with times "
            f"{f'in {known}' if known else 'that were numbers, or were counted'}. Pass such times, "
            f"or fit with {came} as t."
        )
    if since:
        begun: Any = np.datetime64(origin, "D")
        rows = [row - begun for row in rows]
    read = [np.asarray(row / _UNITS[unit], dtype=np.float64) for row in rows]
    return read if in_rows else read[0]


def labeled_by(t: Any, values: np.ndarray, names: list[str]) -> Any:
    """Answer in dates where dates came: one trajectory at an index of pandas becomes a frame.

    Parameters
    ----------
    t : object
        Times as they came.
    values : ndarray of shape (n_timepoints, n_states) or of 3 axes
        States there.
    names : list of str
        Names of the states.

    Returns
    -------
    ndarray or DataFrame
    """
    kind = getattr(getattr(t, "dtype", None), "kind", "")
    if values.ndim != 2 or not hasattr(t, "to_list") or (kind == "O" and _dates(t, "t") is None):
        return values
    if kind not in "mMO":
        return values
    import pandas as pd

    return pd.DataFrame(values, index=pd.Index(t), columns=names)


def _dates(t: Any, name: str):
    """Return dates or durations as an array of numpy's; None of anything else."""
    if t is None or isinstance(t, int | float):
        return None
    t = getattr(t, "start_time", t)  # of periods
    values = np.asarray(from_torch(t))
    if values.dtype == object and values.size and isinstance(values.flat[0], date | timedelta):
        kind = "m" if isinstance(values.flat[0], timedelta) else "M"
        naive = [_without_zone(value) for value in values.flat]
        values = np.array(naive, dtype=f"{kind}8[us]").reshape(values.shape)
    if values.dtype.kind not in "mM":
        return None
    if np.datetime_data(values.dtype)[0] in ("Y", "M"):
        if values.dtype.kind == "m":
            raise ValueError(f"{name} holds durations in months or years, which have no length.")
        values = values.astype("M8[D]")
    return values


def _without_zone(value):
    if getattr(value, "tzinfo", None) is None:
        return value
    return value.astimezone(UTC).replace(tzinfo=None)


def _chosen_unit(rows):
    """Return the unit of times, and the day from which dates are counted."""
    lasts = max((np.nanmax(row, axis=-1) - np.nanmin(row, axis=-1)).max() for row in rows)
    unit = next((name for name, unit in _UNITS.items() if 2 * unit <= lasts), "days")
    if rows[0].dtype.kind == "m":
        return unit
    first = min(np.nanmin(row) for row in rows)
    return f"{unit}{_SINCE}{first.astype('M8[D]')}"
