"""How far forecasts may be off: intervals by conformal calibration over held-out origins."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from skdyn._cases import times_of_cases
from skdyn._time_units import read_times
from skdyn._times import refuse_lost_times
from skdyn._trajectories import is_trajectories
from skdyn._validation import as_floats
from skdyn.exceptions import SolverError, warn_user
from skdyn.model_selection._units import whole_number

__all__ = ["ForecastIntervals", "calibrate_intervals"]

Controls = ArrayLike | Callable[[float], Any] | None


class Simulator(Protocol):
    """Model of dynamics, fitted."""

    def simulate(self, x0: Any, t: Any, u: Any = None) -> np.ndarray:
        """Solve from a state."""
        ...


@dataclass(frozen=True)
class ForecastIntervals:
    """Forecasts of a model of dynamics with intervals, made by :func:`calibrate_intervals`.

    Parameters
    ----------
    model : object
        What forecasts, by its ``simulate``.
    leads : ndarray of shape (horizon,)
        Time from the origin of a forecast to each of its steps, the median of all origins.
    errors : ndarray of shape (n_origins, horizon, n_states)
        Sizes of the errors of forecasts from held-out origins: infinite where a solution could not
        be followed, NaN where nothing was measured.
    """

    model: Simulator
    leads: np.ndarray
    errors: np.ndarray

    def predict_interval(
        self, x0: ArrayLike, t: ArrayLike, u: Controls = None, *, coverage: float = 0.9
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return intervals around the solution from a measured state.

        Parameters
        ----------
        x0 : array-like of shape (n_states,) or (n_cases, n_states)
            Measured state, or states, at ``t[0]``.
        t : array-like of shape (n_timepoints,)
            Times, strictly increasing; no further from ``t[0]`` than the last of ``leads``.
        u : callable or array-like of shape (n_timepoints, n_controls), default=None
            Controls, where the model has any.
        coverage : float, default=0.9
            Share of measurements that the interval of a state at a time is to hold.

        Returns
        -------
        lower, upper : ndarray
            Ends of the intervals, of shape (n_timepoints, n_states) from one state, else (n_cases,
            n_states, n_timepoints).

        Raises
        ------
        ValueError
            If there are too few origins for that coverage, or ``t`` goes beyond the horizon.

        Warns
        -----
        UserWarning
            If intervals are infinite, since too many solutions could not be followed.
        """
        times = as_floats(read_times(self.model, t, reset=False))
        if times.ndim != 1 or not len(times):
            raise ValueError(f"t must hold one row of times; got shape {times.shape}.")
        leads = times - times[0]
        if leads[-1] > self.leads[-1] * (1 + 1e-9):
            raise ValueError(
                f"t reaches {leads[-1]:g} beyond its start, but errors are known up to "
                f"{self.leads[-1]:g}. Calibrate with a longer horizon, or end earlier."
            )
        radius = self.radius(coverage)
        at = [np.interp(leads, self.leads, column) for column in radius.T]
        width = np.where(leads > 0, np.stack(at), 0.0)
        if np.isinf(width).any():
            warn_user(
                f"Intervals of coverage={coverage:g} are infinite: too many solutions from "
                "held-out states could not be followed. Mistrust the model, or shorten the horizon."
            )
        center = self.model.simulate(x0, t, **_given(u))
        width = width.T if center.ndim == 2 else width
        return center - width, center + width

    def radius(self, coverage: float = 0.9) -> np.ndarray:
        """Return half the width of intervals, step by step.

        Of n held-out errors it is the ceil((n + 1) coverage)-th smallest [1]_.

        Parameters
        ----------
        coverage : float, default=0.9
            Share of measurements to hold.

        Returns
        -------
        ndarray of shape (horizon, n_states)

        Raises
        ------
        ValueError
            If there are too few origins for that coverage.

        References
        ----------
        .. [1] J. Lei, M. G'Sell, A. Rinaldo, R. J. Tibshirani, L. Wasserman, "Distribution-Free
           Predictive Inference for Regression", Journal of the American Statistical Association
           113, 2018.
        """
        if not 0 < coverage < 1:
            raise ValueError(f"coverage must lie between 0 and 1; got {coverage!r}.")
        counts = (~np.isnan(self.errors)).sum(axis=0)
        ranks = np.ceil((counts + 1) * coverage - 1e-9).astype(int)
        if (ranks > counts).any():
            needed = math.ceil(coverage / (1 - coverage) - 1e-9)
            raise ValueError(
                f"coverage={coverage:g} needs errors from at least {needed} held-out origins; "
                f"there are {counts.min()}. Calibrate on more data, or ask for less."
            )
        ordered = np.sort(self.errors, axis=0)  # NaN last
        return np.take_along_axis(ordered, ranks[None] - 1, axis=0)[0]


