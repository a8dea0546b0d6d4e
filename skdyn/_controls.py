"""Controls: what drives states from outside, in the layout of the states."""

from typing import Any

import numpy as np

from skdyn._trajectories import is_trajectories
from skdyn._validation import as_floats, check_array

__all__ = ["controls_of_cases", "controls_of_rows", "names_of_controls", "refuse_other_columns"]


def controls_of_rows(u, X, names=None):
    """Validate controls, one row for each of ``X``.

    Parameters
    ----------
    u : array-like of shape (n_timepoints, n_controls) or (n_timepoints,), or None
        Controls, NaN where missing.
    X : array-like
        Rows.
    names : list of str or None, default=None
        Names that the columns of a frame are compared with.

    Returns
    -------
    ndarray of shape (n_timepoints, n_controls) or None

    Raises
    ------
    ValueError
        If there are not as many rows, or other columns or dates.
    """
    if u is None:
        return None
    refuse_other_columns(u, names, "u")
    _refuse_other_dates(u, X)
    u = check_array(
        u, dtype=np.float64, ensure_2d=False, ensure_all_finite="allow-nan", input_name="u"
    )
    u = u[:, None] if u.ndim == 1 else u
    if len(u) != len(X):
        raise ValueError(
            f"u must have a row for each of the {len(X)} rows of X; it has {len(u)}. Controls are "
            "passed in the layout of X."
        )
    return u


def _refuse_other_dates(u, X):
    """Refuse controls that are dated, but not at the dates of the states."""
    own: Any = getattr(u, "index", None)
    of_states: Any = getattr(X, "index", None)
    kinds = {getattr(getattr(index, "dtype", None), "kind", "") for index in (own, of_states)}
    if kinds not in ({"M"}, {"m"}) or len(own) != len(of_states) or (own == of_states).all():
        return
    row = np.argmin(own == of_states)
    raise ValueError(
        f"u and X have other dates: row {row} of u is of {own[row]}, that of X of "
        f"{of_states[row]}. Pass u.reindex(X.index), or u.to_numpy() to count rows."
    )


def refuse_other_columns(given, names, what):
    """Refuse a frame whose columns are other ones than in fit, or in another order.

    Parameters
    ----------
    given : array-like
        What came; frames have columns.
    names : list of str or None
        Names in fit. Where they were counted there, as u0, u1, ..., any will do.
    what : str
        Name of what came.

    Raises
    ------
    ValueError
        If the columns are as many as in fit, but have other names.
    """
    if names is None or not hasattr(given, "columns"):
        return
    own, counted = [str(name) for name in given.columns], [f"u{i}" for i in range(len(names))]
    if len(own) == len(names) and own != names and names != counted:
        raise ValueError(
            f"{what} has the columns {own}, but fit was given {names}. Pass {what}[{names}]."
        )


def controls_of_cases(u, lengths):
    """Validate controls of several cases.

    Parameters
    ----------
    u : array-like of shape (n_cases, n_controls, n_timepoints), a list of such cases, or None
        Controls, NaN where missing; one control may come without an axis of its own.
    lengths : list of int
        Time points of each case.

    Returns
    -------
    list of ndarray of shape (n_timepoints_i, n_controls) or None

    Raises
    ------
    ValueError
        If there are not as many cases or time points, or infinite values.
    """
    if u is None:
        return [None] * len(lengths)
    cases = [np.atleast_2d(as_floats(case)).T for case in u]
    found = [len(case) for case in cases]
    if found != lengths or len({case.shape[1] for case in cases}) > 1:
        raise ValueError(
            "u must hold controls in the layout of X: (n_controls, n_timepoints) in each of the "
            f"{len(lengths)} cases, of {_either(lengths)} time points; got {len(cases)} cases of "
            f"shapes {sorted({case.T.shape for case in cases})}. It must not end before X does."
        )
    for number, case in enumerate(cases):
        if np.isinf(case).any():
            raise ValueError(f"u contains infinity in case {number}.")
    return cases


def _either(lengths):
    least, most = min(lengths), max(lengths)
    return str(least) if least == most else f"{least} to {most}"


def names_of_controls(u, X):
    """Name the controls: by the columns of a frame, else u0, u1, ...

    Parameters
    ----------
    u : array-like or None
        Controls, in the layout of ``X``.
    X : array-like
        States.

    Returns
    -------
    list of str
    """
    if u is None:
        return []
    if hasattr(u, "columns"):
        return [str(name) for name in u.columns]
    # The layout of the states tells rows of controls from cases of one control.
    if is_trajectories(X):
        return [f"u{i}" for i in range(len(np.atleast_2d(u[0])))]
    return [f"u{i}" for i in range(np.shape(u)[1] if np.ndim(u) == 2 else 1)]
