r"""What drives dynamics from outside: controls along time, covariates of a case, and the clock.

.. math:: \frac{dx}{dt} = f_\theta\big(x, u(t), c, \sin\tfrac{2\pi t}P, \cos\tfrac{2\pi t}P, t\big)

Controls are known at points of time; a path between them makes them a function. Inside, all is
standardized, and paths run over dimensionless time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from skdyn._controls import (
    controls_of_cases,
    controls_of_rows,
    names_of_controls,
    refuse_other_columns,
)
from skdyn._trajectories import is_trajectories
from skdyn._validation import as_floats
from skdyn.exceptions import warn_user
from skdyn.neural_ode._drive import Drive
from skdyn.solvers import PATH_KINDS, Path, interpolate_path

__all__ = [
    "Clock",
    "Driven",
    "Driving",
    "InputScales",
    "check_covariates",
    "controls_of_simulation",
    "learn_input_scales",
    "read_inputs",
]


class InputScales(NamedTuple):
    """What makes inputs dimensionless.

    Attributes
    ----------
    controls, covariates : ndarray of shape (2, n)
        Mean and deviation of each.
    clock : ndarray of shape (2,)
        Middle and half the length of the times of training.
    """

    controls: np.ndarray
    covariates: np.ndarray
    clock: np.ndarray


def read_inputs(estimator, X, trajectories, u, covariates, reset):
    """Put validated controls and covariates beside trajectories.

    Parameters
    ----------
    estimator : estimator
        Whose ``control_names_`` and ``n_covariates_`` are set (``reset=True``) or compared.
    X : array-like
        Trajectories as they came.
    trajectories : Trajectories
        The same, validated.
    u : array-like or None
        Controls, in the layout of ``X``.
    covariates : array-like of shape (n_cases, n_covariates) or None
        One row per case.
    reset : bool
        Whether this is a fit.

    Returns
    -------
    Trajectories
    """
    if reset:
        estimator.control_names_ = names_of_controls(u, X)
    cases: list[Any] = [None]
    if u is not None and is_trajectories(X):
        cases = controls_of_cases(u, [np.shape(case)[-1] for case in X])
    elif u is not None:
        cases = [controls_of_rows(u, X, estimator.control_names_)]
    found = 0 if cases[0] is None else cases[0].shape[1]
    _check_count("u", "controls", len(estimator.control_names_), found)
    controls = None
    if found:
        controls = np.full((*trajectories.times.shape, found), np.nan)
        for number, (case, n_points) in enumerate(zip(cases, trajectories.n_points, strict=True)):
            controls[number, :n_points] = case[:n_points]
            lost = np.flatnonzero(np.isnan(controls[number]).all(axis=0))
            if len(lost):
                raise ValueError(
                    f"u has no value of {estimator.control_names_[lost[0]]} in case {number}. "
                    "Leave the case or the control out."
                )
        _doubt_early_ends(controls, trajectories.times, estimator.control_names_)
    covariates = check_covariates(estimator, covariates, len(trajectories.values), reset)
    if reset:
        _doubt_still(controls, estimator.control_names_, "u")
        _doubt_still(covariates, estimator._covariate_names, "covariates")
    return trajectories._replace(controls=controls, covariates=covariates)


def _doubt_early_ends(controls, times, names):
    """Warn of controls that end before the times do: what is not known is not foretold."""
    known = ~np.isnan(controls)
    last = known.shape[1] - 1 - known[:, ::-1].argmax(axis=1)  # of each case and control
    early = np.argwhere(last < (~np.isnan(times)).sum(axis=1)[:, None] - 1)
    if len(early):
        case, control = early[0]
        warn_user(
            f"u ends before the times do: {names[control]} of case {case} is NaN after "
            f"t={times[case, last[case, control]]:.6g}, and is held at its last value from there. "
            "Pass its values, or an earlier end of the times."
        )


def _doubt_still(values, names, what):
    """Warn of inputs that are the same everywhere, so that what others do is not learned."""
    if values is None:
        return
    rows = values.reshape(-1, values.shape[-1])
    still = np.flatnonzero(np.nanmin(rows, axis=0) == np.nanmax(rows, axis=0))
    if len(still):
        column = still[0]
        warn_user(
            f"Column {names[column] if names else column} of {what} is "
            f"{np.nanmax(rows[:, column]):.4g} everywhere: nothing tells what another value "
            "does, and answers to one mean nothing. Leave it out, or pass data in which it changes."
        )


def _check_count(name, what, expected, found):
    if found != expected:
        raise ValueError(f"{name} must hold the {expected} {what} seen during fit; got {found}.")


def check_covariates(estimator, covariates, n_cases, reset=False):
    """Validate covariates.

    Parameters
    ----------
    estimator : estimator
        Whose ``n_covariates_`` is set or compared.
    covariates : array-like of shape (n_cases, n_covariates), (n_cases,) or None
        One row per case.
    n_cases : int
        Number of cases.
    reset : bool, default=False
        Whether this is a fit.

    Returns
    -------
    ndarray of shape (n_cases, n_covariates) or None
    """
    names = [str(name) for name in getattr(covariates, "columns", [])]
    if reset:
        estimator._covariate_names = names
    if covariates is not None:
        refuse_other_columns(covariates, estimator._covariate_names or None, "covariates")
        covariates = as_floats(covariates)
        covariates = covariates[:, None] if covariates.ndim == 1 else covariates
        if covariates.ndim != 2 or len(covariates) != n_cases:
            raise ValueError(
                f"covariates must be a row for each of the {n_cases} cases; got shape "
                f"{covariates.shape}."
            )
        if not np.isfinite(covariates).all():
            case = np.argwhere(~np.isfinite(covariates))[0][0]
            raise ValueError(f"covariates contains NaN or infinity in case {case}. Fill it first.")
    found = 0 if covariates is None else covariates.shape[1]
    if reset:
        estimator.n_covariates_ = found
    _check_count("covariates", "covariates", estimator.n_covariates_, found)
    return covariates


def learn_input_scales(trajectories):
    """Learn the scales of inputs.

    Parameters
    ----------
    trajectories : Trajectories
        With controls and covariates.

    Returns
    -------
    InputScales
    """
    first, last = np.nanmin(trajectories.times), np.nanmax(trajectories.times)
    return InputScales(
        _mean_and_deviation(trajectories.controls),
        _mean_and_deviation(trajectories.covariates),
        np.array([(first + last) / 2, (last - first) / 2]),
    )


def _mean_and_deviation(values):
    if values is None:
        return np.zeros((2, 0))
    rows = values.reshape(-1, values.shape[-1])
    mean, deviation = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)
    return np.stack([mean, np.where(deviation > 1e-12 * np.abs(mean), deviation, 1.0)])


class Driven(NamedTuple):
    """What drives trajectories, dimensionless.

    Attributes
    ----------
    times : ndarray of shape (n_cases, n_timepoints)
        Dimensionless times of the trajectories.
    pieces : ndarray of shape (n_cases, n_timepoints - 1, degree + 1, n_controls)
        The path of controls over each interval; see :class:`skdyn.solvers.Path`.
    covariates : ndarray of shape (n_cases, n_covariates)
        Standardized.
    began : ndarray of shape (n_cases,)
        Times that the dimensionless ones count from, in the unit of the data.
    clock : Clock
        What the field is told of the time.
    """

    times: np.ndarray
    pieces: np.ndarray
    covariates: np.ndarray
    began: np.ndarray
    clock: Clock

    @classmethod
    def of(cls, trajectories, times, began, scales, clock, kind):
        """Lay the paths of controls.

        Parameters
        ----------
        trajectories : Trajectories
            With inputs, in the units of the data.
        times : ndarray of shape (n_cases, n_timepoints)
            Their dimensionless times.
        began : ndarray of shape (n_cases,)
            Times that these count from.
        scales : InputScales
            Of the inputs.
        clock : Clock
            What the field is told of the time.
        kind : str
            ``input_interpolation``.

        Returns
        -------
        Driven
        """
        n_cases, n_points = times.shape
        pieces = np.zeros((n_cases, max(n_points - 1, 1), 1, 0))
        if trajectories.controls is not None:
            mean, deviation = scales.controls
            standard = (trajectories.controls - mean) / deviation
            pieces = _lay_paths(standard, times, trajectories.n_points, kind)
        covariates = np.zeros((n_cases, 0))
        if trajectories.covariates is not None:
            mean, deviation = scales.covariates
            covariates = (trajectories.covariates - mean) / deviation
        return cls(times, pieces, covariates, began, clock)

    def at_points(self):
        """Inputs of the field at the time points, shape (n_cases, n_timepoints, n_inputs)."""
        n_cases, n_points = self.times.shape
        since = np.nan_to_num(self.times)
        values = np.zeros((n_cases, n_points, self.pieces.shape[3]))
        values[:, : len(self.pieces[0])] = self.pieces[:, :, 0][:, :n_points]
        if n_points > 1:  # the last point ends a piece
            last = self.pieces[:, -1]
            step = np.nan_to_num(self.times[:, -1] - self.times[:, -2])[:, None]
            values[:, -1] = sum(step**power * last[:, power] for power in range(last.shape[1]))
        held = np.broadcast_to(
            self.covariates[:, None], (n_cases, n_points, len(self.covariates.T))
        )
        absolute = self.began[:, None] + since * self.clock.time_scale
        return np.concatenate([values, held, self.clock.features(absolute)], axis=2)

    def from_points(self, cases, first):
        """What drives solutions that start at time points, on times since then.

        Parameters
        ----------
        cases, first : ndarray of shape (n,)
            The case of each solution, and its first time point.

        Returns
        -------
        Driving
        """
        start = self.times[cases, first]
        knots = _grown(self.times[cases] - start[:, None])
        absolute = self.began[cases] + start * self.clock.time_scale
        return Driving(knots, self.pieces[cases], self._fixed(cases, absolute))

    def over_windows(self, case, point):
        """Pieces and fixed inputs of windows.

        Parameters
        ----------
        case : ndarray of shape (n,)
            The case of each window.
        point : ndarray of shape (n, n_points)
            Its time points, the last one repeated after its end.

        Returns
        -------
        pieces : ndarray of shape (n, n_points - 1, degree + 1, n_controls)
            Of the paths.
        fixed : ndarray of shape (n, n_fixed)
            Covariates, and the clock at the window's begin.
        """
        last = self.pieces.shape[1] - 1
        pieces = self.pieces[case[:, None], np.minimum(point[:, :-1], last)]
        absolute = self.began[case] + self.times[case, point[:, 0]] * self.clock.time_scale
        return pieces, self._fixed(case, absolute)

    def _fixed(self, cases, absolute):
        return np.concatenate([self.covariates[cases], self.clock.starts(absolute)], axis=1)


def _lay_paths(controls, times, n_points, kind):
    """Coefficients of the paths, one case after the other; those after an end are its last."""
    out: Any = None
    for case, n in enumerate(n_points):
        x = torch.as_tensor(controls[case, :n])[None]
        laid = interpolate_path(x, torch.as_tensor(times[case, :n]), kind).coefficients[0].numpy()
        if out is None:
            out = np.zeros((len(times), times.shape[1] - 1, *laid.shape[1:]))
        out[case, : n - 1] = laid[: n - 1]
        out[case, n - 1 :] = laid[n - 2]
    return out


def _grown(knots):
    """Let times that are NaN after the end of a row grow on."""
    step = np.where(np.isnan(knots), 1.0, 0.0).cumsum(axis=1)
    return np.fmax.accumulate(knots, axis=1) + step


class Clock(NamedTuple):
    """What a field is told of the time.

    Attributes
    ----------
    period : float or None
        Period in the unit of the data.
    trend : bool
        Whether it is told the time itself.
    middle, half : float
        Middle and half length of the times of training.
    time_scale : float
        Unit of dimensionless time.
    """

    period: float | None
    trend: bool
    middle: float
    half: float
    time_scale: float

    @property
    def rates(self):
        """How fast phase and standardized time go by dimensionless time, by the module's names."""
        omega = 0.0 if self.period is None else 2 * np.pi * self.time_scale / self.period
        return {"omega": omega, "rate": self.time_scale / self.half if self.trend else 0.0}

    def starts(self, absolute):
        """Phase and standardized time, (n, 0 to 2), from times in the unit of the data."""
        columns = []
        if self.period is not None:
            columns.append(2 * np.pi * np.mod(absolute, self.period) / self.period)
        if self.trend:
            columns.append((absolute - self.middle) / self.half)
        return np.stack(columns, axis=-1) if columns else np.zeros((*np.shape(absolute), 0))

    def features(self, absolute):
        """What the field takes in for it, shape (..., 0 to 3)."""
        starts, parts = self.starts(absolute), []
        if self.period is not None:
            parts += [np.sin(starts[..., :1]), np.cos(starts[..., :1])]
        if self.trend:
            parts.append(starts[..., -1:])
        return np.concatenate([*parts, starts[..., :0]], axis=-1)


