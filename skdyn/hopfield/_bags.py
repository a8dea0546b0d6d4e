"""Bags of instances in every layout the estimators accept, checked and laid out alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from skdyn._validation import from_torch, validate_data

__all__ = ["Bags", "check_bags"]

_TABLES = (
    "A long table, with one row an instance, goes with groups=, the bag of each row; "
    "skdyn.hopfield.bags_from_table makes a list of bags of it."
)


class Bags:
    """Ragged bags: the instances of all of them, joined, and the size of each.

    Parameters
    ----------
    instances : ndarray of shape (n_instances, n_features)
        Those of all bags, one bag after the other.
    sizes : ndarray of int of shape (n_bags,)
        Instances of each bag.
    own : bool, default=False
        Whether the array of instances was made for these bags, and nobody else sees it.
    scaled : bool, default=False
        Whether an estimator has scaled them already.
    """

    ndim = 3

    def __init__(
        self, instances: np.ndarray, sizes: np.ndarray, own: bool = False, scaled: bool = False
    ) -> None:
        self.instances = instances
        self.own, self.scaled = own, scaled
        self.sizes = np.asarray(sizes, dtype=np.intp)
        self.ends = np.cumsum(self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def shape(self) -> tuple[int, int, int]:
        """That of an array padded to the longest bag."""
        return len(self), int(self.sizes.max(initial=0)), self.instances.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """Precision of the instances."""
        return self.instances.dtype

    def __getitem__(self, rows: Any) -> Bags:
        """Return some bags: views of neighbors, copies of others."""
        if isinstance(rows, slice) and rows.step in (None, 1):
            start, stop, _ = rows.indices(len(self))
            first = self.ends[start] - self.sizes[start] if start < len(self) else 0
            last = self.ends[stop - 1] if stop > start else first
            return Bags(self.instances[first:last], self.sizes[start:stop], scaled=self.scaled)
        chosen = np.arange(len(self))[rows]
        sizes = self.sizes[chosen]
        offsets = np.repeat(self.ends[chosen] - np.cumsum(sizes), sizes)
        rows = self.instances[offsets + np.arange(len(offsets))]
        return Bags(rows, sizes, own=True, scaled=self.scaled)

    def split(self, of_instances: np.ndarray) -> list[np.ndarray]:
        """Cut what belongs to the instances into what belongs to each bag.

        Parameters
        ----------
        of_instances : ndarray of shape (n_instances, ...)
            Numbers.

        Returns
        -------
        list of ndarray of shape (n_instances_i, ...)
        """
        starts = self.ends - self.sizes
        return [of_instances[start:end] for start, end in zip(starts, self.ends, strict=True)]

    def chunks(self, n_instances: int) -> Iterator[slice]:
        """Yield slices of neighboring bags that hold about as many instances.

        Parameters
        ----------
        n_instances : int
            At most, unless one bag alone has more.

        Yields
        ------
        slice
        """
        start = 0
        while start < len(self):
            before = self.ends[start] - self.sizes[start]
            stop = int(np.searchsorted(self.ends, before + n_instances, side="right"))
            stop = max(stop, start + 1)
            yield slice(start, stop)
            start = stop


def check_bags(estimator, X, *, reset):
    """Validate bags in any accepted layout.

    Parameters
    ----------
    estimator : estimator
        Whose ``n_features_in_`` and feature names are set (``reset=True``) or compared.
    X : Bags, list of array-like, or array-like
        A list of bags ``(n_instances_i, n_features)``; an array ``(n_bags, n_instances,
        n_features)``, in which rows that are NaN throughout are padding; or a table
        ``(n_bags, n_features)`` of bags of one instance each.
    reset : bool
        Whether this is a fit.

    Returns
    -------
    Bags
        Of float32 or float64.

    Raises
    ------
    ValueError
        If the layout or the values cannot be used; the message names the bag.
    """
    checks, X = {"reset": reset, "dtype": [np.float64, np.float32]}, from_torch(X)
    _refuse_other_things(X)
    own = False
    if isinstance(X, Bags):
        instances, sizes, own = X.instances, X.sizes, X.own
    elif _is_list_of_bags(X):
        instances, sizes = _joined(X)
        own = isinstance(instances, np.ndarray)  # frames may share their memory
    elif getattr(X, "ndim", 2) == 3:
        instances, sizes = _without_padding(np.asarray(X))
        own = True
    else:
        instances = validate_data(estimator, X, **checks)
        return Bags(instances, np.ones(len(instances)))
    return Bags(validate_data(estimator, instances, **checks), sizes, own)


def _refuse_other_things(X):
    if type(X) is dict or hasattr(X, "ngroups"):
        raise ValueError(
            f"X is a {type(X).__name__}, which is no layout of bags. Pass a list of arrays "
            f"(n_instances_i, n_features). {_TABLES}"
        )


def _is_list_of_bags(X):
    listed = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    if not (listed or isinstance(X, list | tuple)) or len(X) == 0:
        return False
    n_axes = [_n_axes(number, bag) for number, bag in enumerate(X)]
    lengths = {np.size(bag) for bag in X}
    if max(n_axes) == 1 and len(lengths) > 1:
        raise ValueError(
            f"The bags of X are 1-D, of lengths {sorted(lengths)}. A bag is 2-D, (n_instances, "
            "n_features); one with a single instance is bag[None, :], and a sequence of numbers "
            "is bag[:, None]."
        )
    return max(n_axes) > 1


def _n_axes(number, bag):
    try:
        return np.ndim(bag)
    except ValueError:  # numpy's "inhomogeneous shape"
        raise ValueError(
            f"Bag {number} of X is a {type(bag).__name__} whose parts differ in length. A bag is "
            f"2-D, (n_instances, n_features). {_TABLES}"
        ) from None


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
    if all(hasattr(bag, "columns") for bag in X):
        names = [list(bag.columns) for bag in X]
        for number, own in enumerate(names):
            if own != names[0]:
                raise ValueError(
                    f"Bag {number} of X has the columns {own}, bag 0 has {names[0]}. Every bag has "
                    "the same ones, in the same order."
                )
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
    return (
        f"Bag {number} of X is empty: it has no instances, of which nothing can be said. Leave it "
        "out, with its target."
    )


def _refuse_gaps(number, bag):
    if bag.dtype.kind != "f" or np.isfinite(bag).all():
        return
    instance = int(np.flatnonzero(~np.isfinite(bag).all(axis=1))[0])
    what = "NaN" if np.isnan(bag[instance]).any() else "infinity"
    raise ValueError(
        f"Instance {instance} of bag {number} of X contains {what}. Fill it or leave it out; in an "
        "array of 3 axes, a row of padding must be NaN throughout."
    )
