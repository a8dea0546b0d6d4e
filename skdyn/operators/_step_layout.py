"""How states in time are laid out: trajectories, pairs cut from them, what a regressor reads."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skdyn._validation import check_array, from_torch, validate_data
from skdyn.exceptions import warn_user
from skdyn.operators._doubts import ALIKE, FEW_CHANNELS, likeness
from skdyn.operators._named_fields import check_order
from skdyn.operators._step_context import as_channels
from skdyn.operators._step_times import cut_steps

__all__ = ["Pairs", "as_read", "chosen_layout", "cut_pairs", "cut_rows", "joined", "read_past",
           "repeated", "time_second"]  # fmt: skip

_DTYPES = [np.float64, np.float32]


def time_second(X: np.ndarray) -> np.ndarray:
    """Return trajectories as ``(n_cases, n_timepoints, *state)``.

    Parameters
    ----------
    X : ndarray of shape (n_cases, n_channels, n_timepoints, \\*grid) or (n_timepoints, width)
        Trajectories, or one of flat states.

    Returns
    -------
    ndarray
    """
    return X[None] if X.ndim == 2 else np.moveaxis(X, 2, 1)


def repeated(of_cases: np.ndarray | None, n: int) -> np.ndarray | None:
    """Repeat what belongs to cases for as many pairs of states, time after time.

    Parameters
    ----------
    of_cases : ndarray of shape (n_cases, ...) or None
        What belongs to each case.
    n : int
        Number of pairs, a multiple of ``n_cases``.

    Returns
    -------
    ndarray of shape (n, ...) or None
    """
    return None if of_cases is None else np.concatenate([of_cases] * (n // len(of_cases)))


class Pairs(NamedTuple):
    """Histories, and what follows them.

    Attributes
    ----------
    past : ndarray of shape (n, n_history, \\*state)
        Histories, the oldest state first.
    future : ndarray of shape (n, n_ahead, \\*state)
        What follows, the next state first.
    steps : ndarray of shape (n, n_history - 1 + n_ahead) or None
        Lengths of the steps between all of these; None where they are alike.
    context : ndarray of shape (n, ...) or None
        What else is told.
    """

    past: np.ndarray
    future: np.ndarray
    steps: np.ndarray | None
    context: np.ndarray | None


def cut_pairs(
    series: np.ndarray,
    n_history: int,
    n_ahead: int = 1,
    steps: np.ndarray | None = None,
    context: np.ndarray | None = None,
) -> Pairs:
    """Cut trajectories into histories and what follows them, time after time.

    Parameters
    ----------
    series : ndarray of shape (n_cases, n_timepoints, \\*state)
        Trajectories.
    n_history : int
        States that a step looks back on.
    n_ahead : int, default=1
        States that it leads to.
    steps : ndarray of shape (n_cases, n_timepoints - 1) or None
        Lengths of the steps between the times.
    context : ndarray of shape (n_cases, ...) or None
        What belongs to each case.

    Returns
    -------
    Pairs
    """
    n_times, h = series.shape[1], n_history
    if n_times < h + n_ahead:
        following = "the next" if n_ahead == 1 else f"the n_ahead={n_ahead} that follow"
        raise ValueError(
            f"X has n_samples = {n_times} times a trajectory, but a step from n_history={h} "
            f"to {following} needs {h + n_ahead}. Axes are (n_cases, n_channels, n_timepoints, "
            "*grid)."
        )
    begins = range(n_times - h - n_ahead + 1)
    past = np.concatenate([series[:, t : t + h] for t in begins])
    future = np.concatenate([series[:, t + h : t + h + n_ahead] for t in begins])
    return Pairs(past, future, cut_steps(steps, len(begins)), repeated(context, len(past)))


def joined(first: Pairs, second: Pairs) -> Pairs:
    """Put pairs together.

    Parameters
    ----------
    first, second : Pairs
        With steps and context both, or neither.

    Returns
    -------
    Pairs
    """
    both: Any = zip(first, second, strict=True)
    parts: list[Any] = [None if a is None else np.concatenate([a, b]) for a, b in both]
    return Pairs(*parts)


def cut_rows(pairs: Pairs, rows: slice) -> Pairs:
    """Take some of the pairs.

    Parameters
    ----------
    pairs : Pairs
        All.
    rows : slice
        Which.

    Returns
    -------
    Pairs
    """
    parts: list[Any] = [None if each is None else each[rows] for each in pairs]
    return Pairs(*parts)


def chosen_layout(history: str, series: np.ndarray, n_history: int, reads_fields: bool) -> str:
    """Say how a regressor reads histories.

    Parameters
    ----------
    history : {"auto", "channels", "axis"}
        What was asked for.
    series : ndarray of shape (n_cases, n_timepoints, \\*state)
        Trajectories.
    n_history : int
        States that a step looks back on.
    reads_fields : bool
        Whether the regressor reads functions on a grid, or flat rows.

    Returns
    -------
    {"rows", "channels", "axis"}

    Raises
    ------
    ValueError
        If flat states may be functions or a few variables, and nothing says which.
    """
    if history == "axis" and series.ndim > 3:
        raise ValueError(
            "history='axis' makes time the grid of flat states, of shape (n_cases, width, "
            f"n_timepoints); these have a grid {series.shape[3:]} of their own. Use "
            "history='channels'."
        )
    if not reads_fields:
        return "rows"
    if history != "auto":
        return history
    if series.ndim == 3 and n_history > 1:
        _doubt_history(series, n_history)
    return "channels"


def _doubt_history(series, n_history):
    """Refuse few columns, and warn of columns that are no function, where nothing was said."""
    width = series.shape[2]
    either = (
        f"history='axis' if they are variables, each of which the regressor is to read as a "
        f"function of {n_history} times, or history='channels' if they are one function on "
        f"{width} points."
    )
    if width <= FEW_CHANNELS:
        raise ValueError(
            f"X has states of {width} columns, and n_history={n_history}, for a regressor of "
            f"functions. Set {either}"
        )
    if (likeness(series.reshape(-1, width)) or 0.0) < ALIKE:
        warn_user(
            f"The {width} columns of a state are read as a function on {width} points, with "
            f"{n_history} past states as channels, but they have little to do with their "
            f"neighbors. Set {either}"
        )


def as_read(
    past: np.ndarray,
    targets: np.ndarray | None = None,
    *told: np.ndarray | None,
    layout: str,
    n_ahead: int = 1,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return histories, and targets, as the regressor reads them.

    Parameters
    ----------
    past : ndarray of shape (n, n_history, \\*state)
        Histories.
    targets : ndarray of shape (n, n_ahead, \\*state) or None
        What is to be learned of them.
    *told : ndarray of shape (n, n_numbers) or (n, n_channels, \\*grid), or None
        What else is told: context, lengths of steps.
    layout : {"rows", "channels", "axis"}
        Flat rows; or functions on a grid, for which past states are further channels, or times
        along the grid.
    n_ahead : int, default=1
        States that a step leads to, each of which has its channels in `y`.

    Returns
    -------
    X : ndarray
    y : ndarray or None
    """
    n, n_history, state_shape = len(past), past.shape[1], past.shape[2:]
    flat, more = len(state_shape) == 1, [each for each in told if each is not None]
    rows = None if targets is None else targets.reshape(n, -1)
    if layout == "axis":
        X, y = past.swapaxes(1, 2), rows
    elif flat and layout == "channels" and (n_history > 1 or n_ahead > 1 or more):
        X, y = past, targets  # one channel for each state on a grid of one axis
    elif flat or layout == "rows":
        X, y = past.reshape(n, -1), rows
    else:
        X = past.reshape(n, -1, *state_shape[1:])
        y = None if targets is None else targets.reshape(n, -1, *state_shape[1:])
    if more:
        grid = X.shape[2:]
        more = [as_channels(each, grid) if grid else each.reshape(n, -1) for each in more]
        X = np.concatenate([X, *more], axis=1)
    return X, y


