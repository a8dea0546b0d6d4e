"""Times of states: how long each step is, and which steps lead to the times asked for.

Steps that are all alike are no news to a regressor and are not told to it. Where they differ each
is a coefficient of its step, in units of the mean step of ``fit``. Gaps longer than the longest
step of ``fit`` are gone through in several.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.interpolate import make_interp_spline

from skdyn._time_units import read_times
from skdyn._validation import check_array
from skdyn.exceptions import warn_user

__all__ = ["Plan", "StepLengths", "cut_steps", "learn_steps", "plan_steps", "told_steps",
           "velocities"]  # fmt: skip

_ALIKE = 1e-6  # relative: steps closer than this are the same


class StepLengths(NamedTuple):
    """What ``fit`` saw of steps.

    Attributes
    ----------
    unit : float
        The mean step, in the units of the times.
    shortest, longest : float
        Steps, in that unit.
    counted : bool
        Whether no times came, so that they are counted 0, 1, 2, ...
    """

    unit: float
    shortest: float
    longest: float
    counted: bool

    @property
    def differ(self) -> bool:
        """Whether steps are of several lengths."""
        return self.shortest < self.longest


class Plan(NamedTuple):
    """Which steps a rollout takes.

    Attributes
    ----------
    steps : ndarray of shape (n_cases, n_history - 1 + n_steps) or None
        Lengths of the steps between the states looked back on, and of those to come.
    at : ndarray of int of shape (n_times,)
        After how many steps, but one, each time asked for is reached.
    """

    steps: np.ndarray | None
    at: np.ndarray

    def window(self, begin: int, n_history: int, n_ahead: int) -> np.ndarray | None:
        """Return the lengths of steps around a call of the regressor.

        Parameters
        ----------
        begin : int
            Steps taken before.
        n_history, n_ahead : int
            States looked back on, and led to.

        Returns
        -------
        ndarray of shape (n_cases, n_history - 1 + n_ahead) or None
            After the last step it is repeated.
        """
        if self.steps is None:
            return None
        which = np.arange(begin, begin + n_history - 1 + n_ahead)
        return self.steps[:, np.minimum(which, self.steps.shape[1] - 1)]


def learn_steps(model: Any, t: Any, n_cases: int, n_times: int) -> np.ndarray | None:
    """Read the times of trajectories in ``fit``, and note how long their steps are.

    Parameters
    ----------
    model : AutoregressiveOperator
        Its ``time_unit_`` and ``_step_lengths`` are set.
    t : array-like of shape (n_times,) or (n_cases, n_times), or None
        What came.
    n_cases, n_times : int
        Of the trajectories.

    Returns
    -------
    ndarray of shape (n_cases, n_times - 1) or None
        Steps in units of their mean; None where they are all alike.
    """
    steps, slack = _steps(model, t, n_cases, n_times, reset=True)
    if steps is None:
        model._step_lengths = StepLengths(1.0, 1.0, 1.0, True)
        return None
    unit = float(steps.mean())
    if np.ptp(steps) <= _ALIKE * unit + slack:
        model._step_lengths = StepLengths(unit, 1.0, 1.0, False)
        return None
    steps = steps / unit
    model._step_lengths = StepLengths(unit, float(steps.min()), float(steps.max()), False)
    return steps


def told_steps(model: Any, t: Any, n_cases: int, n_times: int) -> np.ndarray | None:
    """Read the times of trajectories that a fitted model is scored on.

    Parameters
    ----------
    model : AutoregressiveOperator
        Fitted.
    t : array-like of shape (n_times,) or (n_cases, n_times), or None
        What came.
    n_cases, n_times : int
        Of the trajectories.

    Returns
    -------
    ndarray of shape (n_cases, n_times - 1) or None
        Steps in the unit of the model; None where they are all those of ``fit``.
    """
    lengths = model._step_lengths
    if t is None:
        _refuse_lost(lengths)
        return None
    steps, slack = _steps(model, t, n_cases, n_times, reset=False)
    steps, slack = steps / lengths.unit, slack / lengths.unit
    if not lengths.differ:
        if (abs(steps - 1) <= _ALIKE + slack).all():
            return None
        if model.integrator == "euler":
            raise ValueError(
                f"t has steps from {steps.min() * lengths.unit:.6g} to "
                f"{steps.max() * lengths.unit:.6g}, but all steps in fit were "
                f"{lengths.unit:.6g}. Bring trajectories to that step, or fit on steps that differ."
            )
    return steps


def plan_steps(model: Any, t: Any, n_steps: Any, n_cases: int, n_given: int) -> Plan:
    """Plan a rollout to the times asked for.

    Parameters
    ----------
    model : AutoregressiveOperator
        Fitted.
    t : array-like of shape (n_given + n_times,) or (n_cases, n_given + n_times), or None
        Times of the states given, then those asked for.
    n_steps : int or None
        Number of steps asked for, if there is no `t`.
    n_cases, n_given : int
        Of the states given.

    Returns
    -------
    Plan
    """
    if t is None:
        _refuse_lost(model._step_lengths)
        return Plan(None, np.arange(n_steps))
    lengths, h = model._step_lengths, model.n_history
    steps, slack = _steps(model, t, n_cases, None, reset=False, n_given=n_given)
    steps, slack = steps / lengths.unit, slack / lengths.unit
    before, gaps = steps[:, n_given - h : n_given - 1], steps[:, n_given - 1 :]
    if model.integrator == "euler" and not lengths.differ:
        _check_multiples(before, gaps, slack, lengths.unit)
        return Plan(None, np.rint(gaps[0]).astype(int).cumsum() - 1)
    parts = np.maximum(np.ceil(gaps / lengths.longest - _ALIKE - slack), 1).max(axis=0).astype(int)
    fine = np.concatenate([before, (gaps / parts).repeat(parts, axis=1)], axis=1)
    if model.integrator == "euler":
        _doubt_lengths(fine, lengths)
    return Plan(fine, parts.cumsum() - 1)


def cut_steps(steps: np.ndarray | None, n_pairs: int) -> np.ndarray | None:
    """Cut the steps of trajectories into those of each pair, time after time.

    Parameters
    ----------
    steps : ndarray of shape (n_cases, n_timepoints - 1) or None
        Steps.
    n_pairs : int
        Pairs of a trajectory.

    Returns
    -------
    ndarray of shape (n_pairs * n_cases, n_timepoints - n_pairs) or None
    """
    if steps is None:
        return None
    width = steps.shape[1] + 1 - n_pairs
    return np.concatenate([steps[:, time : time + width] for time in range(n_pairs)])


def velocities(series: np.ndarray, steps: np.ndarray | None = None) -> np.ndarray:
    """Return velocities at all times but the last, by splines through trajectories.

    Parameters
    ----------
    series : ndarray of shape (n_cases, n_timepoints, \\*state)
        Trajectories.
    steps : ndarray of shape (n_cases, n_timepoints - 1) or None
        Their steps; None where they are all alike.

    Returns
    -------
    ndarray of shape (n_cases * (n_timepoints - 1), \\*state)
        Time after time, in states per mean step.
    """
    n_times = series.shape[1]
    if steps is None:
        found = _slopes(np.arange(n_times), series)
    else:
        times = np.concatenate([np.zeros((len(steps), 1)), steps.cumsum(axis=1)], axis=1)
        own = [_slopes(when, case[None]) for when, case in zip(times, series, strict=True)]
        found = np.concatenate(own)
    return np.concatenate(list(np.moveaxis(found, 1, 0)))


def _slopes(times, series):
    spline = make_interp_spline(times, series, k=min(3, len(times) - 1), axis=1)
    return spline.derivative()(times[:-1])


def _steps(model, t, n_cases, n_times, *, reset, n_given=0):
    """Return the steps between times, ``(n_cases, n)``, and by how much rounding moves them."""
    t = read_times(model, t, reset=reset)
    if t is None:
        return None, 0.0
    t = check_array(t, dtype=[np.float64, np.float32], ensure_2d=False, input_name="t")
    rounding = 4 * float(np.finfo(t.dtype).eps) * float(abs(t).max())
    t = t.astype(np.float64)
    t = np.broadcast_to(t, (n_cases, len(t))) if t.ndim == 1 else t
    fits = t.shape[1:] == (n_times,) if n_times else t.ndim == 2 and t.shape[1] > n_given
    if t.ndim != 2 or len(t) != n_cases or not fits:
        wanted = n_times or f"{n_given} + n_times"
        told = "" if n_times else ": those of the states in X, then those asked for"
        raise ValueError(
            f"t has the shape {t.shape if t.ndim != 2 or len(t) != n_cases else t.shape[1:]}; "
            f"times must be ({wanted},), or ({n_cases}, {wanted}) for {n_cases} cases{told}."
        )
    steps = np.diff(t, axis=1)
    if not (steps > 0).all():
        case, time = np.argwhere(~(steps > 0))[0]
        raise ValueError(
            f"t must increase: in case {case}, {t[case, time]:.6g} is followed by "
            f"{t[case, time + 1]:.6g}."
        )
    return steps, rounding


def _refuse_lost(lengths):
    if lengths.differ:
        raise ValueError(
            f"The model was fitted on steps from {lengths.shortest * lengths.unit:.6g} to "
            f"{lengths.longest * lengths.unit:.6g}: say with t= how long they are, by the times of "
            "the states in X and, in rollout and predict, of those asked for."
        )


def _check_multiples(before, gaps, slack, unit):
    steps = np.concatenate([before, gaps], axis=1)
    counts = np.maximum(np.rint(steps), 1)
    counts[:, : before.shape[1]] = 1
    off = abs(steps - counts) > _ALIKE * counts + slack
    if off.any():
        raise ValueError(
            f"t has a step of {steps[off][0] * unit:.6g}, but all steps in fit were {unit:.6g}: "
            "times must be whole multiples of it apart, and states looked back on one. Fit on "
            "steps that differ, or with integrator='rk4', for other times."
        )
    if (counts != counts[0]).any():
        raise ValueError(
            "t asks for unlike numbers of steps in the cases, of a model of one length of steps. "
            "Roll such cases out one by one."
        )


def _doubt_lengths(fine, lengths):
    low, high = fine.min() * lengths.unit, fine.max() * lengths.unit
    shortest, longest = lengths.shortest * lengths.unit, lengths.longest * lengths.unit
    if low < shortest * (1 - 1e-3) or high > longest * (1 + 1e-3):
        warn_user(
            f"t takes steps from {low:.6g} to {high:.6g}, but those in fit were from "
            f"{shortest:.6g} to {longest:.6g}: what others do is guessed. Fit on such steps, or "
            "ask for times further apart."
        )
