"""Sequences joined into one table of states, and windows of them: what was before, what follows."""

from typing import Any

import numpy as np

from skdyn._times import refuse_uneven_index
from skdyn._trajectories import check_trajectories

__all__ = [
    "complete_sequences",
    "ends_of",
    "overlapping",
    "rows_of_windows",
    "windows_at",
]


def complete_sequences(estimator: Any, X: Any, *, reset: bool) -> list[np.ndarray]:
    """Validate sequences of which every state is complete.

    Parameters
    ----------
    estimator : estimator
        Whose features are set (``reset=True``) or compared.
    X : array-like
        Sequences in any layout of :func:`skdyn._trajectories.check_trajectories`.
    reset : bool
        Whether this is a fit.

    Returns
    -------
    list of ndarray of shape (n_timepoints_i, n_features)

    Raises
    ------
    ValueError
        If a state has NaN, or the index of a frame is uneven.
    """
    refuse_uneven_index(X, "X", None)
    if isinstance(X, list | tuple) and X and all(hasattr(case, "iloc") for case in X):
        X = _of_frames(X)
    given = check_trajectories(estimator, X, reset=reset, may_be_wide=True)
    sequences = []
    for case, values in enumerate(given.values):
        there = given.observed[case].any(axis=1)
        values = values[: len(there) - there[::-1].argmax()]  # NaN at the end is padding
        gaps = np.flatnonzero(np.isnan(values).any(axis=1))
        if len(gaps):
            raise ValueError(
                f"Sequence {case} of X has NaN at step {gaps[0]}; "
                "a state must be complete. Fill it, or cut the sequence in two there."
            )
        sequences.append(values)
    return sequences


def _of_frames(frames):
    """Return frames, whose rows are times, as the arrays of a list, whose columns are."""
    tables = [frame.to_frame() if frame.ndim == 1 else frame for frame in frames]
    for case, table in enumerate(tables):
        refuse_uneven_index(table, f"X[{case}]", None)
        if list(table.columns) != list(tables[0].columns):
            raise ValueError(
                f"X[{case}] has the columns {list(table.columns)}, X[0] has "
                f"{list(tables[0].columns)}. Every series needs the same, in the same order."
            )
    return [table.to_numpy(dtype=float).T for table in tables]


def ends_of(lengths: list[int] | np.ndarray, window: int, n_after: int = 1) -> np.ndarray:
    """Return where windows end that enough states follow.

    Parameters
    ----------
    lengths : sequence of int
        Lengths of the sequences, which are joined.
    window : int
        States of a window.
    n_after : int, default=1
        States that must follow it in its sequence.

    Returns
    -------
    ndarray of int of shape (n_windows,)
        Numbers of states.
    """
    starts = np.cumsum([0, *lengths])[:-1]
    return np.concatenate([
        start + np.arange(window - 1, max(length - n_after, window - 1))
        for start, length in zip(starts, lengths, strict=True)
    ])  # fmt: skip


def windows_at(states: np.ndarray, ends: np.ndarray, window: int) -> np.ndarray:
    """Return windows, the oldest state first.

    Parameters
    ----------
    states : ndarray of shape (n_states, n_features)
        Sequences, joined.
    ends : ndarray of int of shape (n_windows,)
        The last state of each window.
    window : int
        How many states.

    Returns
    -------
    ndarray of shape (n_windows, window, n_features)
    """
    return states[ends[:, None] + np.arange(1 - window, 1)]


def rows_of_windows(states: np.ndarray, ends: np.ndarray, window: int) -> np.ndarray:
    """Return windows as rows of a table.

    Parameters
    ----------
    states, ends, window : ndarray, ndarray, int
        See :func:`windows_at`.

    Returns
    -------
    ndarray of shape (n_windows, window * n_features)
    """
    return windows_at(states, ends, window).reshape(len(ends), -1)


def overlapping(
    ends: np.ndarray, lengths: list[int] | np.ndarray, asked: np.ndarray, window: int, n_after: int
) -> np.ndarray:
    """Return the windows that share a state with what follows the windows asked about.

    They hold a part of the answer, as does the window itself.

    Parameters
    ----------
    ends : ndarray of int of shape (n_windows,)
        The last state of each window, rising.
    lengths : sequence of int
        Lengths of the sequences.
    asked : ndarray of int of shape (n_asked,)
        Which windows.
    window, n_after : int
        States of a window, and after it.

    Returns
    -------
    ndarray of int of shape (n_asked, n_most)
        Numbers of windows, of the same sequence; some come twice, so that all rows are as long.
    """
    sequence = np.searchsorted(np.cumsum(lengths), ends, side="right")
    first = np.searchsorted(ends, ends[asked] - n_after + 1)
    last = np.searchsorted(ends, ends[asked] + n_after + window - 1, side="right") - 1
    first = np.maximum(first, np.searchsorted(sequence, sequence[asked]))
    last = np.minimum(last, np.searchsorted(sequence, sequence[asked], side="right") - 1)
    reach = np.arange((last - first).max(initial=0) + 1)
    return np.minimum(first[:, None] + reach, last[:, None])
