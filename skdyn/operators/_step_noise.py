"""Noise on what steps look back on, so that they learn to come back from errors of their own."""

from __future__ import annotations

import numpy as np

__all__ = ["deviations", "noised"]


def deviations(series: np.ndarray, one_function: bool) -> np.ndarray:
    """Return the standard deviation of each channel over cases, times and grid.

    Parameters
    ----------
    series : ndarray of shape (n_cases, n_timepoints, \\*state)
        Trajectories.
    one_function : bool
        Whether flat states are one function rather than many columns.

    Returns
    -------
    ndarray of shape (n_channels,)
        Of what stands still but for rounding, 0.
    """
    values = np.moveaxis(series, 2, 0).astype(np.float64)
    values = values.reshape(1 if series.ndim == 3 and one_function else len(values), -1)
    size = abs(values).max(axis=1)
    found = (values / np.where(size > 0, size, 1.0)[:, None]).std(axis=1)  # squares stay finite
    return np.where(found > 10 * np.finfo(series.dtype).eps, found, 0.0) * size


def noised(
    past: np.ndarray, noise: float, deviation: np.ndarray, random_state: np.random.RandomState
) -> np.ndarray:
    """Add noise that walks over the history, to its full size at the last state.

    Parameters
    ----------
    past : ndarray of shape (n, n_history, \\*state)
        Histories.
    noise : float
        Its standard deviation, as a share of each channel's.
    deviation : ndarray of shape (n_channels,)
        These.
    random_state : RandomState
        Source of randomness.

    Returns
    -------
    ndarray of the same shape
    """
    steps = random_state.normal(size=past.shape) * (noise / np.sqrt(past.shape[1]))
    steps *= deviation.reshape(-1, *[1] * (past.ndim - 3))
    return past + steps.cumsum(axis=1).astype(past.dtype)
