"""How long a forecast stays close to the truth."""

from __future__ import annotations

from numbers import Real
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from skdyn.metrics._arrays import paired_trajectories

__all__ = ["valid_prediction_time"]


@overload
def valid_prediction_time(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    t: ArrayLike | None = None,
    *,
    threshold: float = 0.4,
    time_unit: float = 1.0,
    cases: Literal["mean"] = "mean",
) -> float: ...


@overload
def valid_prediction_time(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    t: ArrayLike | None = None,
    *,
    threshold: float = 0.4,
    time_unit: float = 1.0,
    cases: Literal["raw_values"],
) -> np.ndarray: ...


def valid_prediction_time(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    t: ArrayLike | None = None,
    *,
    threshold: float = 0.4,
    time_unit: float = 1.0,
    cases: Literal["mean", "raw_values"] = "mean",
) -> float | np.ndarray:
    r"""Time until a forecast leaves the truth.

    The valid time of a case [1]_, [2]_ ends with the last observation before the normalized error

    .. math:: e(t) = \sqrt{\frac{1}{d} \sum_{j=1}^d
              \frac{(\hat y_j(t) - y_j(t))^2}{\sigma_j^2}}

    first exceeds `threshold`, where :math:`\sigma_j` is the standard deviation of channel j of
    `y_true`. A forecast that never leaves is valid to the last observation: the result is then a
    lower bound. Greater is better; a prediction of NaN or infinity has left.

    Parameters
    ----------
    y_true : array-like of shape (n_cases, n_channels, n_timepoints) or (n_timepoints, n_channels)
        Observed trajectories. NaN marks values that were not observed.
    y_pred : array-like of shape (n_cases, n_channels, n_timepoints) or (n_timepoints, n_channels)
        Predictions, in the same shape.
    t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
        Observation times. None counts in steps.
    threshold : float, default=0.4
        Error at which the forecast counts as wrong, in standard deviations.
    time_unit : float, default=1.0
        Unit of the result, in the unit of `t`: give the Lyapunov time (1 / largest Lyapunov
        exponent) to count in Lyapunov times.
    cases : {"mean", "raw_values"}, default="mean"
        Whether to average over the cases or to return a time for each.

    Returns
    -------
    float or ndarray of shape (n_cases,)
        Valid time.

    Raises
    ------
    ValueError
        If shapes differ, times do not increase, or a channel of `y_true` stands still.

    References
    ----------
    .. [1] J. Pathak et al. (2018). Model-free prediction of large spatiotemporally chaotic systems
           from data: a reservoir computing approach. Physical Review Letters 120, 024102.
    .. [2] P. R. Vlachas et al. (2020). Backpropagation algorithms and reservoir computing in
           recurrent neural networks for the forecasting of complex spatiotemporal dynamics. Neural
           Networks 126, 191-217.

    Examples
    --------
    >>> from skdyn.metrics import valid_prediction_time
    >>> y_true = [[0.0], [1.0], [0.0], [-1.0]]
    >>> valid_prediction_time(y_true, [[0.0], [1.1], [0.9], [-1.0]], t=[0.0, 0.5, 1.0, 1.5])
    0.5
    """
    if cases not in ("mean", "raw_values"):
        raise ValueError(f"cases must be 'mean' or 'raw_values'; got {cases!r}.")
    for name, value in (("threshold", threshold), ("time_unit", time_unit)):
        if not isinstance(value, Real) or not 0 < value < np.inf:
            raise ValueError(f"{name} must be a positive number; got {value!r}.")
    y_true, y_pred = paired_trajectories(y_true, y_pred)
    t = _times(t, y_true)
    left = _normalised_error(y_true, y_pred) > threshold
    # argmax gives the first True; a row without one is valid to its end.
    end = np.where(left.any(axis=1), left.argmax(axis=1) - 1, left.shape[1] - 1)
    last = np.take_along_axis(t, np.maximum(end, 0)[:, None], axis=1)[:, 0]
    valid = (last - t[:, 0]) / time_unit
    return valid if cases == "raw_values" else float(valid.mean())


def _times(t, y_true):
    """Times of shape ``(n_cases, n_timepoints)``, strictly increasing."""
    shape = (len(y_true), y_true.shape[2])
    t = np.arange(shape[1]) if t is None else t
    t = np.asarray(t, dtype=float)
    if t.shape not in (shape, shape[1:]):
        raise ValueError(
            f"t must have shape ({shape[1]},) or {shape}, one time for each time point of y_true; "
            f"got shape {t.shape}."
        )
    t = np.broadcast_to(t, shape)
    if not (np.diff(t, axis=1) > 0).all():
        raise ValueError("t must be finite and increase strictly in each case.")
    return t


def _normalised_error(y_true, y_pred):
    """Root mean square over the observed channels ``(n_cases, n_timepoints)``; 0 where none is."""
    seen = ~np.isnan(y_true)
    count = seen.sum(axis=(0, 2))
    truth = np.where(seen, y_true, 0.0)
    mean = truth.sum(axis=(0, 2)) / np.maximum(count, 1)
    centered = np.where(seen, truth - mean[:, None], 0.0)
    deviation = np.sqrt((centered**2).sum(axis=(0, 2)) / np.maximum(count, 1))
    if not (deviation > 0).all():
        raise ValueError(
            f"Channel {int(deviation.argmin())} of y_true stands still (or is missing), so that "
            "its error cannot be normalized. Leave it out."
        )
    error = np.where(np.isfinite(y_pred), y_pred, np.inf)
    error = np.where(seen, error - truth, 0.0) / deviation[:, None]
    return np.sqrt((error**2).sum(axis=1) / np.maximum(seen.sum(axis=1), 1))
