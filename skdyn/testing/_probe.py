"""How the checks put questions to an estimator they know nothing of: data, answers, refusals."""

import contextlib
import copy
import pickle
import warnings
from collections import OrderedDict
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from skdyn._series import reads_series
from skdyn._validation import clone
from skdyn.base import TorchEstimator
from skdyn.training._optimizers import FULL_BATCH

__all__ = [
    "answer",
    "answers_rows",
    "as_long_as_asked",
    "can_fit",
    "fit",
    "fit_to_read",
    "has_parameter",
    "meant_for",
    "reads_times",
    "refuses",
    "sample_data",
    "sample_to_sketch",
    "seeded",
    "shared_fits",
    "sketched",
    "trains_a_module",
    "two_candidates",
    "with_plain_steps",
]


# -- what has a meaning for whom -------------------------------------------------------------


def meant_for(has_meaning):
    """Mark a check with the condition on an estimator under which it has a meaning.

    Parameters
    ----------
    has_meaning : callable
        A function of an estimator.

    Returns
    -------
    callable
        A decorator of checks.
    """

    def mark(check):
        check.has_meaning = has_meaning
        return check

    return mark


def can_fit(estimator):
    """Whether it is an estimator, not only an object with parameters."""
    return hasattr(estimator, "fit")


def trains_a_module(estimator):
    """Whether it trains a torch module, epoch after epoch."""
    return isinstance(estimator, TorchEstimator) and getattr(estimator, "_learns", True)


def reads_times(estimator):
    """Whether the rows of a two-dimensional ``X`` are points in time."""
    return has_fit_parameter(estimator, "t") and not reads_series(estimator)


def answers_rows(estimator):
    """Whether each row of ``X`` has an answer of its own; the moments of one history have none."""
    fails = getattr(estimator, "_expected_failed_checks", {})
    return "check_methods_subset_invariance" not in fails


def has_parameter(name):
    """Return the condition that an estimator has a parameter."""
    return lambda estimator: name in estimator.get_params(deep=False)


# -- data ------------------------------------------------------------------------------------


def sample_data(estimator: BaseEstimator, random_state: int = 0) -> tuple[np.ndarray, Any]:
    """Return data of a kind this estimator can learn quickly.

    Parameters
    ----------
    estimator : estimator
        Its tags and the signature of its ``fit`` decide.
    random_state : int, default=0
        Another number gives other data of the same kind.

    Returns
    -------
    X : ndarray of shape (60, 4)
        A table; the rows are time points, a unit of time apart, where ``fit`` takes times.
    y : ndarray of shape (60,) or None
        Targets, where the estimator needs any.
    """
    if is_classifier(estimator):
        made: Any = make_classification(
            60, 4, n_informative=3, n_redundant=0, n_classes=3, n_clusters_per_class=1,
            random_state=random_state,
        )  # fmt: skip
        return made
    if is_regressor(estimator) and not reads_times(estimator):
        made = make_regression(60, 4, noise=0.1, random_state=random_state)
        return made
    # Two damped oscillators: smooth, a closed linear system, and free of the polynomial identities
    # that undamped ones obey (cos^2 + sin^2 = 1), so that what is to be found is unique.
    t = np.arange(60.0)
    phase = 0.3 * t + random_state, 0.5 * t + random_state
    turns = [wave(angle) for angle in phase for wave in (np.cos, np.sin)]
    return np.stack(turns, axis=1) * np.exp(-np.outer(t, [0.01, 0.01, 0.017, 0.017])), None


def sample_to_sketch(estimator):
    """Return sample data for what is ``sketched``: of dynamics, one of the two systems alone."""
    X, y = sample_data(estimator)
    return (X[:, :2] if reads_times(estimator) else X), y


# -- questions and answers -------------------------------------------------------------------


def seeded(estimator, random_state=None):
    """Clone an estimator, with a seed where it takes one: its own, if it has one and none is given.

    So that checks of an instance with a seed are checks under that seed.
    """
    copied = clone(estimator)
    if has_parameter("random_state")(copied):
        own = copied.random_state if random_state is None else random_state
        copied.set_params(random_state=0 if own is None else own)
    return copied


