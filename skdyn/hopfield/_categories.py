"""Columns of categories beside columns of numbers: a category is a column of zeros and ones.

Half the squared distance of two categories is then one where they differ, and the mean of many is
the share of votes for each.
"""

from typing import Any

import numpy as np

__all__ = ["Coding", "categories_of", "codes_of", "column_of", "numbers_of"]


def categories_of(X: Any, j: int, missing_values: float) -> np.ndarray:
    """Return the categories of a column, sorted.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        As a user passed it.
    j : int
        Which column.
    missing_values : float
        What stands for a gap.

    Returns
    -------
    ndarray of shape (n_categories,)

    Raises
    ------
    ValueError
        If they are not all text, or all numbers or truth values.
    """
    column = column_of(X, j)
    there = set(column[~_missing(column, missing_values)].tolist())
    n_texts = sum(isinstance(value, str) for value in there)
    found = np.array(sorted(there)) if n_texts in (0, len(there)) else np.array([None])
    if found.dtype.kind not in "biufU":
        raise ValueError(
            f"column {j} of X holds categories other than text alone, or numbers alone, such as "
            f"{sorted(map(repr, there))[:3]}. Make them one kind, for instance by astype(str)."
        )
    return found


def codes_of(
    X: Any, j: int, categories: np.ndarray, missing_values: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each value among the categories, and which values are gaps.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        As a user passed it.
    j : int
        Which column.
    categories : ndarray of shape (n_categories,)
        Sorted.
    missing_values : float
        What stands for a gap.

    Returns
    -------
    codes : ndarray of shape (n_samples,)
        NaN for gaps, and for categories that ``fit`` has not seen, which tell nothing.
    gaps : ndarray of bool of shape (n_samples,)
    """
    column = column_of(X, j)
    gaps = _missing(column, missing_values)
    place = {value: code for code, value in enumerate(categories.tolist())}
    codes = [np.nan if gap else place.get(value, np.nan) for value, gap in zip(column, gaps)]
    return np.array(codes, dtype=np.float64), gaps


def numbers_of(X: Any, j: int) -> np.ndarray:
    """Return a column of numbers from a table that holds categories too.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        As a user passed it.
    j : int
        Which column.

    Returns
    -------
    ndarray of float64 of shape (n_samples,)

    Raises
    ------
    ValueError
        If it holds something else.
    """
    column = column_of(X, j)
    column = np.array([np.nan if _is_nothing(value) else value for value in column], dtype=object)
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError):
        text = next(value for value in column if isinstance(value, str))
        raise ValueError(
            f"column {j} of X holds {text!r}, which is no number. Name it in categorical_features, "
            "or make its dtype 'category'."
        ) from None


def column_of(X: Any, j: int) -> np.ndarray:
    """Return a column of a table as it came.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        As a user passed it.
    j : int
        Which column.

    Returns
    -------
    ndarray of shape (n_samples,)
    """
    return X.iloc[:, j].to_numpy(dtype=object) if hasattr(X, "iloc") else np.asarray(X)[:, j]


def _is_nothing(value):
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


def _missing(column, missing_values):
    gaps = [_is_nothing(value) or value == missing_values for value in column]
    return np.array(gaps, dtype=bool)


class Coding:
    """Columns of codes as zeros and ones, and back.

    Parameters
    ----------
    categories : list of (ndarray or None)
        Categories of each column, None for numbers.

    Attributes
    ----------
    groups : ndarray of int of shape (n_coded,)
        The column that each coded one belongs to.
    is_number : ndarray of bool of shape (n_coded,)
        Which are columns of numbers.
    """

    def __init__(self, categories: list[np.ndarray | None]) -> None:
        self.categories = categories
        sizes = [1 if each is None else len(each) for each in categories]
        self.groups = np.repeat(np.arange(len(categories)), sizes)
        self.is_number = np.array([categories[group] is None for group in self.groups], dtype=bool)
        self.starts = np.cumsum([0, *sizes])

    def expand(self, table: np.ndarray, gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return zeros and ones for codes, and where they are not known.

        Parameters
        ----------
        table : ndarray of shape (n_rows, n_columns)
            Numbers and codes.
        gaps : ndarray of bool of shape (n_rows, n_columns)
            What is not known.

        Returns
        -------
        table : ndarray of shape (n_rows, n_coded)
        gaps : ndarray of bool of shape (n_rows, n_coded)
        """
        if self.is_number.all():
            return table, gaps
        coded = table[:, self.groups]
        codes = np.arange(len(self.groups)) - self.starts[self.groups]
        ones = ~self.is_number
        coded[:, ones] = coded[:, ones] == codes[ones]
        return coded, gaps[:, self.groups]

    def collapse(self, coded: np.ndarray) -> np.ndarray:
        """Return numbers, and the codes that have most votes.

        Parameters
        ----------
        coded : ndarray of shape (n_rows, n_coded)
            Numbers, and votes for categories.

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
        """
        if self.is_number.all():
            return coded
        table = coded[:, self.starts[:-1]].copy()
        for j, each in enumerate(self.categories):
            if each is not None:
                table[:, j] = coded[:, self.starts[j] : self.starts[j + 1]].argmax(axis=1)
        return table