def calibrate_intervals(
    model: Simulator,
    X: ArrayLike | Sequence[ArrayLike],
    *,
    t: ArrayLike | Sequence[ArrayLike] | None = None,
    u: ArrayLike | Sequence[ArrayLike] | None = None,
    horizon: int = 10,
    max_origins: int = 200,
) -> ForecastIntervals:
    """Measure a model's forecasts on data that it was not fitted to.

    Solutions start at measured states, noise and all, and are compared with what was measured
    next. Where new origins are like those, each measurement lies in its interval as often as was
    asked for, whatever the model and the noise. Origins that follow each other share most of their
    future, so that a short record says less than their number.

    Parameters
    ----------
    model : object
        Fitted, with ``simulate(x0, t, u)``: :class:`skdyn.NeuralODE`,
        :class:`skdyn.SINDyRegressor`, :class:`skdyn.SymbolicODERegressor`, a system of equations,
        or one of yours.
    X : array-like
        Held-out measurements: one trajectory ``(n_timepoints, n_states)``, several ``(n_cases,
        n_states, n_timepoints)``, or a list of ``(n_states, n_timepoints_i)``. NaN marks what is
        missing.
    t : array-like or None, default=None
        Times, as in the model's ``fit``; None counts 0, 1, 2, ...
    u : array-like or None, default=None
        Controls, in the layout of ``X``.
    horizon : int, default=10
        Steps of a forecast, in time points of ``X``.
    max_origins : int, default=200
        Forecasts at most, evenly spread over all complete states that have a future.

    Returns
    -------
    ForecastIntervals
        With the method ``predict_interval``.

    Raises
    ------
    ValueError
        If no trajectory is longer than the horizon, or the times are missing.
    TypeError
        If the model cannot simulate.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.model_selection import calibrate_intervals
    >>> from skdyn.symbolic import EquationSystem
    >>> decay = EquationSystem(["-x"], ["x"])
    >>> t = np.linspace(0, 3, 61)
    >>> rng = np.random.default_rng(0)
    >>> X = np.exp(-t)[:, None] + 0.01 * rng.normal(size=(61, 1))
    >>> known = calibrate_intervals(decay, X, t=t, horizon=5)
    >>> low, high = known.predict_interval([0.5], [0.0, 0.1, 0.2])
    >>> bool(((low < 0.5 * np.exp([[0.0], [-0.1], [-0.2]])).ravel()[1:]).all())
    True
    """
    whole_number("horizon", horizon, 1)
    whole_number("max_origins", max_origins, 1)
    if not hasattr(model, "simulate"):
        raise TypeError(
            f"{type(model).__name__} has no method simulate(x0, t), by which forecasts are made."
        )
    if getattr(model, "time_channel", None) is not None:
        raise ValueError(
            "The model reads its times from a channel of X, but its solutions start at states "
            "without it. Fit with t=..., and pass t here."
        )
    if hasattr(model, "_counts_times"):
        refuse_lost_times(model, t)
    t = read_times(model, t, reset=False)
    cases = _cases_of(X)
    times = times_of_cases(t, [case.T for case in cases], "t")
    controls: list[Any] = [None] * len(cases) if u is None else _cases_of(u)
    origins = [
        (case, row)
        for case, states in enumerate(cases)
        for row in np.flatnonzero(~np.isnan(states[: max(0, len(states) - horizon)]).any(axis=1))
    ]
    if not origins:
        raise ValueError(
            f"horizon={horizon} leaves no origin: a forecast starts at a complete state with as "
            f"many time points after it, and the longest trajectory of X has "
            f"{max(map(len, cases), default=0)}. Lower horizon, or pass longer trajectories."
        )
    spread = np.linspace(0, len(origins) - 1, min(len(origins), max_origins)).round().astype(int)
    errors, leads = [], []
    for case, row in (origins[number] for number in spread):
        part = slice(row, row + horizon + 1)
        own = None if controls[case] is None else controls[case][part]
        errors.append(_errors(model, cases[case][part], times[case][part], own))
        leads.append(times[case][part][1:] - times[case][row])
    return ForecastIntervals(model, np.median(leads, axis=0), np.stack(errors))


def _cases_of(X):
    """Return trajectories as arrays (n_timepoints_i, n_states)."""
    return [as_floats(case).T for case in X] if is_trajectories(X) else [as_floats(X)]


def _given(u):
    return {} if u is None else {"u": u}


def _errors(model, measured, times, u):
    """Return the sizes of a forecast's errors; infinite where it could not be followed."""
    try:
        solved = model.simulate(measured[0], times, **_given(u))[1:]
    except SolverError:
        solved = np.inf
    return np.abs(measured[1:] - solved)
