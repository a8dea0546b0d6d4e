"""Tables of the stored cases that decided answers, with weights that add up.

Each query has a line for each of its heaviest cases, one for all other cases together, and one for
what the answer has beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from skdyn._validation import is_whole
from skdyn.hopfield._categories import Coding
from skdyn.hopfield._imputer_choice import corrected
from skdyn.hopfield._masked import MaskedPatterns
from skdyn.hopfield._separations import Separation

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Asked",
    "case_table",
    "check_n_cases",
    "explain_gaps",
    "explain_recall",
    "labels_of",
    "window_table",
]

_OF_MEANS = ["other cases", "class frequencies"]
_OF_SOLVED = ["other cases", "linear part", "class frequencies"]


class Asked(NamedTuple):
    """Which gaps are to be explained.

    Attributes
    ----------
    labels : ndarray of shape (n_rows,)
        Names of the rows.
    columns : ndarray of shape (n_columns,)
        Names of the columns.
    gaps : ndarray of bool of shape (n_rows, n_columns)
        Where they are.
    """

    labels: np.ndarray
    columns: np.ndarray
    gaps: np.ndarray


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
    if model.mode_ == "prototypes":
        raise ValueError(
            "mode='prototypes' answers from patterns of its own making, not from rows of the "
            "training data: retrieved_patterns tells which. Use another mode."
        )
    rows, weights = model.retrieved_patterns(X, n_patterns=n_cases)
    order = np.argsort(model.pattern_rows_)
    patterns = order[
        np.searchsorted(model.pattern_rows_, rows, sorter=order).clip(0, len(order) - 1)
    ]
    parts = model._parts_of_answers(X, patterns, weights * (rows >= 0))
    n_queries, n_found = rows.shape
    n_more = parts["weight"].shape[1] - n_found
    rest = _OF_SOLVED if model.mode_ == "solved" else _OF_MEANS
    kinds = ["case"] * n_found + rest[:n_more]
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


def window_table(
    weights: np.ndarray, rows: np.ndarray, targets: np.ndarray, answers: np.ndarray, cases: Any
) -> pd.DataFrame:
    """Return what forecasts are made of.

    Parameters
    ----------
    weights : ndarray of shape (n_queries, n_cases)
        Of the heaviest windows.
    rows : ndarray of int of shape (n_queries, n_cases)
        The states at which they end.
    targets : ndarray of shape (n_queries, n_cases, n_features)
        What followed them.
    answers : ndarray of shape (n_queries, n_features)
        The forecasts.
    cases : object
        As it was passed to ``explain``.

    Returns
    -------
    DataFrame
    """
    n_queries, n_found = rows.shape
    mine = weights[..., None] * targets
    left = (1 - weights.sum(axis=1, keepdims=True)).clip(min=0)
    rest = answers[:, None] - mine.sum(axis=1, keepdims=True)
    mean = rest / np.where(left > 0, left, np.nan)[..., None]
    targets, mine = np.hstack([targets, mean]), np.hstack([mine, rest])
    columns = {
        "kind": np.tile(["case"] * n_found + ["other cases"], n_queries),
        "weight": np.hstack([weights, left]).ravel(),
    }
    for i in range(answers.shape[1]):
        name = "" if answers.shape[1] == 1 else f"_{i}"
        columns["target" + name] = targets[..., i].ravel()
        columns["contribution" + name] = mine[..., i].ravel()
    index = {
        "query": np.repeat(np.arange(n_queries), n_found + 1),
        "rank": np.tile(np.arange(n_found + 1), n_queries),
    }
    rows = np.hstack([rows, np.full((n_queries, 1), -1)])
    return case_table(index, rows.ravel(), cases, columns)


def explain_gaps(
    memory: MaskedPatterns,
    question: tuple[torch.Tensor, torch.Tensor, float, Separation],
    alpha: float,
    coding: Coding,
    units: tuple[np.ndarray, np.ndarray],
    asked: Asked,
    n_cases: int,
    cases: Any,
) -> pd.DataFrame:
    """Return what an imputer fills gaps with.

    Parameters
    ----------
    memory : MaskedPatterns
        Stored rows.
    question : tuple
        Values, what is known of them, beta and the separation.
    alpha : float
        Ridge of the correction.
    coding : Coding
        Columns of categories.
    units : tuple of ndarray of shape (n_coded,)
        Offsets and scales of the columns.
    asked : Asked
        Where gaps are, and names.
    n_cases, cases : object
        As they were passed to ``explain``.

    Returns
    -------
    DataFrame
    """
    values, known, beta, separation = question
    lines = []
    (offset, scale), patterns = units, memory.completed.numpy()
    for rows, each in memory.weight_chunks(values, known, [beta], separation, coding.groups):
        (recalled,) = memory.recall(values[rows], known[rows], [beta], separation, coding.groups)
        filled = corrected(recalled, values[rows], known[rows], memory, alpha, coding).numpy()
        for row, weights in zip(range(rows.start, rows.stop), each[0].numpy()):
            told = filled[row - rows.start] * scale + offset
            for column in np.flatnonzero(asked.gaps[row]):
                first, last = coding.starts[column : column + 2]
                share = memory.shares_of(weights, first)
                best = np.argsort(-share, kind="stable")[:n_cases]
                best = best[share[best] > 0]
                categories = coding.categories[column]
                if categories is None:
                    all_values = patterns[:, first] * scale[first] + offset[first]
                    told_values, votes = all_values, share * all_values
                    answer = told[first]
                else:
                    codes = patterns[:, first:last].argmax(axis=1)
                    chosen = told[first:last].argmax()
                    told_values, votes = categories[codes], share * (codes == chosen)
                    answer = votes.sum()
                key = asked.labels[row], asked.columns[column]
                lines += [
                    (*key, rank, case, "case", share[case], told_values[case], votes[case])
                    for rank, case in enumerate(best)
                ]
                rest = 1 - share[best].sum(), None, votes.sum() - votes[best].sum()
                lines.append((*key, len(best), -1, "other cases", *rest))
                if categories is None and np.isfinite(alpha):
                    added = answer - votes.sum()
                    lines.append((*key, len(best) + 1, -1, "correction", 0.0, None, added))
    names = "query", "column", "rank", "row", "kind", "weight", "value", "contribution"
    parts: dict[str, Any] = {
        name: list(part) for name, part in zip(names, zip(*lines) if lines else [[]] * len(names))
    }
    index = {name: parts.pop(name) for name in names[:3]}
    return case_table(index, np.array(parts.pop("row"), dtype=int), cases, parts)
