import numpy as np
import pytest
from sklearn.dummy import DummyRegressor

from skdyn import NeuralODEClassifier, NeuralODERegressor
from skdyn.testing import (
    all_estimators,
    check_bad_data,
    check_global_state_is_left_alone,
    check_same_seed_same_model,
    contract_checks,
    expected_failed_checks,
    sample_data,
)


def test_estimators_are_found_by_walking():
    names = [name for name, _ in all_estimators()]
    assert names == sorted(names)
    assert {"NeuralODERegressor", "NeuralODEClassifier"} <= set(names)


def test_checks_are_listed_once_each_and_documented():
    checks = contract_checks()
    assert len({check.__name__ for check in checks}) == len(checks) > 15
    assert all(check.__doc__ for check in checks)


def test_expected_failures_carry_their_reasons():
    assert expected_failed_checks(DummyRegressor()) == {}
    assert expected_failed_checks(NeuralODERegressor(dtype="float64")) == {}
    assert all(len(reason) > 20 for reason in expected_failed_checks(NeuralODERegressor()).values())


def test_sample_data_fit_the_kind_of_estimator():
    assert set(sample_data(NeuralODEClassifier())[1]) == {0, 1, 2}
    assert sample_data(NeuralODERegressor())[1].dtype == np.float64


class Unseeded(NeuralODERegressor):
    """Ignores its random_state."""

    def _train(self, *args, **kwargs):
        kept, self.random_state = self.random_state, None
        super()._train(*args, **kwargs)
        self.random_state = kept


class Littering(NeuralODERegressor):
    """Draws from the global generator."""

    def predict(self, X):
        np.random.random()  # noqa: NPY002
        return super().predict(X)


class Swallowing(NeuralODERegressor):
    """Takes NaN for zero."""

    def fit(self, X, y):
        return super().fit(np.nan_to_num(X), y)


@pytest.mark.parametrize(
    ("check", "broken"),
    [
        (check_same_seed_same_model, Unseeded),
        (check_global_state_is_left_alone, Littering),
        (check_bad_data, Swallowing),
    ],
)
def test_a_broken_promise_is_caught(check, broken):
    with pytest.raises(AssertionError):
        check(broken(max_iter=2))
