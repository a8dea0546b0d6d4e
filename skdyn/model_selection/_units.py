"""What a splitter splits: trajectories as wholes, or the rows of one."""

from typing import Any

import numpy as np

from skdyn._trajectories import is_trajectories
from skdyn._validation import is_whole

__all__ = ["units_of", "whole_number"]


def units_of(X: Any, groups: Any) -> tuple[np.ndarray, bool]:
    """Number what is split, in order of appearance.

    Parameters
    ----------
    X : array-like
        One trajectory ``(n_timepoints, n_features)``, or cases.
    groups : array-like or None
        Trajectory of each row; or of each case, where cases belong together.

    Returns
    -------
    unit : ndarray of int of shape (n_timepoints,) or (n_cases,)
        Number of each row's or case's trajectory; of each row, where there is one trajectory.
    one_trajectory : bool
        Whether rows in time are split.
    """
    rows = np.arange(len(X))
    if groups is not None:
        _, first, ids = np.unique(np.asarray(groups), return_index=True, return_inverse=True)
        if len(first) > 1 or is_trajectories(X):
            return np.argsort(np.argsort(first))[ids], False
    return rows, not is_trajectories(X)


def whole_number(name: str, value: Any, least: int) -> None:
    """Refuse what is no whole number, or too small a one.

    Parameters
    ----------
    name : str
        The parameter.
    value : object
        What came.
    least : int
        The smallest.

    Raises
    ------
    ValueError
        With the name and what came.
    """
    if isinstance(value, bool) or not is_whole(value, least):
        raise ValueError(f"{name} must be an int of at least {least}; got {value!r}.")
