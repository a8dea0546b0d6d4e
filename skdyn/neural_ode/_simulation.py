"""What dynamics that were learned from trajectories can be asked, in the data's units."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike

from skdyn._controls import refuse_other_columns
from skdyn._dynamics import WORST, check_of, derivative_score, refuse_unread
from skdyn._state import ANY_NUMBER, OPTIONAL, Shape, Since
from skdyn._time_units import labeled_by, read_times
from skdyn._times import refuse_lost_times
from skdyn._trajectories import (
    Cases,
    Trajectories,
    check_initial_states,
    check_states,
    check_trajectories,
    is_trajectories,
)
from skdyn._validation import as_floats, check_is_fitted
from skdyn.base import TorchEstimator
from skdyn.exceptions import SolverError
from skdyn.metrics._arrays import case_weights
from skdyn.neural_ode._following import (
    follow,
    simulate_states,
    simulation_times,
    trajectories_score,
)
from skdyn.neural_ode._inputs import (
    Clock,
    Driven,
    InputScales,
    check_covariates,
    controls_of_simulation,
    read_inputs,
)
from skdyn.neural_ode._known import check_known
from skdyn.neural_ode._region import Guard, Region
from skdyn.neural_ode._unsolved import told_by_case

__all__ = ["LearntDynamics"]

Controls = ArrayLike | Callable[[float], Any] | None


class LearntDynamics(TorchEstimator):
    """What a fit to trajectories learns beside the module, and solutions in the data's units."""

    interval_: float
    alpha_: Annotated[float | int, OPTIONAL]
    noise_: Annotated[np.ndarray, Shape("n_states")]
    x0_: Annotated[np.ndarray, Shape("cases n_states")]
    _offset: Annotated[np.ndarray, Shape("n_states")]
    _scale: Annotated[np.ndarray, Shape("n_states")]
    _time_scale: float
    time_unit_: Annotated[str | None, Since(lambda state: None)]
    _counts_times: Annotated[bool, Since(lambda state: True)]  # as was taken for granted
    input_interpolation: Annotated[str, Since(lambda state: "linear")]
    time_dependent: Annotated[bool, Since(lambda state: False)]
    period: Annotated[float | int | None, Since(lambda state: None)]
    hidden_start: Annotated[str, Since(lambda state: "zeros")]
    hidden_points: Annotated[int, Since(lambda state: 10)]
    known: Annotated[Any, Since(lambda state: None)]
    parameters: Annotated[dict[str, float] | None, Since(lambda state: None)]
    parameters_: Annotated[dict[str, float], OPTIONAL]
    parameters_std_: Annotated[dict[str, Annotated[float, ANY_NUMBER]], OPTIONAL]
    control_names_: Annotated[list[str], Since(lambda state: [])]
    n_covariates_: Annotated[int, Since(lambda state: 0)]
    _covariate_names: Annotated[list[str], Since(lambda state: [])]
    _control_scales: Annotated[np.ndarray, Shape("2 _"), Since(lambda state: np.zeros((2, 0)))]
    _covariate_scales: Annotated[np.ndarray, Shape("2 _"), Since(lambda state: np.zeros((2, 0)))]
    _clock_scales: Annotated[np.ndarray, Shape("2"), Since(lambda state: np.array([0.0, 1.0]))]
    _whitening: Annotated[np.ndarray, Shape("n_states n_states"), OPTIONAL]
    _radii: Annotated[np.ndarray, Shape("2"), OPTIONAL]
    _farthest: Annotated[np.ndarray, Shape("n_states"), OPTIONAL]
    if TYPE_CHECKING:
        module_: Any
        time_channel: Any
        augment_dim: Any

    _places_data = True

    def predict(
        self,
        X: Cases,
        t: Cases | None = None,
        t0: ArrayLike | None = None,
        u: Controls = None,
        covariates: ArrayLike | None = None,
    ) -> np.ndarray:
        """Predict states: those one interval later, at the times ``t``, or along trajectories.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_features) or (n_cases, n_channels, n_timepoints)
            Initial states, one per row; or trajectories as in ``fit`` with three axes or as a list,
            which are then followed from the first time point with all channels observed, forward
            and backward.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Times to predict, strictly increasing. With initial states, None is one training
            interval (``interval_``) after them; with trajectories, their times as in ``fit``.
        t0 : float or array-like of shape (n_cases,), default=None
            Time of the initial states; None is ``t[0]``.
        u : array-like or callable, default=None
            Controls, where the model has any. With trajectories, in their layout; with initial
            states as in ``simulate``, or without ``t`` of shape (n_cases, n_controls), held for
            one interval.
        covariates : array-like of shape (n_cases, n_covariates), default=None
            Covariates, where the model has any.

        Returns
        -------
        ndarray of shape (n_cases, n_features) or (n_cases, n_channels, n_timepoints)
            States: one per case where ``t`` was not given for initial states, else trajectories.

        Raises
        ------
        ValueError
            If a time to predict lies before ``t0``.
        SolverError
            If the learned dynamics cannot be solved that far.

        Warns
        -----
        SolverWarning
            If solutions leave the region of the training data: they are solved again with a pull
            back to it.
        """
        check_is_fitted(self)
        t, t0 = read_times(self, t, reset=False), read_times(self, t0, reset=False, name="t0")
        if is_trajectories(X):
            if t0 is not None:
                raise ValueError("t0 is the time of initial states; trajectories bring their own.")
            refuse_lost_times(self, t)
            data = check_trajectories(self, X, t, time_channel=self.time_channel, reset=False)
            data = read_inputs(self, X, data, u, covariates, reset=False)
            states = self._follow(data).transpose(0, 2, 1)
            return self._with_time(states, data.times)
        states, own_t0 = check_initial_states(self, X, self.time_channel)
        t0 = own_t0 if t0 is None else t0
        if t is None:
            start = np.broadcast_to(as_floats(0.0 if t0 is None else t0), len(states))
            times = start[:, None] + self.interval_
        else:
            start, times = simulation_times(t, t0, len(states))
        solved = self._simulate(states, start, times, u, covariates)
        predicted = self._with_time(solved, times)
        return predicted[:, :, 0] if t is None else predicted

    def simulate(
        self,
        x0: ArrayLike,
        t: ArrayLike,
        u: Controls = None,
        covariates: ArrayLike | None = None,
    ) -> np.ndarray:
        """Solve the learned equation from ``x0`` at ``t[0]``.

        Parameters
        ----------
        x0 : array-like of shape (n_states,) or (n_cases, n_states)
            Initial state, or states; without a channel of times.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints)
            Times, strictly increasing, the first that of ``x0``.
        u : callable or array-like of shape (n_timepoints, n_controls), default=None
            Controls, where the model has any: a function of time, or their values at ``t``; of
            shape (n_cases, n_controls, n_timepoints) where each case has its own.
        covariates : array-like of shape (n_covariates,) or (n_cases, n_covariates), default=None
            Covariates, where the model has any.

        Returns
        -------
        ndarray of shape (n_timepoints, n_states) or (n_cases, n_states, n_timepoints)
            One trajectory for one state, else one per case. One trajectory at dates or durations in
            an index of pandas is a frame with that index.
        """
        check_is_fitted(self)
        states = check_states(np.atleast_2d(x0 := as_floats(x0)), len(self._offset), "x0")
        if covariates is not None and x0.ndim == 1:
            covariates = np.atleast_2d(as_floats(covariates))
        at = simulation_times(read_times(self, t, reset=False), None, len(states))
        X = self._simulate(states, *at, u, covariates)
        return labeled_by(t, X[0].T, self._state_names()) if x0.ndim == 1 else X

    def vector_field(
        self,
        X: ArrayLike,
        t: ArrayLike | float | None = None,
        u: ArrayLike | None = None,
        covariates: ArrayLike | None = None,
    ) -> np.ndarray:
        """Return the learned velocities at states.

        Parameters
        ----------
        X : array-like of shape (n_points, n_states)
            States; without a channel of times.
        t : float or array-like of shape (n_points,), default=None
            Times there; read only where the field depends on time.
        u : array-like of shape (n_points, n_controls), default=None
            Controls there, where the model has any.
        covariates : array-like of shape (n_points, n_covariates), default=None
            Covariates there, where the model has any.

        Returns
        -------
        ndarray of shape (n_points, n_states)
            Change of each channel per unit of time.
        """
        check_is_fitted(self)
        self._refuse_unknown_starts("velocities depend on them")
        states = check_states(as_floats(X), len(self._offset), "X")
        t = read_times(self, t, reset=False)
        inputs = self._inputs_at(len(states), t, u, covariates)
        columns = np.concatenate([(states - self._offset) / self._scale, inputs], axis=1)
        return self._forward(columns) * self._scale / self._time_scale

    def _inputs_at(self, n_points, t, u, covariates):
        """Return the field's inputs at points, shape (n_points, n_inputs)."""
        clock = self._clock()
        if t is None and (clock.trend or clock.period):
            raise ValueError("The field depends on time: pass the times t of the states.")
        times = np.broadcast_to(as_floats(0.0 if t is None else t), (n_points,))
        controls = self._controls_at(u, times[:, None])[:, 0]
        covariates = check_covariates(self, covariates, n_points)
        parts = [(controls - self._control_scales[0]) / self._control_scales[1]]
        if covariates is not None:
            parts.append((covariates - self._covariate_scales[0]) / self._covariate_scales[1])
        return np.concatenate([*parts, clock.features(times)], axis=1)

    def _controls_at(self, u, times):
        """Return controls (n_cases, n_timepoints, n_controls) at the times of cases."""
        known = self.control_names_
        if (u is not None) != bool(known):
            raise ValueError(
                f"u must hold the {len(known)} controls seen during fit "
                f"({', '.join(known) or 'none'}); it "
                f"{'is missing' if u is None else 'came, but there were none'}."
            )
        if u is None:
            return np.zeros((*times.shape, 0))
        if times.shape[1] == 1 and np.ndim(u) == 2:
            refuse_other_columns(u, known, "u")
            u = as_floats(u)[:, :, None]
        return controls_of_simulation(u, times, known)

    def score(
        self,
        X: Cases,
        y: Any = None,
        *,
        t: Cases | None = None,
        u: Cases | None = None,
        covariates: ArrayLike | None = None,
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
        u : array-like, default=None
            Controls, as in ``fit``.
        covariates : array-like of shape (n_cases, n_covariates), default=None
            Covariates, as in ``fit``.
        groups : None, default=None
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
        refuse_unread(self, groups=groups)
        refuse_lost_times(self, t)
        t = read_times(self, t, reset=False)
        data = check_trajectories(self, X, t, time_channel=self.time_channel, reset=False)
        data = read_inputs(self, X, data, u, covariates, reset=False)
        weights = None if sample_weight is None else case_weights(sample_weight, len(data.values))
        if of == "derivative":
            return self._score_velocities(data, weights)
        try:
            return trajectories_score(data.values, self._follow(data), weights)
        except SolverError:
            return WORST

    def _score_velocities(self, data, weights):
        self._refuse_unknown_starts("velocities depend on them: use of='solution'")
        weights = np.ones(len(data.values)) if weights is None else weights
        driven = self._driven(data)
        stretches, own = [], []
        for case, weight in enumerate(weights):
            times, states = data.times[case], data.values[case]
            rows = np.flatnonzero(data.observed[case].all(axis=1))
            for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
                if len(run) > 1:
                    columns = (states[run] - self._offset) / self._scale
                    if driven is not None:
                        columns = np.hstack([columns, driven.at_points()[case, run]])
                    velocities = self._forward(columns) * self._scale / self._time_scale
                    stretches.append((times[run], states[run], velocities))
                    own.append(weight)
        return derivative_score(stretches, own)

    def _clock(self):
        middle, half = self._clock_scales.tolist()
        return Clock(self.period, self.time_dependent, middle, half, self._time_scale)

    def _n_read(self):
        """Time points that tell where hidden dimensions begin; 0 where they begin at 0."""
        encodes = self.augment_dim and self.hidden_start == "encoder"
        return self.hidden_points if encodes else 0

    def _refuse_unknown_starts(self, what):
        if self._n_read():
            raise ValueError(
                f"hidden_start='encoder' reads hidden states off the first {self.hidden_points} "
                f"time points, and {what}. Pass trajectories to predict, with NaN for the times "
                "that are to be foretold."
            )

    def _state_names(self):
        names = list(map("x{}".format, range(len(self._offset))))
        if hasattr(self, "feature_names_in_"):
            names = list(map(str, self.feature_names_in_))
            if self.time_channel is not None:
                del names[self.time_channel]
        return names

    def _known_config(self):
        """Return what the module must know of formulas."""
        names = [*self._state_names(), *self.control_names_]
        known, parameters = check_known(self.known, self.parameters, names, len(self._offset))
        if not known:
            return {}
        units = np.hstack([[self._offset, self._scale], self._control_scales])
        return {
            "known": known,
            "known_names": tuple(names),
            "known_parameters": parameters,
            "known_offset": tuple(units[0].tolist()),
            "known_scale": tuple(units[1].tolist()),
            "time_scale": self._time_scale,
            "moving": tuple(range(len(self._offset))),
        }

    def _n_inputs(self):
        """Number of inputs of the field, the clock counted once."""
        clock = self.time_dependent or self.period is not None
        return len(self.control_names_) + self.n_covariates_ + clock

    def _drives(self, kind=None):
        """Return what lays the paths of controls over dimensionless times."""
        scales = InputScales(self._control_scales, self._covariate_scales, self._clock_scales)
        clock, kind = self._clock(), kind or self.input_interpolation

        def drive(trajectories, times, began):
            return Driven.of(trajectories, times, began, scales, clock, kind)

        return drive

    def _driven(self, data):
        """Return what drives trajectories, or None."""
        if not self._n_inputs():
            return None
        return self._drives()(data, data.times / self._time_scale, np.zeros(len(data.times)))

    def _driving(self, start, times, since, u, covariates):
        """Return what drives simulations, or None."""
        covariates = check_covariates(self, covariates, len(start))
        if callable(u) and self.control_names_:
            return self._driven_by(u, start, times, covariates)
        controls = self._controls_at(u, times)
        if not self._n_inputs():
            return None
        alone = times.shape[1] == 1
        if self.control_names_ and not alone and since[:, 0].any():
            raise ValueError(
                "u is known at the times t only, which begin after the initial states: pass t that "
                "begins at t0, or a function of time as u."
            )
        if alone:  # held from the start on
            since, times = np.hstack([since, since + 1.0]), np.hstack([times, times + 1.0])
            controls = np.repeat(controls, 2, axis=1)
        n_points = np.full(len(start), since.shape[1])
        data = Trajectories(controls, times, n_points, controls, covariates)
        data = data._replace(controls=controls if self.control_names_ else None)
        driven = self._drives("hold" if alone else None)(data, since, start)
        everyone = np.arange(len(start))
        return driven.from_points(everyone, np.zeros(len(start), dtype=int))

    def _driven_by(self, u, start, times, covariates):
        """Return what a function of time drives."""
        mean, deviation = self._control_scales

        def function(since, cases):
            at = start[cases] + since[:, 0].double().cpu().numpy() * self._time_scale
            rows = np.stack([np.atleast_1d(as_floats(u(moment))) for moment in at.tolist()])
            if rows.shape[1] != len(mean):
                raise ValueError(
                    f"u(t) must return {len(mean)} controls; got {rows.shape[1]} of them."
                )
            return torch.as_tensor((rows - mean) / deviation)

        still = Trajectories(times[:, :, None], times, np.array([]), None, covariates)
        driven = self._drives()(still, times * 0.0, start)
        everyone = np.arange(len(start))
        driving = driven.from_points(everyone, np.zeros(len(start), dtype=int))
        return driving._replace(function=function)

    def _simulate(self, states, start, times, u=None, covariates=None):
        """Return solutions (n_cases, n_states, n_timepoints)."""
        self._refuse_unknown_starts("initial states alone do not tell them")

        def told(cases):
            return told_by_case(cases, start[cases], self._time_scale)

        x0 = (states - self._offset) / self._scale
        since = (times - start[:, None]) / self._time_scale
        driving = self._driving(start, times, since, u, covariates)
        module, guard = self._module_for(np.dtype("float64")), self._guard()
        guarded = guard and guard.over(module, np.arange(len(x0)), times)
        ys = simulate_states(module, x0, since, told, driving, guarded=guarded)
        if guard:
            guard.tell()
        return (ys * self._scale + self._offset).transpose(0, 2, 1)

    def _guard(self):
        """Return what looks after solutions; None in models of older files, which know no region.

        What formulas say holds anywhere: it is not pulled back.
        """
        if not hasattr(self, "_radii"):
            return None
        region = Region(self._whitening, self._radii, self._farthest)
        return Guard(region, pulls=self.module_.known is None)

    def _follow(self, data, guarded=True):
        """Return solutions through trajectories (n_cases, n_timepoints, n_states)."""
        guard = self._guard() if guarded else None
        scaled = data._replace(
            values=(data.values - self._offset) / self._scale, times=data.times / self._time_scale
        )
        module = self._module_for(np.dtype("float64"))
        driven = self._driven(data)
        solved = follow(module, scaled, self._time_scale, driven, self._n_read(), guard)
        if guard:
            guard.tell()
        return solved * self._scale + self._offset

    def _with_time(self, states, times):
        """Put the channel of the times back in its place, where there is one."""
        if self.time_channel is None:
            return states
        return np.insert(states, self.time_channel % self.n_features_in_, times, axis=1)
