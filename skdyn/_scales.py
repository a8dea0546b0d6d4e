"""Means and deviations of columns, right whatever unit they are in.

Squares of numbers beyond the root of what floats hold overflow or vanish. Powers of two change no
digit, so that columns are brought to an ordinary size by them first, where need be.
"""

from typing import Any, NamedTuple

import numpy as np
from sklearn.preprocessing import StandardScaler

__all__ = ["ColumnScales", "learn_column_scales", "standardized", "units"]

_NUMBERS = 2**22  # of a block: StandardScaler makes float64 copies of it
_FARTHEST = {np.dtype("float32"): 2.0**60, np.dtype("float64"): 2.0**250}


class ColumnScales(NamedTuple):
    """Means and deviations of columns.

    Attributes
    ----------
    mean : ndarray of shape (n_columns,)
        Means.
    scale : ndarray of shape (n_columns,)
        Standard deviations, one for a constant column.
    varies : ndarray of bool of shape (n_columns,)
        Whether a column has any variance, rounding included.
    """

    mean: np.ndarray
    scale: np.ndarray
    varies: np.ndarray


def units(values: np.ndarray) -> np.ndarray:
    """Return a power of two near the size of each column, one where squares of it are safe anyway.

    Parameters
    ----------
    values : ndarray of shape (n, n_columns, ...)
        Numbers, NaN where missing.

    Returns
    -------
    ndarray of shape (n_columns,)
    """
    axes = tuple(axis for axis in range(values.ndim) if axis != 1)
    extremes = [function.reduce(values, axis=axes, initial=0) for function in (np.fmax, np.fmin)]
    size = np.maximum(*np.abs(extremes)).astype(np.float64)
    _, exponent = np.frexp(size)
    return np.where(_ordinary(size, values.dtype), 1.0, np.ldexp(1.0, exponent))


def _ordinary(size, dtype):
    """Tell sizes whose squares can be summed in a precision."""
    most = 2.0 ** (np.finfo(dtype).maxexp // 3)
    return (size == 0) | ((size > 1 / most) & (size < most))


def learn_column_scales(columns: np.ndarray, weight: np.ndarray | None) -> ColumnScales:
    """Learn means and deviations.

    Parameters
    ----------
    columns : ndarray of shape (n_samples, n_columns)
        Numbers.
    weight : ndarray of shape (n_samples,) or None
        Weights of the rows.

    Returns
    -------
    ColumnScales
    """
    unit = units(columns)
    scaler: Any = StandardScaler()
    n_each = max(1, _NUMBERS // max(1, columns.shape[1]))
    for start in range(0, len(columns), n_each):
        some = slice(start, start + n_each)
        rows = columns[some] if (unit == 1).all() else columns[some] / unit
        own = None if weight is None else weight[some]
        if own is None or own.any() or len(columns) <= n_each:  # of no weight: 0 / 0
            scaler.partial_fit(rows, sample_weight=own)
    constant = scaler.scale_ != np.sqrt(scaler.var_)
    scale = np.where(constant, 1.0, scaler.scale_ * unit)
    return ColumnScales(scaler.mean_ * unit, scale, scaler.var_ > 0)


def standardized(X: np.ndarray, offset: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return numbers in units of deviations, in their own precision.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns, ...)
        Numbers.
    offset, scale : ndarray of shape (n_columns,)
        Means and deviations.

    Returns
    -------
    ndarray of the shape of X

    Raises
    ------
    ValueError
        If a number is so many deviations from the mean that nothing can be computed from it.
    """
    column = (-1, *[1] * (X.ndim - 2))
    offset, scale = offset.reshape(column), scale.reshape(column)
    if all(_ordinary(np.abs(v), X.dtype).all() for v in (offset, scale)):
        Z = (X - offset.astype(X.dtype)) / scale.astype(X.dtype)
    else:
        with np.errstate(over="ignore"):  # it is refused below
            Z = ((X - offset) / scale).astype(X.dtype)
    farthest = max(
        np.fmax.reduce(Z, axis=None, initial=0), -np.fmin.reduce(Z, axis=None, initial=0)
    )
    if farthest > _FARTHEST[X.dtype]:
        raise ValueError(
            f"X lies up to {farthest:.3g} standard deviations from the data of fit: too far for an "
            "answer. Is it in the units of the fit?"
        )
    return Z
