"""Solutions from start states, and along trajectories, in dimensionless numpy."""

from contextlib import nullcontext
from typing import Any

import numpy as np
import torch

from skdyn._dynamics import solution_score
from skdyn._validation import as_floats
from skdyn.neural_ode._hidden import prefixes
from skdyn.neural_ode._unsolved import told_by_case
from skdyn.neural_ode._windows import padded_times

__all__ = ["follow", "simulate_states", "simulation_times", "trajectories_score"]


def trajectories_score(measured, solved, weights):
    """Score each channel over all that was measured of it.

    Parameters
    ----------
    measured : ndarray of shape (n_cases, n_timepoints, n_states)
        Trajectories, with NaN where nothing was measured.
    solved : ndarray of shape (n_cases, n_timepoints, n_states)
        Solutions.
    weights : ndarray of shape (n_cases,) or None
        Weight of each case.

    Returns
    -------
    float
    """
    scores = []
    for truth, found in zip(np.moveaxis(measured, 2, 0), np.moveaxis(solved, 2, 0), strict=True):
        seen = ~np.isnan(truth)
        own = None if weights is None else np.broadcast_to(weights[:, None], seen.shape)[seen]
        scores.append(solution_score(truth[seen][:, None], found[seen][:, None], own))
    return float(np.mean(scores))


def simulation_times(t, t0, n_cases):
    """Check the times of a simulation.

    Parameters
    ----------
    t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints)
        Times to simulate.
    t0 : float, array-like of shape (n_cases,) or None
        Times of the start states; None takes the first of ``t``.
    n_cases : int
        Number of start states.

    Returns
    -------
    start : ndarray of shape (n_cases,)
        Times of the start states.
    times : ndarray of shape (n_cases, n_timepoints)
        Times to simulate.

    Raises
    ------
    ValueError
        If the times do not increase, begin before ``t0`` or do not fit the cases.
    """
    t = as_floats(t)
    if t.ndim not in (1, 2) or t.shape[-1] == 0 or (t.ndim == 2 and len(t) != n_cases):
        raise ValueError(
            f"t must have shape (n_timepoints,) or one row for each of the {n_cases} initial "
            f"states; got shape {t.shape}."
        )
    times = np.broadcast_to(t, (n_cases, t.shape[-1]))
    wrong = np.argwhere(~(np.diff(times, axis=1) > 0) | ~np.isfinite(times[:, 1:]))
    if len(wrong) or not np.isfinite(times).all():
        where = f" in case {wrong[0, 0]} after t[{wrong[0, 1]}]" if len(wrong) else ""
        raise ValueError(f"t must be finite and strictly increase; it does not{where}.")
    if t0 is None:
        return times[:, 0], times
    start = np.broadcast_to(as_floats(t0), (n_cases,))
    early = np.flatnonzero(~(times[:, 0] >= start))
    if len(early):
        case = early[0]
        raise ValueError(
            f"The horizon of case {case} begins at t={times[case, 0]:g}, before its initial state "
            f"at t0={start[case]:g}. Pass later times, or an earlier state."
        )
    return start, times


@torch.no_grad()
def simulate_states(
    module, x0, since, told: Any = nullcontext, driving=None, read=None, guarded: Any = None
):
    """Solve the module's equation.

    Parameters
    ----------
    module : TrajectoryODE
        In evaluation mode; its precision is that of the solve.
    x0 : ndarray of shape (n_cases, n_states)
        Start states.
    since : ndarray of shape (n_cases, n_timepoints)
        Monotonic times since the start.
    told : callable, default=nullcontext
        ``told(cases)`` is a context in which errors of these cases are raised.
    driving : Driving or None, default=None
        What drives the cases, on times since their starts.
    read : ndarray of shape (n_cases, n_read) or None, default=None
        What tells where hidden dimensions begin.
    guarded : callable or None, default=None
        ``guarded(solve, cases, starts)`` returns the states of ``solve(some, pull)``; see
        :class:`~skdyn.neural_ode._region.Guard`. None leaves solutions to themselves.

    Returns
    -------
    ndarray of shape (n_cases, n_timepoints, n_states)
    """
    like = next(module.parameters())
    states = np.empty((len(x0), since.shape[1], x0.shape[1]))
    at_once = since[:, 0] == 0.0  # the solver wants the start among the times, once

    def solve(cases, pull=None):
        begins = at_once[cases[0]]
        times = since[cases] if begins else np.pad(since[cases], ((0, 0), (1, 0)))
        if times.shape[1] == 1:
            return x0[cases, None]
        start = torch.as_tensor(x0[cases]).to(like)
        drive = None if driving is None else driving.select(cases).drive(module, like)
        with told(cases):
            seen = None if read is None else torch.as_tensor(read[cases]).to(like)
            times = torch.as_tensor(times).to(like.device)
            ys = module.flow(start, times, drive, seen, pull=pull).ys.cpu().numpy()
        return ys if begins else ys[:, 1:]

    for cases in (np.flatnonzero(at_once), np.flatnonzero(~at_once)):
        if len(cases):
            states[cases] = solve(cases) if guarded is None else guarded(solve, cases, x0[cases])
    return states


def follow(module, trajectories, time_scale=1.0, driven=None, n_read=0, guard=None):
    """Follow trajectories from their first complete state, forward and backward.

    Parameters
    ----------
    module : TrajectoryODE
        In evaluation mode.
    trajectories : Trajectories
        Dimensionless data.
    time_scale : float, default=1.0
        Unit of their times, for errors.
    driven : Driven or None, default=None
        What drives them.
    n_read : int, default=0
        Time points that an encoder of hidden starts reads; 0 without one.
    guard : Guard or None, default=None
        What looks after solutions that leave the region of the data.

    Returns
    -------
    ndarray of shape (n_cases, n_timepoints, n_states)
        States; NaN after a case's end.
    """
    first, last = _first_complete(trajectories), trajectories.n_points - 1
    read = prefixes(trajectories, n_read)[np.arange(len(first)), first] if n_read else None
    states = np.full(trajectories.values.shape, np.nan)
    for direction, n_steps in ((1, last - first), (-1, first)):
        cases = np.flatnonzero(n_steps > 0)
        if not len(cases):
            continue
        step = np.arange(n_steps.max() + 1)
        inside = step <= n_steps[cases, None]
        point = first[cases, None] + direction * np.minimum(step, n_steps[cases, None])
        rows = cases[:, None]
        since = padded_times(trajectories.times[rows, point], inside)
        begins = trajectories.times[cases, first[cases]] * time_scale

        def told(some, cases=cases, begins=begins):
            return told_by_case(cases[some], begins[some], time_scale)

        guarded = None
        if guard is not None:
            at = trajectories.times[rows, point] * time_scale
            guarded = guard.over(module, cases, at)
        starts = trajectories.values[cases, first[cases]]
        driving = None if driven is None else driven.from_points(cases, first[cases])
        own = None if read is None else read[cases]
        ys = simulate_states(module, starts, since, told, driving, own, guarded)
        states[np.broadcast_to(rows, point.shape)[inside], point[inside]] = ys[inside]
    everyone = np.arange(len(states))
    states[everyone, first] = trajectories.values[everyone, first]
    return states


def _first_complete(trajectories):
    complete = trajectories.observed.all(axis=2)
    never = np.flatnonzero(~complete.any(axis=1))
    if len(never):
        raise ValueError(
            f"Case {never[0]} has no time point at which all channels were observed, so there is "
            "no state to follow it from. Pass initial states, (n_cases, n_features), to predict."
        )
    return complete.argmax(axis=1)