def fit(estimator, X, y, **fit_params):
    """Fit a clone; that it did not converge is expected of checks."""
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return clone(estimator).fit(X, y, **fit_params)


def sketched(estimator, random_state=None):
    """Clone an estimator with a seed and few, plain epochs: what comes through, not how well.

    One that trains no module may name what spares it a search, in ``_sketch_parameters``.
    """
    copied = seeded(estimator, random_state)
    if not trains_a_module(copied):
        return copied.set_params(**getattr(copied, "_sketch_parameters", {}))
    copied.set_params(max_iter=3)
    many_a_step = copied.optimizer in FULL_BATCH
    return with_plain_steps(copied) if many_a_step else copied


def with_plain_steps(estimator):
    """Set the optimizer whose steps are as long as the learning rate."""
    return estimator.set_params(optimizer="adam")


def as_long_as_asked(estimator, check):
    """Clone an estimator for one of scikit-learn's checks, to train as long as that needs.

    How well it learns is asked once, of plain arrays; of arrays in single precision and read-only
    ones the question is what comes through, so that there it is said to score poorly.
    """
    name, variant = check.func.__name__, check.keywords.keys() & {"readonly_memmap", "X_dtype"}
    if name.endswith("_equivalence_on_dense_data") or (name.endswith("_train") and not variant):
        return estimator
    quick = sketched(estimator)
    if trains_a_module(quick):
        quick.set_params(max_iter=1)  # the contract asks the same of what a second epoch carries on
    return _said_to_score_poorly(quick) if name.endswith("_train") else quick


def _said_to_score_poorly(estimator):
    tags = get_tags(estimator)
    for kind in filter(None, (tags.classifier_tags, tags.regressor_tags)):
        kind.poor_score = True
    cls = type(estimator)
    modest = type(cls.__name__, (cls,), {"__sklearn_tags__": lambda self: tags})
    return modest(**estimator.get_params(deep=False))


def fit_to_read(estimator, X, y):
    """Fit a clone that a check will only question; within ``shared_fits``, copy an earlier one.

    Checks of what ``fit`` itself does (the same model every time, copies, going on, failing) fit
    for themselves.
    """
    if _SHARED is None:
        return fit(estimator, X, y)
    key = type(estimator), pickle.dumps((estimator, X, y))
    if key not in _SHARED:
        _SHARED[key] = fit(estimator, X, y)
    _SHARED.move_to_end(key)
    if len(_SHARED) > _MOST_SHARED:
        _SHARED.popitem(last=False)
    return copy.deepcopy(_SHARED[key])


_SHARED = None
_MOST_SHARED = 4  # checks come estimator by estimator, each with few settings


@contextlib.contextmanager
def shared_fits():
    """Let checks that only read share what is fitted alike within the block, as copies.

    For a suite over many estimators. It takes a class for what it is at its first fit, so a class
    that is being worked on in between is better checked without.
    """
    global _SHARED
    before, _SHARED = _SHARED, OrderedDict()
    try:
        yield
    finally:
        _SHARED = before


def answer(fitted, X):
    """Ask for whatever the estimator is there for, most informative first."""
    for method in ("predict_proba", "predict", "transform"):
        if hasattr(fitted, method):
            return np.asarray(getattr(fitted, method)(X))
    raise AssertionError(f"{fitted} has neither predict nor transform.")


def refuses(call, *words):
    """Assert that the call raises a ValueError or TypeError that uses one of the words."""
    message = None
    try:
        call()
    except (ValueError, TypeError) as error:
        message = str(error).lower()
    assert message is not None, f"bad input was accepted; expected an error naming one of {words}"
    assert any(word.lower() in message for word in words), f"{message!r} names none of {words}"


def two_candidates(estimator):
    """Return a grid over one of its parameters: a size if there is one, else a count or a switch.

    Nested parameters count; the grid is empty, one candidate, where there is nothing to vary.
    """
    values = estimator.get_params()
    for kind, other in (
        (float, lambda value: value / 2),
        (int, lambda value: value + 1),
        (bool, lambda value: not value),
    ):
        for name, value in values.items():
            if type(value) is kind and (kind is bool or value > 0):
                return {name: [value, other(value)]}
    return {}
