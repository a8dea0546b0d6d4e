"""Values so far from all others that they alone would set the scales.

One of a million among numbers near one makes the deviation of its column, and all other rows become
one point. What tells such values is a gap: in the order of their distance from the median, the few
farthest begin with a step of twentyfold at least, and of more than from the middle one to the
last before it. However heavy a tail is, of n values from one of a power law the farthest is beyond
such a step with a chance of about 2 / n only: it is honest, and left alone.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from skdyn._scratch import copy_of
from skdyn.exceptions import warn_user

__all__ = ["FarValues", "far_values", "held_in", "how_far"]

_GAP = 20.0  # in distance from the median, between the farthest few and all others
_FEW = 1 / 20  # their share, by weight, of the others that differ from the median
_SAMPLE = 255  # rows that tell most columns to be ordinary
_NAMED = 5  # places that a warning names


class FarValues(NamedTuple):
    """The far values of one column.

    Attributes
    ----------
    column : int
        The column.
    rows : ndarray of int
        Where they are.
    middle : float
        Median of the column.
    reach : float
        Distance from it of the farthest of the others.
    """

    column: int
    rows: np.ndarray
    middle: float
    reach: float


def far_values(columns: np.ndarray, weight: np.ndarray | None = None) -> Iterator[FarValues]:
    """Find the few values of each column that are far from all its others.

    Parameters
    ----------
    columns : ndarray of shape (n_samples, n_columns)
        Numbers, NaN where missing.
    weight : ndarray of shape (n_samples,) or None, default=None
        Weights of the rows: one of weight two counts as two rows do, one of zero is not there.

    Yields
    ------
    FarValues
        Of each column that has some.
    """
    for column in _suspects(columns, weight):
        found: Any = _far_of(columns[:, column], weight)
        if found is not None:
            yield FarValues(int(column), *found)


def _suspects(columns, weight):
    """Tell by the extremes and the middle of a few rows which columns could have far values."""
    if weight is not None:  # a few rows do not stand for all where some weigh more
        return range(columns.shape[1])
    if columns.size == 0:
        return []
    rows = np.linspace(0, len(columns) - 1, min(len(columns), _SAMPLE)).astype(int)
    some = columns[rows].astype(np.float64)
    middle = _middle(some)
    typical = _middle(np.abs(some - middle))
    highest, lowest = (f.reduce(columns, axis=0).astype(np.float64) for f in (np.fmax, np.fmin))
    farthest = np.maximum(highest - middle, middle - lowest)
    # Half of the gap: the middle of a few rows is not quite that of all.
    return np.flatnonzero(~(farthest <= _GAP / 2 * typical))


def _middle(some):
    """Return the lower median of each column; NaN, which sort last, do not count."""
    known = (~np.isnan(some)).sum(axis=0).clip(1)
    return np.take_along_axis(np.sort(some, axis=0), (known - 1)[None] // 2, axis=0)[0]


def _far_of(values, weight):
    """Return rows, median and reach of one column; None where no value is far."""
    there = ~np.isnan(values) if weight is None else ~np.isnan(values) & (weight > 0)
    rows = np.flatnonzero(there)
    if not len(rows):
        return None
    rounding = 100 * np.finfo(values.dtype).eps
    values = values[rows].astype(np.float64)
    weight = np.ones(len(rows)) if weight is None else weight[rows]
    order = np.argsort(values, kind="stable")
    middle = values[order[_halfway(weight[order])]]
    distance = np.abs(values - middle)
    order = np.argsort(distance, kind="stable")
    order = order[distance[order] > rounding * abs(middle)]  # those that differ from the middle
    if len(order) < 2:
        return None
    rows, distance, weight = rows[order], distance[order], weight[order]
    inner, outer, inside = distance[:-1], distance[1:], np.cumsum(weight)[:-1]
    typical = distance[_halfway(weight)]
    few = weight.sum() - inside <= _FEW * inside
    with np.errstate(over="ignore"):  # an infinite step is one
        gap = outer / inner > np.maximum(_GAP, inner / typical)
    first = np.flatnonzero(few & gap)[:1]
    return (np.sort(rows[first[0] + 1 :]), middle, inner[first[0]]) if len(first) else None


def _halfway(weight):
    """Return the first place at which half of the weight is reached."""
    total = np.cumsum(weight)
    return np.searchsorted(total, total[-1] / 2)


def held_in(
    columns: np.ndarray,
    weight: np.ndarray | None,
    name: str,
    *,
    edge: float,
    place: Callable[[int, int], str] = "row {} column {}".format,
) -> np.ndarray:
    """Bring values far from all others near to them, and say so.

    Parameters
    ----------
    columns : ndarray of shape (n_samples, n_columns)
        Numbers.
    weight : ndarray of shape (n_samples,) or None
        Weights of the rows.
    name : str
        What the user calls them.
    edge : float
        Where to, in distances from the median of the farthest other.
    place : callable, default="row {} column {}".format
        ``place(row, column)`` names a place.

    Returns
    -------
    ndarray of shape (n_samples, n_columns)
        The same array where there are none, else a copy.
    """
    found = list(far_values(columns, weight))
    if not found:
        return columns
    held = copy_of(columns)
    for column, rows, middle, reach in found:
        low, high = middle - edge * reach, middle + edge * reach
        held[rows, column] = columns[rows, column].clip(low, high)
    places = [place(row, far.column) for far in found for row in far.rows]
    warn_user(
        f"{name} holds {how_far(columns, found, places)}. The model learns them as if at "
        f"{edge:g} times the distance of the farthest other. Correct these rows or leave them out; "
        f"if they are right, transform {name} first, by a logarithm for instance."
    )
    return held


def how_far(columns: np.ndarray, found: list[FarValues], places: list[str]) -> str:
    """Say where values far from all others are, and how far the first of them is.

    Parameters
    ----------
    columns : ndarray of shape (n_samples, n_columns)
        Numbers.
    found : list of FarValues
        The far ones.
    places : list of str
        Where they are, in the words of the user.

    Returns
    -------
    str
    """
    column, rows, middle, reach = found[0]
    value = float(columns[rows[0], column])
    named = ", ".join(places[:_NAMED])
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    return (
        f"values far from all others ({named}{more}): the first, {value:.3g}, is "
        f"{abs(value - middle) / reach:.3g} times as far from the median as the farthest other"
    )
