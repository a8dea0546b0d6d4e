"""Tables of the stored cases that decided answers, with weights that add up.

Each query has a line for each of its heaviest cases, one for all other cases together, and one for
what the answer has beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skdyn._validation import is_whole

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["case_table", "check_n_cases", "explain_recall", "labels_of"]


def check_n_cases(n_cases: object) -> None:
    """Refuse a number of cases that is none.

    Parameters
    ----------
    n_cases : object
        What a user passed.

    Raises
    ------
    ValueError
        If it is no integer of at least one.
    """
    if not is_whole(n_cases, 1):
        raise ValueError(f"n_cases must be an integer of at least 1; got {n_cases!r}.")


def labels_of(X: Any) -> np.ndarray:
    """Return the index of a frame, or the numbers of rows.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Rows, as a user passed them.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    return np.asarray(X.index) if hasattr(X, "iloc") else np.arange(len(X))


def case_table(
    index: dict[str, Any], rows: np.ndarray, cases: Any, columns: dict[str, Any]
) -> pd.DataFrame:
    """Return a table with a line for each case.

    Parameters
    ----------
    index : dict of str to array-like of shape (n_lines,)
        Levels of the index.
    rows : ndarray of int of shape (n_lines,)
        Rows of the training data, -1 where a line is none of them.
    cases : object
        Training rows as they were passed to ``fit``, for their labels; None for their numbers.
    columns : dict of str to array-like of shape (n_lines,)
        What else there is to tell.

    Returns
    -------
    DataFrame
    """
    import pandas as pd

    named: Any = pd.array(np.maximum(rows, 0), dtype="Int64")
    if hasattr(cases, "iloc"):
        if rows.max(initial=-1) >= len(cases):
            raise ValueError(
                f"cases has {len(cases)} rows, but row {rows.max()} of the training data takes "
                "part. Pass what was passed to fit."
            )
        named = pd.Series(np.asarray(cases.index)[np.maximum(rows, 0)], dtype=object).array
    named[rows < 0] = pd.NA
    levels = pd.MultiIndex.from_arrays(list(index.values()), names=list(index))
    return pd.DataFrame({"case": named, **columns}, index=levels)


def explain_recall(model: Any, X: Any, n_cases: int, cases: Any) -> pd.DataFrame:
    """Return what the predictions of a classifier or regressor are made of.

    Parameters
    ----------
    model : HopfieldClassifier or HopfieldRegressor
        Fitted.
    X, n_cases, cases : object
        As they were passed to ``explain``.

    Returns
    -------
    DataFrame
    """
    check_n_cases(n_cases)
    if model.mode == "prototypes":
        raise ValueError(
            "mode='prototypes' answers from patterns of its own making, not from rows of the "
            "training data: retrieved_patterns tells which. Use mode='projected' or 'stored'."
        )
    rows, weights = model.retrieved_patterns(X, n_patterns=n_cases)
    order = np.argsort(model.pattern_rows_)
    patterns = order[
        np.searchsorted(model.pattern_rows_, rows, sorter=order).clip(0, len(order) - 1)
    ]
    parts = model._parts_of_answers(X, patterns, weights * (rows >= 0))
    n_queries, n_found = rows.shape
    n_more = parts["weight"].shape[1] - n_found
    kinds = ["case"] * n_found + ["other cases", "class frequencies"][:n_more]
    rows = np.hstack([rows, np.full((n_queries, n_more), -1)])
    there = (rows >= 0) | (np.arange(len(kinds)) >= n_found)  # an index may find fewer
    n_lines = len(kinds)
    index = {
        "query": np.repeat(labels_of(X), n_lines)[there.ravel()],
        "rank": np.tile(np.arange(n_lines), n_queries)[there.ravel()],
    }
    columns = {"kind": np.tile(kinds, n_queries)[there.ravel()]}
    columns |= {name: part[there] for name, part in parts.items()}
    return case_table(index, rows[there], cases, columns)
