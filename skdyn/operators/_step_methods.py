"""How velocities are found in trajectories, and taken for steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.interpolate import make_interp_spline

__all__ = ["runge_kutta_change", "velocities"]


def velocities(series: np.ndarray) -> np.ndarray:
    """Return velocities at all times but the last, by splines through trajectories.

    Parameters
    ----------
    series : ndarray of shape (n_cases, n_timepoints, \\*state)
        Trajectories.

    Returns
    -------
    ndarray of shape (n_cases * (n_timepoints - 1), \\*state)
        Time after time, in states a step.
    """
    times = np.arange(series.shape[1])
    spline = make_interp_spline(times, series, k=min(3, len(times) - 1), axis=1)
    velocity = spline.derivative()(times[:-1])
    return np.concatenate(list(np.moveaxis(velocity, 1, 0)))


def runge_kutta_change(
    method: str, velocity: Callable[[np.ndarray], np.ndarray], now: np.ndarray
) -> np.ndarray:
    """Return the change over one step.

    Parameters
    ----------
    method : {"euler", "midpoint", "rk4"}
        The method.
    velocity : callable
        From states to their velocities.
    now : ndarray of shape (n, \\*state)
        States.

    Returns
    -------
    ndarray of shape (n, \\*state)
    """
    first = velocity(now)
    if method == "euler":
        return first
    second = velocity(now + first / 2)
    if method == "midpoint":
        return second
    third = velocity(now + second / 2)
    fourth = velocity(now + third)
    return (first + 2 * second + 2 * third + fourth) / 6
