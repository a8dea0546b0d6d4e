"""Coefficient of determination of fields, channel by channel."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import r2_score

from skdyn._scales import units
from skdyn._validation import as_floats, from_torch
from skdyn.metrics._arrays import check_predicted, check_same_shape

__all__ = ["field_r2_score"]

_MULTIOUTPUT = ("uniform_average", "variance_weighted", "raw_values")


@overload
def field_r2_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    multioutput: Literal["uniform_average", "variance_weighted"] = "uniform_average",
    sample_weight: ArrayLike | None = None,
) -> float: ...


@overload
def field_r2_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    multioutput: Literal["raw_values"],
    sample_weight: ArrayLike | None = None,
) -> np.ndarray: ...


def field_r2_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    multioutput: Literal["uniform_average", "variance_weighted", "raw_values"] = "uniform_average",
    sample_weight: ArrayLike | None = None,
) -> float | np.ndarray:
    r"""Coefficient of determination of fields, all points of a channel together.

    For each channel, with :math:`\bar y(x)` the mean over the cases at a point,

    .. math:: R^2 = 1 - \frac{\sum_i \sum_x (y_i(x) - \hat y_i(x))^2}
        {\sum_i \sum_x (y_i(x) - \bar y(x))^2}.

    Pooled over channels, such a ratio would see only that of the largest numbers. Points at which
    all cases are equal are left out, as those of a boundary.

    Parameters
    ----------
    y_true : array-like of shape (n_cases, n_channels, \*grid), (n_cases, width) or (n_cases,)
        True fields; rows are one channel on a line.
    y_pred : array-like of the same shape
        Predictions.
    multioutput : {"uniform_average", "variance_weighted", "raw_values"}, default="uniform_average"
        How channels come together: the mean over those that vary, the mean weighted by their
        variance, or a score for each.
    sample_weight : array-like of shape (n_cases,), default=None
        Weight of each case.

    Returns
    -------
    float or ndarray of shape (n_channels,)
        Score. A channel in which all cases are equal counts 1 when predicted exactly, else 0.

    Raises
    ------
    ValueError
        If shapes differ, or a prediction is not finite.

    See Also
    --------
    relative_l2_error : The usual score of this field.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.metrics import field_r2_score
    >>> y_true = np.random.default_rng(0).normal(size=(50, 2, 8)) * [[1.0], [1000.0]]
    >>> y_pred = y_true * [[0.0], [1.0]]  # nothing is known of the first channel
    >>> field_r2_score(y_true, y_pred, multioutput="raw_values").round(1)
    array([-0.,  1.])
    """
    if multioutput not in _MULTIOUTPUT:
        raise ValueError(f"multioutput must be one of {_MULTIOUTPUT}; got {multioutput!r}.")
    y_true, y_pred = as_floats(y_true), as_floats(y_pred)
    check_same_shape(y_true, y_pred)
    check_predicted(y_true, y_pred)
    n_channels = y_true.shape[1] if y_true.ndim > 2 and multioutput != "variance_weighted" else 1
    truth, predicted = (y.reshape(len(y), n_channels, -1).swapaxes(0, 1) for y in (y_true, y_pred))
    scores = np.array([
        _explained(*pair, from_torch(sample_weight))
        for pair in zip(truth, predicted, strict=True)
    ])  # fmt: skip
    if multioutput == "raw_values":
        return scores
    moving = np.ptp(truth, axis=1).any(axis=1)
    return float(scores[moving].mean() if moving.any() else scores.mean())


def _explained(truth, predicted, weight):
    unit = units(truth.reshape(-1, 1))  # squares of 1e-200 would vanish, and every score be perfect
    return r2_score(
        truth / unit, predicted / unit, sample_weight=weight, multioutput="variance_weighted"
    )
