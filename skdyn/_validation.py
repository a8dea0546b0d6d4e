"""The one door to scikit-learn's private helpers.

Nothing else in the package imports a private name of scikit-learn: when one moves, this file
mends it for all. It also holds the few validators of our own that several estimators share.
"""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context as fit_context
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

__all__ = [
    "Interval",
    "NotFittedError",
    "StrOptions",
    "check_is_fitted",
    "check_validation_pair",
    "check_weights",
    "fit_context",
    "validate_data",
]


def check_weights(sample_weight: ArrayLike | None, X: np.ndarray) -> np.ndarray | None:
    """Return validated weights, or None where none were given.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), float or None
        Non-negative weights, not all zero.
    X : ndarray of shape (n_samples, ...)
        The data they weigh.

    Returns
    -------
    ndarray of shape (n_samples,) or None

    Raises
    ------
    ValueError
        If a weight is negative, infinite or NaN, or if all are zero.
    """
    if sample_weight is None:
        return None
    return _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True, allow_all_zero_weights=False
    )


def check_validation_pair(
    X_val: ArrayLike | None, y_val: ArrayLike | None, early_stopping: bool
) -> None:
    """Refuse half a validation set, and one that nothing would look at.

    Parameters
    ----------
    X_val, y_val : array-like or None
        What the user passed to ``fit``.
    early_stopping : bool
        The estimator's parameter.

    Raises
    ------
    ValueError
        If only one of the two came, or if they came without ``early_stopping=True``.
    """
    if (X_val is None) != (y_val is None):
        given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
        raise ValueError(f"{given} was passed to fit without {missing}; pass both or neither.")
    if X_val is not None and not early_stopping:
        raise ValueError(
            "X_val and y_val were passed to fit but early_stopping=False, so they would be "
            "ignored. Set early_stopping=True to stop on them, or leave them out."
        )
