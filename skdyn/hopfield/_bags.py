"""Bags of instances in every layout the estimators accept, checked and laid out alike."""

from typing import Any

import numpy as np
import pandas as pd

from skdyn._validation import from_torch, validate_data

__all__ = ["check_bags", "pad", "present", "statistics"]


def check_bags(estimator, X, *, reset):
    """Validate bags in any accepted layout.

    Parameters
    ----------
    estimator : estimator
        Whose ``n_features_in_`` and feature names are set (``reset=True``) or compared.
    X : list of array-like, or array-like
        A list of bags ``(n_instances_i, n_features)``; an array ``(n_bags, n_instances,
        n_features)``, in which rows that are NaN throughout are padding; or a table
        ``(n_bags, n_features)`` of bags of one instance each.
    reset : bool
        Whether this is a fit.

    Returns
    -------
    ndarray of shape (n_bags, n_instances, n_features)
        float32 or float64; the instances of a bag come first, then rows of NaN.

    Raises
    ------
    ValueError
        If the layout or the values cannot be used; the message names the bag.
    """
    checks, X = {"reset": reset, "dtype": [np.float64, np.float32]}, from_torch(X)
    if _is_list_of_bags(X):
        instances, sizes = _joined(X)
    elif getattr(X, "ndim", 2) == 3:
        instances, sizes = _without_padding(np.asarray(X))
    else:
        return validate_data(estimator, X, **checks)[:, None]
    return pad(validate_data(estimator, instances, **checks), sizes)


def present(bags: Any) -> Any:
    """Tell instances from padding.

    Parameters
    ----------
    bags : ndarray or Tensor of shape (n_bags, n_instances, n_features)
        Padded bags.

    Returns
    -------
    ndarray or Tensor of bool, shape (n_bags, n_instances)
    """
    first = bags[..., 0]
    return first == first  # NaN alone differs from itself, in numpy and in torch


def pad(instances, sizes):
    """Lay instances out bag by bag.

    Parameters
    ----------
    instances : ndarray of shape (n_all_instances, n_features)
        Those of all bags, one bag after the other.
    sizes : ndarray of shape (n_bags,)
        Instances of each bag.

    Returns
    -------
    ndarray of shape (n_bags, max(sizes), n_features)
        NaN where a bag has ended.
    """
    bags = np.full((len(sizes), max(sizes), instances.shape[1]), np.nan, instances.dtype)
    bags[np.arange(max(sizes)) < np.asarray(sizes)[:, None]] = instances
    return bags


def statistics(instances, sizes):
    """Return minimum, mean and maximum of each feature in each bag.

    Parameters
    ----------
    instances : ndarray of shape (n_all_instances, n_features)
        Those of all bags, one bag after the other.
    sizes : ndarray of shape (n_bags,)
        Instances of each bag.

    Returns
    -------
    ndarray of shape (n_bags, 3 * n_features)
    """
    starts = np.cumsum(sizes) - sizes
    low, total, high = (
        reduce.reduceat(instances, starts) for reduce in (np.minimum, np.add, np.maximum)
    )
    return np.hstack([low, total / sizes[:, None].astype(total.dtype), high])


def _is_list_of_bags(X):
    listed = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    if not (listed or isinstance(X, list | tuple)) or len(X) == 0:
        return False
    n_axes = [np.ndim(bag) for bag in X]
    lengths = {np.size(bag) for bag in X}
    if max(n_axes) == 1 and len(lengths) > 1:
        raise ValueError(
            f"The bags of X are 1-D, of lengths {sorted(lengths)}. A bag is 2-D, (n_instances, "
            "n_features); one with a single instance is bag[None, :]."
        )
    return max(n_axes) > 1


def _joined(X):
    """Return the instances of all bags and the size of each bag."""
    shapes = [np.shape(bag) for bag in X]
    n_features = next(shape[-1] for shape in shapes if len(shape) > 1)
    for number, shape in enumerate(shapes):
        if 0 in shape[:1]:
            raise ValueError(_empty(number))
        if len(shape) != 2 or shape[1] != n_features:
            raise ValueError(
                f"Every bag of X must have the shape (n_instances, {n_features}), with the same "
                f"features; bag {number} has shape {shape}."
            )
    sizes = np.array([shape[0] for shape in shapes])
    names = [getattr(bag, "columns", None) for bag in X]
    if names[0] is not None and all(names[0].equals(other) for other in names):
        return pd.concat(list(X)), sizes  # keeps the names of the features
    arrays = [np.asarray(bag) for bag in X]
    for number, bag in enumerate(arrays):
        _refuse_gaps(number, bag)
    return np.concatenate(arrays), sizes


def _without_padding(X):
    missing = np.isnan(X) if X.dtype.kind == "f" else np.zeros(X.shape, dtype=bool)
    filled: Any = ~missing.all(axis=2)
    for number, sizes in enumerate(filled.sum(axis=1)):
        if sizes == 0 and X.shape[2]:
            raise ValueError(_empty(number))
        _refuse_gaps(number, X[number][filled[number]])
    return X[filled], filled.sum(axis=1)


def _empty(number):
    return f"Bag {number} of X is empty: it has no instances, of which nothing can be said."


def _refuse_gaps(number, bag):
    if bag.dtype.kind != "f" or np.isfinite(bag).all():
        return
    instance = int(np.flatnonzero(~np.isfinite(bag).all(axis=1))[0])
    what = "NaN" if np.isnan(bag[instance]).any() else "infinity"
    raise ValueError(
        f"Instance {instance} of bag {number} of X contains {what}. Fill it or leave it out; in an "
        "array of 3 axes, a row of padding must be NaN throughout."
    )
