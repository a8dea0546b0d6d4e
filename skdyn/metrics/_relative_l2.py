"""Relative L2 error, the usual score of operator learning."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdyn.metrics._arrays import case_weights, check_observed, check_predicted, check_same_shape

__all__ = ["neg_relative_l2", "relative_l2_error"]


def relative_l2_error(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    r"""Mean over the cases of the error's L2 norm relative to that of the truth.

    For truth :math:`y_i` and prediction :math:`\hat y_i` of case i it is [1]_

    .. math:: \frac{1}{n} \sum_i \frac{\lVert \hat y_i - y_i \rVert_2}{\lVert y_i \rVert_2}.

    The best value is 0; predicting zero everywhere gives 1.

    Parameters
    ----------
    y_true : array-like of shape (n_cases, ...)
        Functions, trajectories or vectors, one for each case; 1-D is taken as one case. NaN marks
        values that were not observed: they count in neither norm.
    y_pred : array-like of shape (n_cases, ...)
        Predictions, in the same shape.
    sample_weight : array-like of shape (n_cases,), default=None
        Weight of each case in the mean.

    Returns
    -------
    float
        Relative error.

    Raises
    ------
    ValueError
        If shapes differ, a prediction is not finite, or a case of `y_true` is zero everywhere.

    References
    ----------
    .. [1] Z. Li et al. (2021). Fourier neural operator for parametric partial differential
           equations. ICLR.

    Examples
    --------
    >>> from skdyn.metrics import relative_l2_error
    >>> relative_l2_error([[3.0, 4.0], [0.0, 1.0]], [[3.0, 4.5], [0.0, 1.3]])
    0.2
    """
    y_true, y_pred = np.asarray(y_true, dtype=float), np.asarray(y_pred, dtype=float)
    check_same_shape(y_true, y_pred)
    if y_true.size == 0:
        raise ValueError(f"y_true must not be empty; got shape {y_true.shape}.")
    check_observed(y_true)
    check_predicted(y_true, y_pred)
    n_cases = len(y_true) if y_true.ndim > 1 else 1
    truth = y_true.reshape(n_cases, -1)
    seen = ~np.isnan(truth)
    error = np.where(seen, y_pred.reshape(n_cases, -1) - truth, 0.0)
    size = np.linalg.norm(np.where(seen, truth, 0.0), axis=1)
    if (size == 0).any():
        raise ValueError(
            f"Case {int(size.argmin())} of y_true is zero (or missing) everywhere, so that no "
            "error is relative to it. Leave it out, or score with an absolute error."
        )
    ratio = np.linalg.norm(error, axis=1) / size
    return float(np.average(ratio, weights=case_weights(sample_weight, n_cases)))


def neg_relative_l2(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Score a fitted estimator by minus its relative L2 error: the higher, the better.

    It is what ``scoring`` of searches and cross-validation takes.

    Parameters
    ----------
    estimator : estimator
        Fitted, with ``predict``.
    X : array-like of shape (n_cases, ...)
        Inputs.
    y : array-like of shape (n_cases, ...)
        True functions.
    sample_weight : array-like of shape (n_cases,), default=None
        Weight of each case in the mean.

    Returns
    -------
    float
        At most 0.

    See Also
    --------
    relative_l2_error : The error itself.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import cross_val_score
    >>> from skdyn.metrics import neg_relative_l2
    >>> X = np.random.default_rng(0).normal(size=(40, 5))
    >>> scores = cross_val_score(Ridge(1e-6), X, X[:, ::-1], scoring=neg_relative_l2)
    >>> bool(scores.min() > -1e-6)
    True
    """
    return -relative_l2_error(y, estimator.predict(X), sample_weight=sample_weight)
