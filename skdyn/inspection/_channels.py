"""Trajectories as displays read them: by channel."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdyn._validation import as_floats

__all__ = ["as_cases", "channel_names"]


def as_cases(X: Any, name: str = "X") -> np.ndarray:
    """Return trajectories with the cases first.

    Parameters
    ----------
    X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_timepoints, n_channels)
        Trajectories, or one; or a list of (n_channels, n_timepoints_i).
    name : str, default="X"
        Name in messages.

    Returns
    -------
    ndarray of shape (n_cases, n_channels, n_timepoints)
        Shorter cases end in NaN.

    Raises
    ------
    ValueError
        If the number of axes is another.
    """
    if isinstance(X, list | tuple) and X and all(np.ndim(case) == 2 for case in X):
        X = _of_one_length(X)
    X = as_floats(X)
    if X.ndim == 2:
        return X.T[None]
    if X.ndim != 3:
        raise ValueError(
            f"{name} must have the axes (n_cases, n_channels, n_timepoints) or, for one "
            f"trajectory, (n_timepoints, n_channels); got shape {X.shape}."
        )
    return X


def _of_one_length(cases):
    longest = max(np.shape(case)[1] for case in cases)
    padded = np.full((len(cases), len(cases[0]), longest), np.nan)
    for row, case in zip(padded, cases, strict=True):
        row[:, : np.shape(case)[1]] = case
    return padded


def channel_names(names: Sequence[str] | None, n_channels: int) -> list[str]:
    """Return the names of the features, or numbers where there are none.

    Parameters
    ----------
    names : sequence of str or None
        Names of the features that the estimator knows.
    n_channels : int
        How many are needed.

    Returns
    -------
    list of str
    """
    return [f"channel {i}" for i in range(n_channels)] if names is None else list(names)