class Driving(NamedTuple):
    """What drives solutions, on times since their starts.

    Attributes
    ----------
    knots : ndarray of shape (n, k)
        Times at which the pieces begin.
    pieces : ndarray of shape (n, k - 1, degree + 1, n_controls)
        Paths of controls.
    fixed : ndarray of shape (n, n_fixed)
        Covariates, and the clock at the start.
    function : callable or None
        ``function(since)``, (n, 1) to (n, n_controls), in the place of paths.
    """

    knots: np.ndarray
    pieces: np.ndarray
    fixed: np.ndarray
    function: Any = None

    def select(self, cases):
        """Those of some solutions."""
        function = self.function and (lambda since, own=self.function: own(since, cases))
        return Driving(self.knots[cases], self.pieces[cases], self.fixed[cases], function)

    def drive(self, module, like):
        """The same as torch takes it, in precision and on the device of ``like``."""
        knots, pieces, fixed = (torch.as_tensor(part).to(like) for part in self[:3])
        path = None
        if pieces.shape[3]:
            path = Path(knots, pieces, PATH_KINDS[module.input_interpolation])
        return Drive(module, path, fixed, self.function)


def controls_of_simulation(u: Any, times: np.ndarray, names: list[str]) -> np.ndarray:
    """Validate controls at the times of a simulation.

    Parameters
    ----------
    u : array-like of shape (n_cases, n_controls, n_timepoints) or (n_timepoints, n_controls)
        Controls of each case, or of all.
    times : ndarray of shape (n_cases, n_timepoints)
        The times.
    names : list of str
        Those there must be.

    Returns
    -------
    ndarray of shape (n_cases, n_timepoints, n_controls)
    """
    refuse_other_columns(u, names, "u")
    u, n_controls = as_floats(u), len(names)
    n_cases, n_points = times.shape
    u = u[:, None] if u.ndim == 1 else u
    if u.shape == (n_points, n_controls):
        u = np.broadcast_to(u, (n_cases, n_points, n_controls))
    elif u.shape == (n_cases, n_controls, n_points):
        u = u.transpose(0, 2, 1)
    else:
        raise ValueError(
            f"u must hold {n_controls} controls at each of the {n_points} times, of shape "
            f"{(n_cases, n_controls, n_points)}, or {(n_points, n_controls)} for all cases, or be "
            f"a function of time; got shape {u.shape}."
        )
    if np.isinf(u).any() or np.isnan(u).all(axis=1).any():
        raise ValueError("u holds infinity, or no value of a control in some case.")
    _doubt_early_ends(u, times, names)
    return u
