"""The unit of the times of labeled series: what fit learned of it, what later calls must keep."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdyn._times import are_counted
from skdyn._trajectories import Trajectories
from skdyn.exceptions import warn_user

__all__ = ["doubt_unit", "learn_unit", "refuse_lost_times", "refuse_other_lengths"]

_OTHER_UNIT = 10  # times the steps and the durations of fit, beyond which a unit is doubted


def learn_unit(estimator: Any, series: Trajectories, t: Any) -> None:
    """Keep the longest duration, the median step, and whether times were counted.

    Parameters
    ----------
    estimator : estimator
        Whose ``_duration``, ``_step`` and ``_counts_times`` are set.
    series : Trajectories
        Series of fit.
    t : array-like or None
        Their times as they came.
    """
    estimator._duration, estimator._step = _span(series)
    estimator._counts_times = t is None or are_counted(series)


def refuse_lost_times(estimator: Any, t: Any) -> None:
    """Refuse to count 0, 1, 2, ... where fit had other times.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    t : array-like or None
        Times as they came.

    Raises
    ------
    ValueError
        If they are missing.
    """
    if t is None and not estimator._counts_times:
        asks = "predict" if hasattr(estimator, "predict") else "transform"
        also = ".set_score_request(t=True)" if asks == "predict" else ""
        raise ValueError(
            f"t is missing. This {type(estimator).__name__} was fitted with times; without them "
            "series would be read at 0, 1, 2, ... Pass t=... In a pipeline or a search, "
            "request it: sklearn.set_config(enable_metadata_routing=True) and "
            f"set_fit_request(t=True).set_{asks}_request(t=True){also}; or let a channel of X hold "
            "the times, and set time_channel."
        )


def doubt_unit(estimator: Any, series: Trajectories) -> None:
    """Warn of times that seem to be in another unit than those of fit.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    series : Trajectories
        Series to be answered.
    """
    duration, step = _span(series)
    if not duration or not estimator._duration:  # cases of a single point
        return
    ratios = np.array([duration / estimator._duration, step / estimator._step])
    if (ratios > _OTHER_UNIT).all() or (ratios < 1 / _OTHER_UNIT).all():
        counted, before = estimator._counts_times, estimator._step
        given = "counted 0, 1, 2, ..." if counted else f"{before:.3g} apart"
        warn_user(
            f"The times t are {step:.3g} apart and go on for {duration:.3g}, where those of fit "
            f"were {given} and went on for {estimator._duration:.3g}. Are they in the same unit?"
        )


def refuse_other_lengths(y: Any, n_cases: int) -> None:
    """Refuse what came as y and is not one target per case: times, most likely.

    Parameters
    ----------
    y : array-like or None
        What came.
    n_cases : int
        Number of cases.

    Raises
    ------
    ValueError
        If there are more or fewer.
    """
    if y is None:
        return
    y = np.asarray(y)
    if y.ndim and len(y) != n_cases:
        raise ValueError(
            f"y must have one target per case, but X and y are inconsistent: got {len(y)} for "
            f"{n_cases} cases. If these are the times, pass them by name: fit(X, t=...)."
        )


def _span(series):
    """Return the longest duration and the median step of series."""
    duration = np.nanmax(series.times, axis=1) - series.times[:, 0]
    steps = series.intervals
    return float(duration.max()), float(np.median(steps)) if len(steps) else 0.0
