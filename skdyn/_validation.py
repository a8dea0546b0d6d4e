"""The one door to scikit-learn's private helpers.

Nothing else in the package imports a private name of scikit-learn: when one moves, this file
mends it for all. It also holds the few validators of our own that several estimators share.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, _fit_context
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

__all__ = [
    "Interval",
    "NotFittedError",
    "StrOptions",
    "all_or_nothing",
    "check_is_fitted",
    "check_parameters",
    "check_validation_pair",
    "check_weights",
    "fit_context",
    "validate_data",
]


@contextmanager
def all_or_nothing(estimator: BaseEstimator) -> Iterator[None]:
    """Put every attribute of an estimator back if the block fails: none is ever half fitted.

    Attributes are put back as they were bound; what a block changes in place it must restore
    itself.

    Parameters
    ----------
    estimator : estimator
        The estimator that the block fits.

    Yields
    ------
    None
        Nothing.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:  # Ctrl-C too
        kept = {name: value for name, value in vars(estimator).items() if "callback" in name}
        vars(estimator).clear()
        vars(estimator).update(before | kept)
        raise


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Callable], Callable]:
    """Run a method that fits as scikit-learn does, and all or nothing.

    Parameters
    ----------
    prefer_skip_nested_validation : bool
        Whether parameters of estimators inside are not checked again; see scikit-learn's
        decorator of the same name.

    Returns
    -------
    callable
        A decorator of ``fit`` and ``partial_fit``: parameters are checked first, callbacks are
        taken care of, and a call that fails leaves the estimator as it was.
    """

    def decorate(method):
        checked = _fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)(method)

        @functools.wraps(method)
        def fit(estimator: BaseEstimator, *args: Any, **kwargs: Any) -> Any:
            with all_or_nothing(estimator):
                return checked(estimator, *args, **kwargs)

        return fit

    return decorate


def check_parameters(
    name: str, constraints: Mapping[str, list], parameters: Mapping[str, Any]
) -> None:
    """Hold parameters to a class's constraints, without an instance.

    Parameters
    ----------
    name : str
        The class's name.
    constraints : dict of str to list
        Its ``_parameter_constraints``.
    parameters : dict of str to object
        The values.

    Raises
    ------
    ValueError
        If one is of another kind, or beyond its bounds; the message names it.
    """
    validate_parameter_constraints(constraints, parameters, caller_name=name)


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
