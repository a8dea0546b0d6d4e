"""Coefficient of determination of trajectories."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from skdyn._scales import units
from skdyn.metrics._arrays import case_weights, check_predicted, paired_trajectories

__all__ = ["trajectory_r2_score"]

_CASES = ("mean", "pooled", "raw_values")
_MULTIOUTPUT = ("uniform_average", "variance_weighted", "raw_values")


@overload
def trajectory_r2_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    cases: Literal["mean", "pooled"] = "mean",
    multioutput: Literal["uniform_average", "variance_weighted"] = "uniform_average",
    sample_weight: ArrayLike | None = None,
) -> float: ...


@overload
def trajectory_r2_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    cases: Literal["mean", "pooled", "raw_values"] = "mean",
    multioutput: Literal["uniform_average", "variance_weighted", "raw_values"] = "uniform_average",
    sample_weight: ArrayLike | None = None,
) -> float | np.ndarray: ...


def trajectory_r2_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    cases: Literal["mean", "pooled", "raw_values"] = "mean",
    multioutput: Literal["uniform_average", "variance_weighted", "raw_values"] = "uniform_average",
    sample_weight: ArrayLike | None = None,
) -> float | np.ndarray:
    r"""Coefficient of determination of trajectories, over time, blind to missing values.

    For each case and channel

    .. math:: R^2 = 1 - \frac{\sum_t (y_t - \hat y_t)^2}{\sum_t (y_t - \bar y)^2},

    summed over the observed times. The best value is 1; the mean over time, which knows nothing of
    the dynamics, has 0. As in :func:`sklearn.metrics.r2_score`, which it equals on one complete
    trajectory, a channel that stands still counts 1 when predicted exactly and 0 otherwise. The
    variance-weighted form is the score of the ODEBench comparison [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_cases, n_channels, n_timepoints) or (n_timepoints, n_channels)
        Observed trajectories. NaN marks values that were not observed.
    y_pred : array-like of shape (n_cases, n_channels, n_timepoints) or (n_timepoints, n_channels)
        Predictions, in the same shape.
    cases : {"mean", "pooled", "raw_values"}, default="mean"
        How the cases come together: the mean of their scores, one score of all their values around
        one mean, or a score for each.
    multioutput : {"uniform_average", "variance_weighted", "raw_values"}, default="uniform_average"
        How the channels come together: the mean of their scores, the mean weighted by their
        variance, or a score for each.
    sample_weight : array-like of shape (n_cases,), default=None
        Weight of each case. Has no effect with ``cases="raw_values"``.

    Returns
    -------
    float or ndarray of shape (n_cases,), (n_channels,) or (n_cases, n_channels)
        Score; an array where raw values are asked for.

    Raises
    ------
    ValueError
        If shapes differ, a prediction is not finite where there is an observation, or a channel of
        a case has fewer than 2 observations.

    References
    ----------
    .. [1] S. d'Ascoli et al. (2024). ODEFormer: symbolic regression of dynamical systems with
           transformers. ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.metrics import trajectory_r2_score
    >>> y_true = np.array([[[0.0, 1.0, 2.0, np.nan]]])
    >>> trajectory_r2_score(y_true, [[[0.0, 1.0, 1.0, 7.0]]])
    0.5
    """
    if cases not in _CASES:
        raise ValueError(f"cases must be one of {_CASES}; got {cases!r}.")
    if multioutput not in _MULTIOUTPUT:
        raise ValueError(f"multioutput must be one of {_MULTIOUTPUT}; got {multioutput!r}.")
    y_true, y_pred = paired_trajectories(y_true, y_pred)
    check_predicted(y_true, y_pred)
    weights = case_weights(sample_weight, len(y_true))

    # Squares of 1e-200 would vanish, and every score be perfect.
    together = multioutput == "variance_weighted"
    unit = units(y_true.reshape(-1, 1) if together else y_true)[:, None]
    y_true, y_pred = y_true / unit, y_pred / unit
    residual, total = _sums_of_squares(y_true, y_pred, weights if cases == "pooled" else None)
    scores = _join_channels(residual, total, multioutput)
    if cases == "raw_values":
        return scores
    # Pooled sums have one row left, so that the mean over cases only drops that axis.
    scores = np.average(scores, axis=0, weights=None if cases == "pooled" else weights)
    return scores if multioutput == "raw_values" else float(scores)


def _sums_of_squares(y_true, y_pred, pooled_weights):
    """Residual and total sums of squares ``(n_cases, n_channels)``, or ``(1, n_channels)``."""
    seen = ~np.isnan(y_true)
    if (seen.sum(axis=2) < 2).any():
        case, channel = np.argwhere(seen.sum(axis=2) < 2)[0]
        raise ValueError(
            f"Channel {channel} of case {case} of y_true has fewer than 2 observed values, so that "
            "it has no variance to explain. Leave it out."
        )
    weight, axes = seen.astype(float), (2,)
    if pooled_weights is not None:
        weight, axes = weight * pooled_weights[:, None, None], (0, 2)
    truth = np.where(seen, y_true, 0.0)
    mean = (weight * truth).sum(axes, keepdims=True) / weight.sum(axes, keepdims=True)
    error = np.where(seen, y_pred - truth, 0.0)
    residual = (weight * error**2).sum(axes)
    total = (weight * (truth - mean) ** 2).sum(axes)
    return np.atleast_2d(residual), np.atleast_2d(total)


def _join_channels(residual, total, multioutput):
    """Scores of each case: ``(n_cases, n_channels)`` raw, ``(n_cases,)`` otherwise."""
    if multioutput == "variance_weighted":
        residual, total = residual.sum(axis=1), total.sum(axis=1)
    still = total == 0
    scores = 1.0 - residual / np.where(still, 1.0, total)
    scores = np.where(still, (residual == 0).astype(float), scores)
    return scores.mean(axis=1) if multioutput == "uniform_average" else scores
