"""Columns as users have them: categories become numbers of levels, gaps stay NaN."""

from __future__ import annotations

import copy
from numbers import Real
from typing import Any

import numpy as np
import torch

from skdyn._categories import categorical_columns, width_of
from skdyn.exceptions import warn_user
from skdyn.kan._levels import Levels

__all__ = [
    "columns_of", "learn_columns", "learn_gaps", "read_columns",
    "with_categories_still", "with_gaps_known", "without_order",
]  # fmt: skip


def learn_columns(model, X):
    """Learn which columns are categories, their levels, and what is missing, in place.

    Parameters
    ----------
    model : KANEstimator
        Whose ``categories_`` and gaps are set.
    X : array-like or data frame
        Training data, not validated yet.
    """
    chosen = categorical_columns(X, model.categorical_features)
    n_columns = len(chosen)
    categories: list[np.ndarray | None] = [None] * n_columns
    model._lacks = np.zeros(n_columns, dtype=bool)
    for i in np.flatnonzero(chosen):
        labels, missing = _labels(_column(X, i))
        categories[i] = np.unique(labels[~missing])
        model._lacks[i] = missing.any() and not missing.all()
    model.categories_ = categories if chosen.any() else []


def read_columns(model, X):
    """Return data in which categories are the numbers of their levels.

    A level that was not seen is NaN, with a warning; a missing one too, where the training data
    lacked none, else it is a level of its own.

    Parameters
    ----------
    model : KANEstimator
        Whose columns are known.
    X : array-like or data frame
        Data, not validated yet.

    Returns
    -------
    array-like or data frame
        The same kind of thing, for scikit-learn to validate.
    """
    which = [i for i, levels in enumerate(model.categories_) if levels is not None]
    if not which or width_of(X) != len(model.categories_):  # scikit-learn says what is wrong
        return X
    codes = {i: _codes(model, X, i) for i in which}
    if hasattr(X, "isetitem"):
        X = X.copy(deep=False)
        for i, code in codes.items():
            X.isetitem(i, code)
        return X
    X = np.array(X, dtype=object if np.asarray(X).dtype.kind in "OUS" else None)
    X = X if X.dtype.kind in "Of" else X.astype(np.float64)
    for i, code in codes.items():
        X[:, i] = code
    return X.astype(np.float64) if X.dtype == object else X


def learn_gaps(model, X):
    """Learn where numbers are missing, in place.

    Parameters
    ----------
    model : KANEstimator
        Whose columns of categories are known.
    X : ndarray of shape (n, n_features)
        Training data.

    Returns
    -------
    ndarray of shape (n, n_features)
        Numbers to take scales from: zeros for categories, and for columns of gaps alone.
    """
    X = with_categories_still(model, X)
    # Extremes tell, one of which NaN goes through: no array beside X, which may be on disk.
    some, alone = (np.isnan(function.reduce(X, axis=0)) for function in (np.maximum, np.fmax))
    found = some & ~alone
    model._lacks = found | model._lacks if len(model._lacks) else found
    return np.where(alone, 0.0, X).astype(X.dtype) if alone.any() else X


def with_gaps_known(model, Z):
    """Return an estimator that answers rows with gaps, also if fit has seen none.

    Parameters
    ----------
    model : KANEstimator
        Fitted.
    Z : ndarray of shape (n, n_features)
        Inputs, as its network sees them.

    Returns
    -------
    KANEstimator
        The same where its network knows them, or there are none.
    """
    first = model.module_.layers[0]
    if first.levels is not None or not np.isnan(Z).any():
        return model
    made = copy.copy(model)
    made.module_ = copy.deepcopy(model.module_)
    first = made.module_.layers[0]
    levels = Levels(first.n_subnodes, (0,) * first.n_in).to(first.weight)
    if hasattr(model, "_node_quantiles"):  # not in the middle of a fit
        levels.typical = torch.as_tensor(model._node_quantiles[0]).to(first.weight)
    first.take_levels(levels.requires_grad_(False))
    return made


def columns_of(model):
    """Return the arguments of a network that an estimator's columns are.

    Parameters
    ----------
    model : KANEstimator
        Its columns are known.

    Returns
    -------
    dict of str to object
        ``categories`` and ``missing``; only those that there are.
    """
    found: dict[str, Any] = {}
    counts = [
        0 if levels is None else max(1, len(levels) + int(lacks))
        for levels, lacks in zip(model.categories_, model._lacks, strict=False)
    ]
    if any(counts):
        found["categories"] = tuple(counts)
    numbers = np.ones(len(model._lacks), dtype=bool) if not counts else np.array(counts) == 0
    missing = np.flatnonzero(model._lacks & numbers)
    return found | ({"missing": tuple(missing.tolist())} if len(missing) else {})


def with_categories_still(model, X):
    """Return numbers alone: codes of categories are no quantities, and become zeros.

    Parameters
    ----------
    model : KANEstimator
        Its columns are known.
    X : ndarray of shape (n, n_features)
        Data.

    Returns
    -------
    ndarray of shape (n, n_features)
    """
    which = [i for i, levels in enumerate(model.categories_) if levels is not None]
    if not which:
        return X
    X = X.copy()
    X[:, which] = 0
    return X


def without_order(model, X):
    """Tell where inputs are categories or missing: nothing rises or falls there.

    Parameters
    ----------
    model : KANEstimator
        Its columns are known.
    X : ndarray of shape (n, n_features)
        Data.

    Returns
    -------
    ndarray of shape (n, n_features), bool
    """
    is_category = np.zeros(X.shape[1], dtype=bool)
    is_category[[i for i, levels in enumerate(model.categories_) if levels is not None]] = True
    return np.isnan(X) | is_category


def _column(X, i):
    """Return a column as a data frame's, or as an array of objects."""
    return X.iloc[:, i] if hasattr(X, "isetitem") else np.asarray(X, dtype=object)[:, i]


def _labels(column):
    """Return the labels of a column, numbers or texts, and which are missing."""
    if hasattr(column, "isna"):
        missing, values = column.isna().to_numpy(), column.to_numpy(dtype=object)
    else:
        values = column
        missing = np.array([value is None or value != value for value in values], dtype=bool)
    known = values[~missing]
    as_numbers = all(isinstance(value, Real) for value in known)
    labels = np.zeros(len(values)) if as_numbers else np.full(len(values), "", dtype=object)
    labels[~missing] = known.astype(float) if as_numbers else [str(value) for value in known]
    return labels if as_numbers else labels.astype(str), missing


def _codes(model, X, i):
    """Return the numbers of a column's levels."""
    labels, missing = _labels(_column(X, i))
    levels: Any = model.categories_[i]
    if labels.dtype.kind != levels.dtype.kind:  # numbers here and texts there
        labels = labels.astype(str) if levels.dtype.kind == "U" else np.full(len(labels), np.nan)
    codes = np.searchsorted(levels, labels).astype(np.float64)
    there = np.zeros(len(labels), dtype=bool)
    inside = codes < len(levels)
    there[inside] = levels[codes[inside].astype(int)] == labels[inside]
    unknown = ~there & ~missing
    codes[~there] = np.nan
    codes[missing] = len(levels) if model._lacks[i] else np.nan
    if unknown.any():
        name = getattr(model, "feature_names_in_", np.arange(len(model.categories_)))[i]
        first = np.asarray(_column(X, i), dtype=object)[unknown.argmax()]
        warn_user(
            f"X holds a category in column {name} that fit did not see, {first!r} in row "
            f"{unknown.argmax()} ({unknown.sum()} rows in all). It is answered as what the levels "
            "say on average.",
            UserWarning,
        )
    return codes
