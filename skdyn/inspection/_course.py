"""The course that a model takes from an observed state on."""

from typing import Any

import numpy as np

__all__ = ["follow_case", "times_of_case"]

_RESOLUTION = 400  # points of a curve


def times_of_case(t: Any, case: int, n_timepoints: int) -> np.ndarray:
    """Return the times of one trajectory.

    Parameters
    ----------
    t : array-like of shape (n_timepoints,), sequence of such, one per case, or None
        Times; None counts 0, 1, 2, ...
    case : int
        Which trajectory.
    n_timepoints : int
        How many times there are when ``t`` is None.

    Returns
    -------
    ndarray of shape (n_timepoints,)
    """
    if t is None:
        return np.arange(n_timepoints, dtype=np.float64)
    return np.asarray(t if np.ndim(next(iter(t))) == 0 else t[case], dtype=np.float64)


def follow_case(
    estimator: Any,
    observed: np.ndarray,
    times: np.ndarray,
    case: int,
    horizon: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate from the first complete state of a trajectory.

    Parameters
    ----------
    estimator : estimator
        Fitted, with ``simulate``.
    observed : ndarray of shape (n_channels, n_timepoints)
        Observations; NaN where missing.
    times : ndarray of shape (n_timepoints,)
        Their times.
    case : int
        Number of the trajectory, for messages.
    horizon : float or None, default=None
        Time until which to follow; None is that of the last observation.

    Returns
    -------
    t_model : ndarray of shape (n_times,)
        Times of the curve.
    modelled : ndarray of shape (n_channels, n_times)
        The curve.

    Raises
    ------
    ValueError
        If no state of the trajectory is complete.
    """
    complete = np.flatnonzero(~np.isnan(observed).any(axis=0))
    if not len(complete):
        raise ValueError(
            f"Case {case} has no time point at which all channels were observed, so there is "
            "no state to follow it from."
        )
    first = complete[0]
    last = np.nanmax(times) if horizon is None else horizon
    t_model = np.linspace(times[first], last, _RESOLUTION)
    return t_model, np.asarray(estimator.simulate(observed[:, first], t_model)).T
