"""A learned field over a line or plane of channels."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

__all__ = ["FieldOnGrid", "field_on_grid"]


class FieldOnGrid(NamedTuple):
    """Velocities over a grid of one channel or two.

    Attributes
    ----------
    axes : list of ndarray of shape (grid_resolution,)
        Values of each channel.
    points : ndarray of shape (..., n_channels)
        The grid, as meshgrid lays it: the first channel varies along the last axis of the grid.
    velocities : ndarray of shape (..., n_channels)
        Velocities there.
    bounds : ndarray of shape (n_states, 2)
        Range of every channel, those not on the grid too.
    """

    axes: list[np.ndarray]
    points: np.ndarray
    velocities: np.ndarray
    bounds: np.ndarray


def field_on_grid(
    estimator: Any,
    X: np.ndarray,
    channels: list[int],
    grid_resolution: int,
    bounds: Any = None,
) -> FieldOnGrid:
    """Evaluate a fitted estimator's field; other channels rest at their means.

    Parameters
    ----------
    estimator : estimator
        Fitted, with ``vector_field``, or with ``predict`` that gives velocities.
    X : ndarray of shape (n_cases, n_channels, n_timepoints)
        Trajectories; they set range and means.
    channels : list of int
        One channel or two.
    grid_resolution : int
        Points along each axis.
    bounds : array-like of shape (len(channels), 2) or None, default=None
        Range of each of ``channels``; None is that of the data.

    Returns
    -------
    FieldOnGrid

    Raises
    ------
    ValueError
        If ``bounds`` has another shape or is not increasing.
    """
    ranges = np.stack([np.nanmin(X, axis=(0, 2)), np.nanmax(X, axis=(0, 2))], axis=1)
    ranges[ranges[:, 0] == ranges[:, 1]] += [-0.5, 0.5]
    bounds = ranges[channels] if bounds is None else np.asarray(bounds, dtype=np.float64)
    if bounds.shape != (len(channels), 2) or not (bounds[:, 0] < bounds[:, 1]).all():
        raise ValueError(
            f"bounds must hold a lower and a higher value for each of the {len(channels)} "
            f"channels drawn; got {bounds.tolist()}."
        )
    ranges[channels] = bounds
    axes = [np.linspace(low, high, grid_resolution) for low, high in bounds]
    points = np.stack(np.meshgrid(*axes), axis=-1)
    states = np.tile(np.nanmean(X, axis=(0, 2)), (points[..., 0].size, 1))
    states[:, channels] = points.reshape(-1, len(channels))
    velocities = _velocities(estimator, states)[:, channels].reshape(points.shape)
    return FieldOnGrid(axes, points, velocities, ranges)


def _velocities(estimator, states):
    if hasattr(estimator, "vector_field"):
        return estimator.vector_field(states)
    if hasattr(estimator, "feature_names_in_"):
        states = pd.DataFrame(states, columns=estimator.feature_names_in_)
    return np.asarray(estimator.predict(states))