def read_past(model: Any, X: Any) -> np.ndarray:
    """Validate states, or histories with at least ``n_history`` of them, to go on from.

    Parameters
    ----------
    model : AutoregressiveOperator
        Fitted.
    X : array-like
        States, or trajectories whose last states count.

    Returns
    -------
    ndarray of shape (n, n_timepoints, \\*state)
        All that came.
    """
    shape, h = model._state_shape, model.n_history
    check_order(X, "X")
    X = from_torch(X)
    if (X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim) == 2 and len(shape) == 1:
        named = hasattr(model, "feature_names_in_") or model.n_features_in_ == shape[0]
        X = validate_data(model, X, reset=False, dtype=_DTYPES) if named else X
    X = check_array(X, dtype=_DTYPES, allow_nd=True, input_name="X", estimator=model)
    if X.shape[1:] == shape:
        X = X[:, :, None]
    if X.ndim != len(shape) + 2 or X.shape[1:2] + X.shape[3:] != shape:
        raise ValueError(
            f"X of shape {X.shape} holds no states of shape {shape}, which the model was "
            f"fitted on. Pass (n, *{shape}), or histories with the times as third axis."
        )
    if X.shape[2] < h:
        raise ValueError(
            f"X has {X.shape[2]} states a case, but n_history={h}. Pass trajectories of {h} "
            "times or more."
        )
    return np.moveaxis(X, 2, 1)
