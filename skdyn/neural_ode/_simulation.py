"""From start states and times to solutions, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike

from skdyn._dynamics import (
    WORST,
    check_of,
    derivative_score,
    refuse_unread,
    solution_score,
)
from skdyn._state import Shape, Since
from skdyn._times import refuse_lost_times
from skdyn._trajectories import check_states, check_trajectories
from skdyn._validation import as_floats, check_is_fitted
from skdyn.base import TorchEstimator
from skdyn.exceptions import SolverError
from skdyn.metrics._arrays import case_weights
from skdyn.neural_ode._unsolved import told_by_case
from skdyn.neural_ode._windows import padded_times

__all__ = ["LearntDynamics", "follow", "simulate_states", "simulation_times"]


class LearntDynamics(TorchEstimator):
    """What a fit to trajectories learns beside the module, and solutions in the data's units."""

    interval_: float
    noise_: Annotated[np.ndarray, Shape("n_states")]
    x0_: Annotated[np.ndarray, Shape("cases n_states")]
    _offset: Annotated[np.ndarray, Shape("n_states")]
    _scale: Annotated[np.ndarray, Shape("n_states")]
    _time_scale: float
    _counts_times: Annotated[bool, Since(lambda state: True)]  # as was taken for granted
    if TYPE_CHECKING:
        module_: Any
        time_channel: Any

    def simulate(self, x0: ArrayLike, t: ArrayLike, u: None = None) -> np.ndarray:
        """Solve the learned equation from ``x0`` at ``t[0]``.

        Parameters
        ----------
        x0 : array-like of shape (n_states,) or (n_cases, n_states)
            Initial state, or states; without a channel of times.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints)
            Times, strictly increasing, the first that of ``x0``.
        u : None, default=None
            Not read, and refused: the equation has no inputs.

        Returns
        -------
        ndarray of shape (n_timepoints, n_states) or (n_cases, n_states, n_timepoints)
            One trajectory for one state, else one a case.
        """
        check_is_fitted(self)
        refuse_unread(self, u=u)
        states = check_states(np.atleast_2d(x0 := as_floats(x0)), len(self._offset), "x0")
        X = self._simulate(states, *simulation_times(t, None, len(states)))
        return X[0].T if x0.ndim == 1 else X

    def vector_field(self, X: ArrayLike, t: Any = None, u: None = None) -> np.ndarray:
        """Return the learned velocities at states.

        Parameters
        ----------
        X : array-like of shape (n_points, n_states)
            States; without a channel of times.
        t : Ignored
            Not used: the field does not depend on time. Present for API consistency.
        u : None, default=None
            Not read, and refused: the equation has no inputs.

        Returns
        -------
        ndarray of shape (n_points, n_states)
            Change of each channel per unit of time.
        """
        check_is_fitted(self)
        refuse_unread(self, u=u)
        states = check_states(as_floats(X), len(self._offset), "X")
        return self._forward((states - self._offset) / self._scale) * self._scale / self._time_scale

    def score(
        self,
        X: ArrayLike | Sequence[ArrayLike],
        y: Any = None,
        *,
        t: ArrayLike | Sequence[ArrayLike] | None = None,
        u: None = None,
        groups: None = None,
        sample_weight: ArrayLike | None = None,
        of: Literal["solution", "derivative"] = "solution",
    ) -> float:
        """Score solutions through trajectories, or velocities along them.

        Parameters
        ----------
        X : array-like
            Trajectories, as in ``fit``.
        y : Ignored
            Not used, present for API consistency by convention.
        t : array-like, default=None
            Times, as in ``fit``.
        u, groups : None, default=None
            Not read, and refused, as in ``fit``.
        sample_weight : array-like of shape (n_cases,), default=None
            Weight of each trajectory.
        of : {"solution", "derivative"}, default="solution"
            "solution" follows trajectories from their first completely observed state.
            "derivative" compares their rises over short windows with integrals of the velocities
            at their states.

        Returns
        -------
        float
            R2 of all cases together, mean over channels. Of solutions it is at least -10, which is
            also the score of one that cannot be solved. It means the same in all models of
            dynamics; see :class:`skdyn.metrics.DynamicsScorer`.
        """
        check_is_fitted(self)
        check_of(of)
        refuse_unread(self, u=u, groups=groups)
        refuse_lost_times(self, t)
        data = check_trajectories(self, X, t, time_channel=self.time_channel, reset=False)
        weights = None if sample_weight is None else case_weights(sample_weight, len(data.values))
        if of == "derivative":
            return self._score_velocities(data, weights)
        try:
            return trajectories_score(data.values, self._follow(data), weights)
        except SolverError:
            return WORST

    def _score_velocities(self, data, weights):
        weights = np.ones(len(data.values)) if weights is None else weights
        stretches, own = [], []
        for times, states, seen, weight in zip(
            data.times, data.values, data.observed.all(axis=2), weights, strict=True
        ):
            rows = np.flatnonzero(seen)
            for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
                if len(run) > 1:
                    stretches.append((times[run], states[run], self.vector_field(states[run])))
                    own.append(weight)
        return derivative_score(stretches, own)

    def _simulate(self, states, start, times):
        """Return solutions (n_cases, n_states, n_timepoints)."""

        def told(cases):
            return told_by_case(cases, start[cases], self._time_scale)

        x0 = (states - self._offset) / self._scale
        since = (times - start[:, None]) / self._time_scale
        ys = simulate_states(self._module_for(np.dtype("float64")), x0, since, told)
        return (ys * self._scale + self._offset).transpose(0, 2, 1)

    def _follow(self, data):
        """Return solutions through trajectories (n_cases, n_timepoints, n_states)."""
        scaled = data._replace(
            values=(data.values - self._offset) / self._scale, times=data.times / self._time_scale
        )
        module = self._module_for(np.dtype("float64"))
        return follow(module, scaled, self._time_scale) * self._scale + self._offset

    def _with_time(self, states, times):
        """Put the channel of the times back in its place, where there is one."""
        if self.time_channel is None:
            return states
        return np.insert(states, self.time_channel % self.n_features_in_, times, axis=1)


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
def simulate_states(module, x0, since, told: Any = nullcontext):
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

    Returns
    -------
    ndarray of shape (n_cases, n_timepoints, n_states)
    """
    like = next(module.parameters())
    states = np.empty((len(x0), since.shape[1], x0.shape[1]))
    at_once = since[:, 0] == 0.0  # the solver wants the start among the times, once
    for cases in (np.flatnonzero(at_once), np.flatnonzero(~at_once)):
        if not len(cases):
            continue
        begins = at_once[cases[0]]
        times = since[cases] if begins else np.pad(since[cases], ((0, 0), (1, 0)))
        if times.shape[1] == 1:
            states[cases, 0] = x0[cases]
            continue
        start = torch.as_tensor(x0[cases]).to(like)
        with told(cases):
            ys = module.flow(start, torch.as_tensor(times).to(like.device)).ys.cpu().numpy()
        states[cases] = ys if begins else ys[:, 1:]
    return states


def follow(module, trajectories, time_scale=1.0):
    """Follow trajectories from their first complete state, forward and backward.

    Parameters
    ----------
    module : TrajectoryODE
        In evaluation mode.
    trajectories : Trajectories
        Dimensionless data.
    time_scale : float, default=1.0
        Unit of their times, for errors.

    Returns
    -------
    ndarray of shape (n_cases, n_timepoints, n_states)
        States; NaN after a case's end.
    """
    first, last = _first_complete(trajectories), trajectories.n_points - 1
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

        ys = simulate_states(module, trajectories.values[cases, first[cases]], since, told)
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
