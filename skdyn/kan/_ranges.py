"""What columns say of the grids on them: that they do not move, crowd, or leave the range."""

import numpy as np

from skdyn._blocks import evenly
from skdyn.exceptions import warn_user
from skdyn.kan._columns import with_categories_still

__all__ = [
    "crowded",
    "drifted",
    "hold_still",
    "moving_columns",
    "warn_if_far",
    "warn_if_unreal",
    "warn_of_grids",
]

_CROWDED = (
    "Nine tenths of the values of X in {columns} lie within a tenth of their range, so that few "
    "intervals of the grid are left for them. Transform such columns first, by a logarithm or by "
    "sklearn.preprocessing.QuantileTransformer."
)
_DRIFTED = (
    "partial_fit was given X outside the range of its first batch in {columns}: grids stay on that "
    "range, and edge functions go on beyond it by extrapolation. Give a first batch that spans "
    "what is to come, or call fit on all the data."
)

_MOST = 0.9  # of the values
_WITHIN = 0.1  # of the range
_FEWEST = 20  # different values: fewer are categories and counts
_FAR = 0.75  # of the range, beyond it, from which an answer is the extrapolation's
_OUTSIDE = 0.1  # of the values of a batch
_ROUNDING = 16  # units in the last place, within which a column is constant


def crowded(columns: np.ndarray) -> np.ndarray:
    """Tell columns most of whose values lie within a small part of their range.

    Parameters
    ----------
    columns : ndarray of shape (n, n_columns)
        Data.

    Returns
    -------
    ndarray of shape (n_columns,), bool
    """
    gaps = np.isnan(columns)
    if gaps.any():
        parts = [crowded(column[~gap][:, None]) for column, gap in zip(columns.T, gaps.T)]
        return np.concatenate(parts)
    if not len(columns):
        return np.zeros(columns.shape[1], dtype=bool)
    ordered = np.sort(columns, axis=0)
    n_most = int(np.ceil(_MOST * len(columns)))
    widths = ordered[n_most - 1 :] - ordered[: len(columns) - n_most + 1]
    starts = widths.argmin(axis=0)  # of the shortest interval that holds so many
    found = widths.min(axis=0) < _WITHIN * (ordered[-1] - ordered[0])
    for column in np.flatnonzero(found):
        inside = ordered[starts[column] : starts[column] + n_most, column]
        found[column] = len(np.unique(inside)) >= _FEWEST
    return found


def drifted(columns: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Tell columns many of whose values lie outside a range.

    Parameters
    ----------
    columns : ndarray of shape (n, n_columns)
        Data.
    low, high : ndarray of shape (n_columns,)
        Ends of the range of each.

    Returns
    -------
    ndarray of shape (n_columns,), bool
    """
    return ((columns < low) | (columns > high)).mean(axis=0) > _OUTSIDE


def moving_columns(columns):
    """Tell which columns are more than one number and rounding.

    Parameters
    ----------
    columns : ndarray of shape (n, n_columns)
        Data.

    Returns
    -------
    ndarray of shape (n_columns,), bool
    """
    low, high = np.fmin.reduce(columns, axis=0), np.fmax.reduce(columns, axis=0)
    size = np.maximum(np.abs(low), np.abs(high))
    return high - low > _ROUNDING * np.finfo(columns.dtype).eps * size


def warn_of_grids(model, X, incremental):
    """Warn of columns that do not suit the grids on them."""
    X = with_categories_still(model, X)
    if not incremental:
        found, words = crowded(X[evenly(len(X))]), _CROWDED
    elif hasattr(model, "module_"):
        basis = model.module_.layers[0].basis
        ends = (end.double().cpu().numpy() for end in (basis.low, basis.high))
        low, high = (model._x_offset + end * model._x_scale for end in ends)
        found, words = drifted(X, low, high), _DRIFTED
    else:
        return
    if found.any():
        warn_user(words.format(columns=_named(model, found)), UserWarning)


def hold_still(model, X, Z):
    """Return scaled inputs, still in columns that never moved: nothing is known of them."""
    still = ~model._moves
    if not still.any():
        return Z
    as_before = np.isnan(X) | np.isclose(X, model._x_offset, rtol=1e-5, atol=1e-12)
    moved = still & ~as_before.all(axis=0)
    if moved.any():
        warn_user(
            f"X moves in {_named(model, moved)}, which was constant in the training data: what it "
            "says is not known, and it is not read. Fit anew on data in which it moves, or leave "
            "it out.",
            UserWarning,
        )
    Z[still & ~np.isnan(X)] = 0
    return Z


def warn_if_far(model, X):
    """Say so where inputs lie so far outside that the answer is the extrapolation's."""
    if not hasattr(model, "_node_quantiles"):  # asked by a callback, in the middle of fit
        return
    low, high = model._node_quantiles[0][[0, -1]]
    width = _FAR * (high - low)
    counts = model.module_.layers[0].standing().any(dim=1).cpu().numpy() & (width > 0)
    far = ((low - width > X) | (high + width < X)).any(axis=0) & counts
    if far.any():
        warn_user(
            f"X lies outside the range of the training data by more than {_FAR} of its width in "
            f"{_named(model, far)}. Edge functions go on there by "
            f"extrapolation={model.extrapolation!r}.",
            UserWarning,
        )


def warn_if_unreal(model, outputs):
    """Say so where closed forms have no real value."""
    unreal = ~np.isfinite(outputs).all(axis=1)
    if unreal.any() and any(len(layer.symbolic) for layer in model.module_.layers):
        warn_user(
            f"The closed forms of {type(model).__name__} are not real at {unreal.sum()} of "
            f"{len(outputs)} rows, the first of them row {unreal.argmax()}: an argument leaves "
            "the domain of its function. The answer there is NaN; as a label it means nothing.",
            UserWarning,
        )


def _named(model, which):
    names = getattr(model, "feature_names_in_", [f"column {i}" for i in range(len(which))])
    return ", ".join(str(name) for name, chosen in zip(names, which, strict=True) if chosen)
