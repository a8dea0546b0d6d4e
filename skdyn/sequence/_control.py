"""Series as paths that drive an equation, in pieces from knot to knot."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from skdyn._trajectories import Trajectories
from skdyn.solvers import interpolate_path

__all__ = [
    "AUGMENTATIONS", "INTERPOLATIONS", "controls_of", "most_counts", "n_path_channels", "reach_of",
]  # fmt: skip

AUGMENTATIONS = ("time", "counts")
INTERPOLATIONS = {
    "linear": "linear", "hermite": "hermite", "rectilinear": "rectilinear",
    "natural_cubic": "cubic",
}  # fmt: skip
# How far a field of 1 moves a state: with a median step of time or counts, with all of them, and
# with a deviation of the values, which channels share. Decision 0103.
_STEP_REACH, _MOST_REACH, _VALUE_REACH = 0.3, 50.0, 2.0


def n_path_channels(
    augment: tuple[str, ...], n_channels: int, has_gaps: bool, even_times: bool
) -> int:
    """Count the channels of the path.

    Parameters
    ----------
    augment : tuple of str
        Some of ``AUGMENTATIONS``.
    n_channels : int
        Channels of the series.
    has_gaps, even_times : bool
        Whether training data lack values, and whether all their steps are equal.

    Returns
    -------
    int
    """
    counted = n_channels if has_gaps else int(not even_times)
    return n_channels + ("time" in augment) + counted * ("counts" in augment)


def most_counts(series: Trajectories) -> np.ndarray:
    """Return the largest number of values of each channel in a series, one at least.

    Parameters
    ----------
    series : Trajectories
        Series of fit.

    Returns
    -------
    ndarray of shape (n_channels,)
    """
    return series.observed.sum(axis=1).max(axis=0).clip(1).astype(np.float64)


def reach_of(estimator: Any, n_channels: int) -> np.ndarray:
    """Return how far time and counts, and how far values move a state where the field is 1.

    Parameters
    ----------
    estimator : estimator
        Who knows the units of its series, with the parameters of paths and fields.
    n_channels : int
        Channels of the series.

    Returns
    -------
    ndarray of shape (2,)
        Ones where nothing bounds the field, or the path between its points.
    """
    if estimator.vector_field == "linear" or estimator.interpolation == "natural_cubic":
        return np.ones(2)
    n_steps = estimator._duration / estimator._step
    added = np.clip(_STEP_REACH * n_steps, 1.0, _MOST_REACH)
    return np.array([added, _VALUE_REACH / np.sqrt(n_channels)])


def controls_of(estimator: Any, series: Trajectories) -> tuple[np.ndarray, ...]:
    """Lay paths through series, and return how they move.

    Each piece runs over a unit of its own: an equation that time drives through a channel only
    does not know how fast its path is gone through. Paths begin where the series do, and move as
    far as they reach.

    Parameters
    ----------
    estimator : estimator
        Fitted, or being so, with the parameters ``augment`` and ``interpolation``.
    series : Trajectories
        In deviations of the training data.

    Returns
    -------
    start : ndarray of shape (n, n_path_channels)
        Where the paths begin.
    pieces : ndarray of shape (n, k, degree, n_path_channels)
        Derivatives of the pieces: coefficients of the powers of a time from 0 to 1, the constant
        first; zero after the end of a series.
    n_pieces : ndarray of int of shape (n,)
        Pieces of each series.
    """
    kind = INTERPOLATIONS[estimator.interpolation]
    n_points = np.maximum(series.n_points, 2)  # a single point is one piece that stands still
    made: list[Any] = [None] * len(n_points)
    for size in np.unique(n_points):
        cases = np.flatnonzero(n_points == size)
        start, pieces = _laid(estimator, series.select(cases), int(size), kind)
        for case, *own in zip(cases, start, pieces, strict=True):
            made[case] = own
    n_pieces = np.array([len(pieces) for _, pieces in made])
    padded = np.zeros((len(made), n_pieces.max(), *made[0][1].shape[1:]))
    for case, (_, pieces) in enumerate(made):
        padded[case, : len(pieces)] = pieces
    return np.stack([start for start, _ in made]), padded, n_pieces


def _laid(estimator, series, size, kind):
    """Return starts and pieces of series of as many points."""
    forward = kind == "rectilinear"
    values, times = _stood_in(series, size, forward)
    times = (times - times[:, :1]) / estimator._step
    parts = [_counts(estimator, series, size)] if "counts" in estimator.augment else []
    timed, duration = "time" in estimator.augment, estimator._duration / estimator._step
    if timed and not forward:
        parts = [times[:, :, None] / duration, *parts]
    moving = torch.from_numpy(np.concatenate([*parts, values], axis=2))
    path = interpolate_path(moving, torch.from_numpy(times), kind=kind)
    coefficients = path.coefficients.numpy()
    if forward and timed:
        coefficients = coefficients / np.r_[duration, np.ones(coefficients.shape[3] - 1)]
    elif forward:  # where nothing but the time moves, nothing does
        coefficients = coefficients[:, 1::2, :, 1:]
    start = coefficients[:, 0, 0]
    degree = coefficients.shape[2] - 1
    powers = np.arange(1, degree + 1)
    steps = np.ones_like(times[:, 1:]) if forward else np.diff(times, axis=1)
    scale = powers * steps[:, :, None] ** powers if not forward else powers * np.ones((1, 1, 1))
    n_values = values.shape[2]
    reach = np.repeat(estimator._reach, [start.shape[1] - n_values, n_values])
    return start, coefficients[:, :, 1:] * scale[..., None] * reach


def _stood_in(series, size, forward):
    """Return values and times; a channel stands at its mean where nothing is known of it."""
    values, times = series.values[:, :size].copy(), series.times[:, :size].copy()
    if values.shape[1] == 1 or np.isnan(times).any():  # a single point goes on as it is
        alone = np.isnan(times[:, -1])
        times[alone, -1] = times[alone, 0] + 1.0
        values[alone, -1] = values[alone, 0]
    unknown = np.isnan(values[:, 0]) & (forward | np.isnan(values).all(axis=1))
    values[:, 0] = np.where(unknown, 0.0, values[:, 0])
    return values, times


def _counts(estimator, series, size):
    """Return how many values of each channel were seen so far, as shares of the most at fit."""
    if estimator._has_gaps:
        return series.observed[:, :size].cumsum(axis=1) / estimator._most_counts
    if estimator._even_times:
        return np.zeros((len(series.values), size, 0))
    number = np.arange(1.0, size + 1)[:, None] / estimator._most_counts[0]
    return np.broadcast_to(number, (len(series.values), size, 1))
