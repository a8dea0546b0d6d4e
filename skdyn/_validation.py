"""The one door to scikit-learn's private helpers.

Nothing else in the package imports a private name of scikit-learn: when one moves, this file
mends it for all. All data come in through it too: tensors of any kind, and numbers of any size, are
taken or refused here.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

import numpy as np
from numpy.typing import ArrayLike
from sklearn import utils
from sklearn.base import BaseEstimator, _fit_context
from sklearn.exceptions import NotFittedError
from sklearn.utils import validation
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_sample_weight, _num_samples, check_is_fitted

from skdyn._time_limit import time_limit

F = TypeVar("F", bound=Callable[..., Any])
E = TypeVar("E")

if TYPE_CHECKING:  # whose clone is of a kind that checkers cannot tell

    def clone(estimator: E) -> E: ...

else:
    from sklearn.base import clone

__all__ = [
    "Interval",
    "NotFittedError",
    "StrOptions",
    "all_or_nothing",
    "as_floats",
    "check_X_y",
    "check_array",
    "check_feature_names_in",
    "check_is_fitted",
    "check_sizes",
    "check_parameters",
    "check_validation_pair",
    "check_weights",
    "clone",
    "fit_context",
    "from_torch",
    "is_whole",
    "validate_data",
]


# Between these powers of two squares of products of two quantities are finite, and none is lost.
_EXPONENTS = (-250, 250)


def from_torch(value: Any) -> Any:
    """Take tensors, also those in a list or tuple, to numpy arrays; leave all else alone.

    numpy itself refuses tensors that need gradients, lie on another device, or are of a type that
    it does not know, such as bfloat16, which becomes float32.

    Parameters
    ----------
    value : object
        What a user passed.

    Returns
    -------
    object

    Raises
    ------
    TypeError
        If a tensor is sparse.
    """
    torch = sys.modules.get("torch")  # without it there are no tensors
    if torch is None:
        return value
    if not isinstance(value, torch.Tensor):
        several = isinstance(value, list | tuple)
        several = several and any(isinstance(v, torch.Tensor) for v in value)
        return [from_torch(v) for v in value] if several else value
    if value.layout != torch.strided:
        raise TypeError(
            "A sparse tensor was passed, but dense data is required. Use its to_dense()."
        )
    value = value.detach().cpu()
    known = value.dtype in (torch.float32, torch.float64) or not value.is_floating_point()
    return (value if known else value.float()).numpy()


def as_floats(values: Any) -> np.ndarray:
    """Return numbers as a float64 array.

    Parameters
    ----------
    values : array-like
        Numbers; tensors of any kind too.

    Returns
    -------
    ndarray

    Raises
    ------
    TypeError
        If they are dates or durations, whose numbers would be nanoseconds or whatever else.
    """
    values = np.asarray(from_torch(values))
    first = values.flat[0] if values.dtype == object and values.size else None
    if values.dtype.kind in "mM" or isinstance(first, date | timedelta):
        raise TypeError(
            "Dates or durations came where numbers are needed. Times are numbers in a unit that "
            "you choose: pass (t - t[0]) / np.timedelta64(1, 'D') for days, for instance."
        )
    return values.astype(np.float64, copy=False)


def is_whole(value: Any, least: int) -> bool:
    """Say whether a value is a whole number, and large enough.

    Parameters
    ----------
    value : object
        What a user passed.
    least : int
        The smallest that will do.

    Returns
    -------
    bool
    """
    return isinstance(value, Integral) and int(value) >= least


def check_sizes(
    values: np.ndarray, name: str, exponents: tuple[int | None, int] = _EXPONENTS
) -> None:
    """Refuse numbers so large or small that what is computed from them overflows or vanishes.

    Parameters
    ----------
    values : ndarray of shape (n,) or (n, n_columns, ...)
        Numbers; NaN stands for a missing one. A column of zeros is none too small.
    name : str
        What the user calls them.
    exponents : tuple of int, default=(-250, 250)
        Powers of two that the largest number of each column must lie between; None allows any that
        is small.

    Raises
    ------
    ValueError
        If a column goes beyond them.
    """
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f" or values.size == 0:
        return
    axes = tuple(axis for axis in range(values.ndim) if axis != 1)
    extremes = (function.reduce(values, axis=axes, initial=0) for function in (np.fmax, np.fmin))
    size = np.atleast_1d(np.maximum(*np.abs(list(extremes)))).astype(np.float64)
    low, high = (0.0 if power is None else 2.0**power for power in exponents)
    beyond = np.flatnonzero((size > high) | ((size < low) & (size > 0)))
    if len(beyond):
        kind = "column" if values.ndim == 2 else "channel"
        where = f" in {kind} {beyond[0]}" if values.ndim > 1 else ""
        raise ValueError(
            f"The values of {name}{where} reach {size[beyond[0]]:.3g}, and what is computed from "
            f"them, squares of products, leaves the range of numbers. Give {name} in another unit, "
            f"{f'from {low:.0e} ' if low else ''}up to {high:.0e}: divide it by its size."
        )


def _exponents_for(estimator, reset):
    """Return what an estimator can compute with; a query may be as small as it likes."""
    low, high = getattr(estimator, "_exponents", _EXPONENTS)
    return low if reset else None, high


_INCOMPLETE = " Leave incomplete samples out, or impute what they lack."


@overload
def validate_data(
    estimator: BaseEstimator, X: Any, y: Any, *, reset: bool = True, **checks: Any
) -> tuple[np.ndarray, np.ndarray]: ...


@overload
def validate_data(  # pyright: ignore[reportOverlappingOverload]: y tells them apart
    estimator: BaseEstimator, X: Any, *, reset: bool = True, **checks: Any
) -> np.ndarray: ...


def validate_data(
    estimator: BaseEstimator,
    X: Any = "no_validation",
    y: Any = "no_validation",
    *,
    reset: bool = True,
    **checks: Any,
) -> Any:
    """Validate as scikit-learn does, tensors of any kind and the sizes of the numbers too.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` and feature names are set or compared. Its attribute ``_exponents``
        says which powers of two it can compute with; see :func:`check_sizes`.
    X, y : array-like
        Data.
    reset : bool, default=True
        Whether this is a fit.
    **checks
        Of scikit-learn's ``validate_data``.

    Returns
    -------
    ndarray, or tuple of two
        X, and y where it came.
    """
    X, y = from_torch(X), from_torch(y)
    try:
        checked: Any = validation.validate_data(estimator, X, y, reset=reset, **checks)
    except ValueError as error:
        raise _with_place(error, X=X, y=y) from None
    both: Any = checked if isinstance(checked, tuple) else (checked, None)
    rows, targets = both
    exponents = _exponents_for(estimator, reset)
    check_sizes(rows, "X", exponents)
    if checks.get("y_numeric"):  # labels may be any number
        check_sizes(targets, "y", exponents)
    return checked


def _with_place(error, **given):
    """Add to an error about an infinity or NaN where the first one is.

    Neither values of the data nor estimators of other packages are of use in it.
    """
    text = re.sub(r":\narray=\[.*\]\.\n", ". ", str(error), flags=re.DOTALL)
    text = re.sub(r" For supervised learning, you might .*", _INCOMPLETE, text, flags=re.DOTALL)
    error = ValueError(text)
    found = re.match(r"Input (X|y) contains (NaN|infinity)", text)
    if not found:
        return error
    name, what = found.groups()
    try:
        values = np.asarray(given[name]).astype(np.float64)
    except (TypeError, ValueError):
        return error
    wrong = np.argwhere(np.isnan(values) if what == "NaN" else np.isinf(values))
    if not len(wrong):
        return error
    place = ", ".join(map(str, wrong[0]))
    return ValueError(f"{error}\nThe first is {name}[{place}].")


def check_array(
    array: Any, *, input_name: str = "X", estimator: BaseEstimator | None = None, **checks: Any
) -> np.ndarray:
    """Check an array as scikit-learn does, tensors of any kind and the largest number too.

    Parameters
    ----------
    array : array-like
        Data.
    input_name : str, default="X"
        Their name in messages.
    estimator : estimator or None, default=None
        Named in messages; its ``_exponents`` count.
    **checks
        Of scikit-learn's ``check_array``.

    Returns
    -------
    ndarray
    """
    checked = utils.check_array(
        from_torch(array), input_name=input_name, estimator=estimator, **checks
    )
    check_sizes(checked, input_name, _exponents_for(estimator, reset=False))
    return checked


def check_X_y(X: Any, y: Any, *, estimator: BaseEstimator, **checks: Any) -> Any:
    """Check targets beside data as scikit-learn does, tensors of any kind and sizes too.

    Parameters
    ----------
    X, y : array-like
        Data.
    estimator : estimator
        Named in messages; its ``_exponents`` count.
    **checks
        Of scikit-learn's ``check_X_y``.

    Returns
    -------
    tuple of two ndarray
    """
    X, y = utils.check_X_y(from_torch(X), from_torch(y), estimator=estimator, **checks)
    if checks.get("y_numeric"):
        check_sizes(y, "y", _exponents_for(estimator, reset=True))
    return X, y


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


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[F], F]:
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
        taken care of, ``max_time`` limits all training within, and a call that fails leaves the
        estimator as it was.
    """

    def decorate(method: F) -> F:
        checked = _fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)(method)

        @functools.wraps(method)
        def fit(estimator: BaseEstimator, *args: Any, **kwargs: Any) -> Any:
            arrays = [from_torch(value) for value in args]
            named = {name: from_torch(value) for name, value in kwargs.items()}
            limit = time_limit(getattr(estimator, "max_time", None))
            with all_or_nothing(estimator), limit:
                return checked(estimator, *arrays, **named)

        return cast("F", fit)

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
    X : sequence of n_samples rows
        The data they weigh.

    Returns
    -------
    ndarray of shape (n_samples,) or None

    Raises
    ------
    ValueError
        If a weight is negative, infinite or NaN, or if all are zero, next to nothing or huge.
    """
    if sample_weight is None:
        return None
    rows = np.empty((_num_samples(X), 0))  # X may be of a kind of ours, which no library knows
    weight = _check_sample_weight(
        from_torch(sample_weight), rows,
        dtype=np.float64, ensure_non_negative=True, allow_all_zero_weights=False,
    )  # fmt: skip
    check_sizes(weight, "sample_weight")
    return weight


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
