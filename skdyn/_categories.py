"""Which columns of a table hold categories, by what data frames or users say."""

from typing import Any

import numpy as np

from skdyn._validation import is_whole

__all__ = ["categorical_columns", "column_number", "width_of"]

_OF_CATEGORIES = ("category", "object", "str", "string")


def column_number(name: Any, names: list, n_columns: int, parameter: str) -> int:
    """Return the number of a column, given by name or number.

    Parameters
    ----------
    name : str or int
        What a user calls it.
    names : list of str
        Names of the columns; empty where they have none.
    n_columns : int
        Number of columns.
    parameter : str
        Where the user said so.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If there is no such column.
    """
    if isinstance(name, str) and name in names:
        return names.index(name)
    if is_whole(name, 0) and not isinstance(name, bool) and int(name) < n_columns:
        return int(name)
    known = f"columns {names}" if names else f"columns 0 to {n_columns - 1}"
    raise ValueError(f"{parameter} names the column {name!r}, but X has the {known}. Correct it.")


def width_of(X: Any) -> int | None:
    """Return the number of columns, None of what is no table.

    Parameters
    ----------
    X : array-like or data frame
        As a user passed it.

    Returns
    -------
    int or None
    """
    try:
        shape = X.shape if hasattr(X, "shape") else np.asarray(X).shape
    except ValueError:  # of rows that are not alike; scikit-learn says so
        shape = ()
    return shape[1] if len(shape) == 2 else None


def categorical_columns(X: Any, given: Any) -> np.ndarray:
    """Return which columns hold categories.

    Parameters
    ----------
    X : array-like or data frame
        As a user passed it; what is no table is refused elsewhere.
    given : "from_dtype", array-like or None
        Parameter ``categorical_features``: what data frames say, names or numbers of columns, or a
        truth value for each.

    Returns
    -------
    ndarray of bool of shape (n_features,)

    Raises
    ------
    ValueError
        If there are no such columns.
    """
    width, is_frame = width_of(X), hasattr(X, "isetitem")
    chosen = np.zeros(width or 0, dtype=bool)
    if given is None or width is None or hasattr(X, "toarray"):
        return chosen
    if isinstance(given, str):  # "from_dtype", as its constraint has checked
        if is_frame:
            chosen[:] = [_is_categories(X.iloc[:, i]) for i in range(width)]
        return chosen
    entries = list(given)
    if entries and all(isinstance(entry, bool | np.bool_) for entry in entries):
        if len(entries) != width:
            raise ValueError(
                f"categorical_features must hold a truth value for each of the {width} columns of "
                f"X; got {len(entries)}."
            )
        return np.array(entries, dtype=bool)
    names = [str(name) for name in X.columns] if is_frame else []
    chosen[[column_number(name, names, width, "categorical_features") for name in entries]] = True
    return chosen


def _is_categories(column):
    """Tell whether a data frame's column holds categories; numbers stay numbers in any dtype."""
    if str(column.dtype) not in _OF_CATEGORIES:
        return False
    if str(column.dtype) != "object":
        return True
    return any(isinstance(value, str) for value in column)
