from functools import partial

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin, clone
from sklearn.linear_model import Lasso, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_classifiers_train, check_fit2d_1sample

from skdyn import KANRegressor, NeuralODE, NeuralODEClassifier, NeuralODERegressor
from skdyn.testing import sample_data
from skdyn.testing._probe import (
    answer,
    as_long_as_asked,
    fit_to_read,
    refuses,
    sample_to_sketch,
    seeded,
    shared_fits,
    sketched,
    two_candidates,
)


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
    assert seeded(NeuralODE(random_state=5), 3).random_state == 3
    assert seeded(NeuralODE(random_state=5)).random_state == 5
    assert seeded(NeuralODE()).random_state == 0
    assert seeded(Features(), 3).get_params() == {}


def test_how_well_it_learns_is_asked_once_and_a_sketch_may_score_poorly():
    model = NeuralODEClassifier(max_iter=20)
    plain = as_long_as_asked(model, partial(check_classifiers_train, "name"))
    assert plain is model
    variant = partial(check_classifiers_train, "name", readonly_memmap=True, X_dtype="float32")
    quick = as_long_as_asked(model, variant)
    assert quick.get_params() == {**model.get_params(), "max_iter": 1, "random_state": 0}
    assert clone(quick).__sklearn_tags__().classifier_tags.poor_score
    assert not model.__sklearn_tags__().classifier_tags.poor_score
    other = as_long_as_asked(model, partial(check_fit2d_1sample, "name"))
    assert other.max_iter == 1
    assert not other.__sklearn_tags__().classifier_tags.poor_score


def test_a_sketch_takes_plain_steps_on_one_of_two_systems():
    assert (
        sketched(NeuralODE()).optimizer
        == sketched(KANRegressor(optimizer="lm")).optimizer
        == "adam"
    )
    assert sketched(NeuralODEClassifier(optimizer="sgd")).optimizer == "sgd"
    assert sketched(Features()).get_params() == {}
    np.testing.assert_array_equal(
        sample_to_sketch(NeuralODE())[0], sample_data(NeuralODE())[0][:, :2]
    )
    assert sample_to_sketch(Ridge())[0].shape == (60, 4)


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


class Counting(Ridge):
    """Counts its fits, over all copies."""

    fits = 0

    def fit(self, X, y):
        type(self).fits += 1
        return super().fit(X, y)


def test_what_is_only_read_is_fitted_once_for_each_setting_and_data_where_fits_are_shared():
    X, y = sample_data(Ridge())
    Counting.fits = 0
    fit_to_read(Counting(), X, y)
    fit_to_read(Counting(), X, y)
    assert Counting.fits == 2, "nothing is shared unless somebody asks"
    with shared_fits():
        one = fit_to_read(Counting(), X, y)
        one.coef_[:] = 7.0
        other = fit_to_read(Counting(), X, y)
        assert Counting.fits == 3
        np.testing.assert_array_equal(other.coef_, Ridge().fit(X, y).coef_)
        for changed in ((Counting(2.0), X, y), (Counting(), X + 1, y), (Counting(), X, y + 1)):
            expected = Ridge(changed[0].alpha).fit(*changed[1:])
            np.testing.assert_array_equal(fit_to_read(*changed).intercept_, expected.intercept_)
        assert Counting.fits == 6
    fit_to_read(Counting(), X, y)
    assert Counting.fits == 7, "and no longer than they asked for"


def test_few_shared_fits_are_kept():
    X, y = sample_data(Ridge())
    with shared_fits():
        Counting.fits = 0
        for alpha in (1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 2.0, 1.0):
            fit_to_read(Counting(alpha), X, y)
        assert Counting.fits == 6, "the last four stay, the first is fitted again"
