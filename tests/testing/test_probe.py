import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.linear_model import Lasso, Ridge
from sklearn.pipeline import make_pipeline

from skdyn import NeuralODE, NeuralODEClassifier, NeuralODERegressor
from skdyn.testing import sample_data
from skdyn.testing._probe import answer, refuses, seeded, two_candidates


class Dynamics(RegressorMixin, BaseEstimator):
    """A regressor whose rows are points in time."""

    def fit(self, X, y=None, *, t=None):
        """Learn nothing."""


class Features(TransformerMixin, BaseEstimator):
    """Made for any table."""

    def fit(self, X, y=None):
        """Learn nothing."""


def test_sample_data_fit_the_kind_of_estimator():
    assert set(sample_data(NeuralODEClassifier())[1]) == {0, 1, 2}
    assert sample_data(NeuralODERegressor())[1].dtype == np.float64
    assert sample_data(Ridge())[1].dtype == np.float64
    assert sample_data(Features())[1] is None


@pytest.mark.parametrize("estimator", [NeuralODE(), Dynamics()])
def test_where_rows_are_time_points_the_data_are_one_solution_of_a_linear_system(estimator):
    X, y = sample_data(estimator)
    assert y is None
    step, *_ = np.linalg.lstsq(X[:-1], X[1:])
    np.testing.assert_allclose(X[:-1] @ step, X[1:], atol=1e-12)
    other, _ = sample_data(estimator, random_state=1)
    np.testing.assert_allclose(other[:-1] @ step, other[1:], atol=1e-12)


def test_the_terms_of_a_quadratic_library_are_independent_on_the_dynamics():
    X, _ = sample_data(Dynamics())
    i, j = np.triu_indices(4)
    terms = np.hstack([np.ones((60, 1)), X, X[:, i] * X[:, j]])
    assert np.linalg.cond(terms / np.linalg.norm(terms, axis=0)) < 1e4


def test_the_grid_varies_a_size_before_a_count_before_a_switch():
    assert two_candidates(Lasso()) == {"alpha": [1.0, 0.5]}
    assert two_candidates(make_pipeline(Lasso(alpha=0.2)))["lasso__alpha"] == [0.2, 0.1]
    assert two_candidates(Ridge(alpha=3, tol=0, max_iter=None)) == {"alpha": [3, 4]}
    assert two_candidates(Ridge(alpha=0, tol=0)) == {"copy_X": [True, False]}
    assert two_candidates(Features()) == {}


def test_a_seed_goes_where_one_is_taken():
    assert seeded(NeuralODE(), 3).random_state == 3
    assert seeded(Features(), 3).get_params() == {}


def test_a_refusal_needs_an_error_and_its_words():
    def fail():
        raise ValueError("X contains NaN.")

    refuses(fail, "infinity", "nan")
    with pytest.raises(AssertionError, match=r"'x contains nan.' names none of"):
        refuses(fail, "infinity")
    with pytest.raises(AssertionError, match="bad input was accepted"):
        refuses(lambda: None, "nan")


def test_an_estimator_that_answers_nothing_is_told():
    with pytest.raises(AssertionError, match="neither predict nor transform"):
        answer(Dynamics(), None)
