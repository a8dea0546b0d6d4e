"""Bags that come as one long table: a row an instance, and the bag of each row."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from skdyn._validation import from_torch

__all__ = ["BagTable", "bags_and_targets", "bags_from_table", "bags_of"]


class BagTable(NamedTuple):
    """Bags of a long table.

    Attributes
    ----------
    bags : list of ndarray or DataFrame
        The instances of each bag.
    names : ndarray of shape (n_bags,)
        What the bags are called, sorted.
    """

    bags: list[Any]
    names: np.ndarray


def bags_from_table(X: ArrayLike, by: ArrayLike | str) -> BagTable:
    """Make bags of a long table with one row an instance.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_instances, n_features)
        All instances, in any order.
    by : str or array-like of shape (n_instances,)
        The bag of each row, or the name of the column of ``X`` that tells it; this column is then
        left out of the bags.

    Returns
    -------
    bags : list of ndarray or DataFrame of shape (n_instances_i, n_features)
        Bags in the order of their sorted names, the order of ``DataFrame.groupby``; rows keep
        their order within a bag.
    names : ndarray of shape (n_bags,)
        Names of the bags.

    Raises
    ------
    ValueError
        If ``by`` names no column, or has another length than ``X`` or gaps.

    See Also
    --------
    HopfieldPoolingClassifier : Learns from bags.
    BagTransformer : Scales or reduces their instances.

    Examples
    --------
    >>> import pandas as pd
    >>> from skdyn.hopfield import bags_from_table
    >>> table = pd.DataFrame({"slide": [7, 7, 3], "area": [1.0, 2.0, 5.0], "ill": [1, 1, 0]})
    >>> X, names = bags_from_table(table.drop(columns="ill"), by="slide")
    >>> names.tolist(), [len(bag) for bag in X]
    ([3, 7], [1, 2])
    >>> table.groupby("slide")["ill"].first().tolist()  # the targets, in the same order
    [0, 1]
    """
    table: Any
    table, of_rows = _with_groups(X, by, "by")
    names, order, starts = _sorted_groups(of_rows)
    rows = np.split(order, starts[1:])
    taken = table.iloc if hasattr(table, "iloc") else np.asarray(table)
    return BagTable([taken[chosen] for chosen in rows], names)


def bags_of(X: Any, groups: ArrayLike | str | None) -> Any:
    """Return bags of a long table with its groups, anything else as it is.

    Parameters
    ----------
    X : object
        What a user passed.
    groups : array-like of shape (n_instances,), str or None
        See :func:`bags_from_table`.

    Returns
    -------
    object
    """
    return X if groups is None else bags_from_table(*_with_groups(X, groups, "groups")).bags


def bags_and_targets(X: Any, y: Any, groups: ArrayLike | str | None) -> tuple[Any, Any]:
    """Return bags, and one target each where there was one per row.

    Parameters
    ----------
    X : object
        What a user passed.
    y : array-like of shape (n_bags,) or (n_instances,), or with a second axis
        Targets.
    groups : array-like of shape (n_instances,), str or None
        See :func:`bags_from_table`.

    Returns
    -------
    tuple of two

    Raises
    ------
    ValueError
        If the rows of a bag differ in their targets.
    """
    if groups is None or y is None:
        return bags_of(X, groups), y
    X, of_rows = _with_groups(X, groups, "groups")
    bags = bags_from_table(X, of_rows).bags
    y = from_torch(y)
    if len(y) != len(of_rows) or len(bags) == len(of_rows):
        return bags, y
    _, order, starts = _sorted_groups(of_rows)
    targets = np.asarray(y)[order]
    first = targets[starts]
    same = targets == np.repeat(first, np.diff([*starts, len(order)]), axis=0)
    if not same.all():
        row = int(order[np.flatnonzero(~same.reshape(len(same), -1).all(axis=1))[0]])
        raise ValueError(
            f"y has a target for each row, but those of one bag differ: row {row}, of the bag "
            f"{of_rows[row]!r}. Pass one target per bag, in the order of the sorted names."
        )
    return bags, first


def _with_groups(X, groups, name):
    """Return the table without a column of groups, and the groups."""
    X, groups = from_torch(X), from_torch(groups)
    if isinstance(groups, str):
        if groups not in getattr(X, "columns", ()):
            raise ValueError(
                f"{name}={groups!r} names no column of X. Pass a DataFrame that has it, or an "
                "array with the bag of each row."
            )
        X, groups = X.drop(columns=groups), X[groups]
    groups = np.asarray(groups)
    if getattr(X, "ndim", None) is None:
        X = np.asarray(X)
    if X.ndim != 2 or groups.ndim != 1 or len(groups) != len(X):
        raise ValueError(
            f"{name} must tell the bag of each row of a table; got shape {groups.shape} for X of "
            f"shape {X.shape}."
        )
    if pd.isna(groups).any():
        raise ValueError(f"{name} must name a bag for each row; row {pd.isna(groups).argmax()} "
                         "has none. Fill it or leave the row out.")  # fmt: skip
    return X, groups


def _sorted_groups(of_rows):
    """Return sorted names, rows in their order, and where each begins."""
    names, number = np.unique(of_rows, return_inverse=True)
    order = np.argsort(number, kind="stable")
    starts = np.searchsorted(number[order], np.arange(len(names)))
    return names, order, starts
