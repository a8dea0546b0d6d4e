"""How states in time are laid out: trajectories, pairs cut from them, what a regressor reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdyn._validation import check_array, from_torch, validate_data
from skdyn.operators._step_context import as_channels

__all__ = ["as_read", "cut_pairs", "read_past", "repeated", "time_second"]

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


def cut_pairs(series: np.ndarray, n_history: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut trajectories into histories and what follows them, time after time.

    Parameters
    ----------
    series : ndarray of shape (n_cases, n_timepoints, \\*state)
        Trajectories.
    n_history : int
        States that a step looks back on.

    Returns
    -------
    past : ndarray of shape (n, n_history, \\*state)
    future : ndarray of shape (n, \\*state)
    """
    n_times, h = series.shape[1], n_history
    if n_times <= h:
        raise ValueError(
            f"X has n_samples = {n_times} times a trajectory, but a step from n_history={h} "
            f"to the next needs {h + 1}. Axes are (n_cases, n_channels, n_timepoints, *grid)."
        )
    steps = range(n_times - h)
    past = np.concatenate([series[:, t : t + h] for t in steps])
    return past, np.concatenate([series[:, t + h] for t in steps])


def as_read(
    past: np.ndarray,
    targets: np.ndarray | None = None,
    context: np.ndarray | None = None,
    *,
    reads_fields: bool,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return histories, and targets, as the regressor reads them.

    Parameters
    ----------
    past : ndarray of shape (n, n_history, \\*state)
        Histories.
    targets : ndarray of shape (n, \\*state) or None
        What is to be learned of them.
    context : ndarray of shape (n, n_numbers) or (n, n_channels, \\*grid), or None
        What else is told.
    reads_fields : bool
        Whether the regressor reads functions on a grid, or flat rows.

    Returns
    -------
    X : ndarray
    y : ndarray or None
    """
    n, n_history, state_shape = len(past), past.shape[1], past.shape[2:]
    flat, told = len(state_shape) == 1, context is not None
    if flat and reads_fields and (n_history > 1 or told):
        X = past  # one channel for each state on a grid of one axis
        y = None if targets is None else targets[:, None]
    elif flat or not reads_fields:
        X = past.reshape(n, -1)
        y = None if targets is None else targets.reshape(n, -1)
    else:
        X, y = past.reshape(n, -1, *state_shape[1:]), targets
    if told:
        context = as_channels(context, X.shape[2:]) if X.ndim > 2 else context.reshape(n, -1)
        X = np.concatenate([X, context], axis=1)
    return X, y


def read_past(model: Any, X: Any) -> np.ndarray:
    """Validate states or histories that a fitted model goes on from.

    Parameters
    ----------
    model : AutoregressiveOperator
        Fitted.
    X : array-like
        States, or trajectories whose last states count.

    Returns
    -------
    ndarray of shape (n, n_history, \\*state)
        The last ``n_history`` states.
    """
    shape, h = model._state_shape, model.n_history
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
    return np.moveaxis(X, 2, 1)[:, -h:]
