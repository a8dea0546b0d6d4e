"""A step that is known: physics, or a coarse solver, that a regressor is to correct."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from skdyn._validation import from_torch
from skdyn.operators._step_times import StepLengths

__all__ = ["is_left", "known_lengths", "known_states"]

_ROUNDING = 100  # times the last place of the largest value: some operations' worth


def known_states(
    known_step: Callable[..., Any], now: np.ndarray, n_ahead: int = 1, **told: np.ndarray | None
) -> np.ndarray:
    """Step from states on by what is known.

    Parameters
    ----------
    known_step : callable
        From states to those one step later.
    now : ndarray of shape (n, \\*state)
        States; it is given a copy.
    n_ahead : int, default=1
        Number of steps.
    **told : ndarray or None
        What else it is told by name, where there is something to tell: the ``context`` of each
        case, and how long each ``step`` is, of shape (n, n_ahead).

    Returns
    -------
    ndarray of shape (n, n_ahead, \\*state)
    """
    told = {name: value for name, value in told.items() if value is not None}
    _check_call(known_step, told)
    lengths, ahead = told.pop("step", None), []
    for number in range(n_ahead):
        step = {} if lengths is None else {"step": lengths[:, number]}
        now = _checked(known_step(now.copy(), **told, **step), now)
        ahead.append(now)
    return np.stack(ahead, axis=1)


def known_lengths(
    lengths: StepLengths, steps: np.ndarray | None, n: int, n_ahead: int
) -> np.ndarray | None:
    """Return how long the steps ahead are, in the units of the times.

    Parameters
    ----------
    lengths : StepLengths
        Of ``fit``.
    steps : ndarray of shape (n, n_history - 1 + n_ahead) or None
        Those around each call, in units of their mean.
    n, n_ahead : int
        Calls, and states that each leads to.

    Returns
    -------
    ndarray of shape (n, n_ahead) or None
        None where no times came.
    """
    if lengths.counted:
        return None
    if steps is None:
        return np.full((n, n_ahead), lengths.unit)
    return steps[:, -n_ahead:] * lengths.unit


def _check_call(known_step, told):
    try:
        call = inspect.signature(known_step)
    except (TypeError, ValueError):  # written in C
        return
    try:
        call.bind(None, **told)
    except TypeError:
        names = "".join(f", {name}={name}" for name in told)
        raise TypeError(
            f"known_step is called as known_step(states{names}), since fit was given "
            f"{' and '.join(told) or 'nothing else'}; but its signature is {call}."
        ) from None


def _checked(answer, now):
    answer = np.asarray(from_torch(answer))
    if answer.shape != now.shape:
        raise ValueError(
            f"known_step made {answer.shape} of states of shape {now.shape}. It must return the "
            "states one step later, in the same shape."
        )
    finite = np.isfinite(answer)
    if not finite.all():
        case = int(np.argmin(finite.reshape(len(now), -1).all(axis=1)))
        raise ValueError(
            f"known_step made NaN or infinity of states[{case}], whose values lie from "
            f"{now[case].min():.3g} to {now[case].max():.3g}. Make it hold for such states, or "
            "ask for fewer steps if a rollout runs away."
        )
    return answer.astype(now.dtype, copy=False)


def is_left(change: np.ndarray, future: np.ndarray, one_function: bool) -> np.ndarray:
    """Say of which channels a known step leaves more than rounding.

    Parameters
    ----------
    change : ndarray of shape (n, n_ahead, \\*state)
        What it leaves.
    future : ndarray of the same shape
        States that follow.
    one_function : bool
        Whether flat states are one function rather than many columns.

    Returns
    -------
    ndarray of bool of shape (n_channels,)
    """
    n_channels = 1 if change.ndim == 3 and one_function else change.shape[2]
    change, future = (
        abs(values.reshape(-1, n_channels, values[0, 0].size // n_channels)).max(axis=(0, 2))
        for values in (change, future)
    )
    return change > _ROUNDING * np.finfo(change.dtype).eps * future
