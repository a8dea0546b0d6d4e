import warnings
from functools import partial
from numbers import Real
from unittest import SkipTest

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.preprocessing import PolynomialFeatures

from skdyn import NeuralODE, NeuralODEClassifier
from skdyn._validation import Interval, as_floats, check_is_fitted, fit_context, validate_data
from skdyn.testing import contract_checks


def names(estimator):
    return {check.__name__ for check in contract_checks(estimator)}


def test_checks_are_listed_once_each_and_documented():
    checks = contract_checks(NeuralODEClassifier())
    assert len({check.__name__ for check in checks}) == len(checks) > 15
    assert all(check.__doc__ for check in checks)


def test_what_an_estimator_can_do_decides_which_checks_it_is_held_to():
    training = {"check_training_is_told", "check_callbacks", "check_divergence_is_never_silent"}
    everyone = {"check_round_trips", "check_bad_data", "check_same_seed_same_model"}
    assert training | everyone <= names(NeuralODE())
    for estimator in (Ridge(), PolynomialFeatures()):
        assert everyone <= names(estimator)
        assert not training & names(estimator)
    assert "check_transformers_set_output" in names(PolynomialFeatures()) - names(Ridge())
    assert "check_regressors_return_float64" in names(Ridge()) - names(NeuralODEClassifier())
    assert "check_string_labels" in names(NeuralODEClassifier()) - names(Ridge())


def test_all_questions_are_asked_and_those_that_fail_are_named(ask_all):
    asked = []

    def question(name, error=None):
        asked.append(name)
        if error is not None:
            raise error

    def questions(**errors):
        return [(name, partial(question, name, error)) for name, error in errors.items()]

    wrong = {"a": ValueError("x"), "b": None, "c": AssertionError("y"), "d": None}
    with pytest.raises(ExceptionGroup, match=r"failed: a \(1\), c \(2\)") as caught:
        ask_all(questions(**wrong))
    assert asked == list("abcd")
    assert [str(error) for error in caught.value.exceptions] == ["x", "y"]
    right = {"a": ValueError("x"), "b": None, "c": SkipTest("not here")}
    ask_all(questions(**right), expected_to_fail={"a": "why", "c": "why"})
    with pytest.raises(ExceptionGroup, match=r"b \(1\)"):
        ask_all(questions(b=None), expected_to_fail={"b": "why"})


def test_every_question_starts_with_the_same_luck_and_the_warnings_of_its_own(ask_all):
    drawn = []

    def question():
        drawn.append((np.random.random(), len(warnings.filters)))  # noqa: NPY002
        warnings.simplefilter("error")

    ask_all([("one", question), ("other", question)])
    assert drawn[0] == drawn[1]


def test_of_an_object_without_fit_only_the_parameters_are_checked():
    class Part(BaseEstimator):
        pass

    assert names(Part()) == {"check_parameters_are_kept"}


class LinearDynamics(RegressorMixin, BaseEstimator):
    """x' = A x by finite differences: an estimator of trajectories that trains no module."""

    _parameter_constraints = {"alpha": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, alpha=1e-3):
        self.alpha = alpha

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, t=None):
        if y is None:
            X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
            y = np.gradient(X, np.arange(len(X)) if t is None else t, axis=0)
        else:
            X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True)
        self.model_ = Ridge(alpha=self.alpha).fit(X, y)
        return self

    def predict(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return self.model_.predict(X).astype(np.float64)

    def score(self, X, y=None, *, t=None, sample_weight=None):
        X = as_floats(X)
        times = np.arange(len(X)) if t is None else t
        return super().score(X, np.gradient(X, times, axis=0) if y is None else y)


def test_an_estimator_of_trajectories_without_a_module_can_keep_all_of_it(ask_all):
    checks = contract_checks(LinearDynamics())
    ask_all((check.__name__, partial(check, LinearDynamics())) for check in checks)
