"""Laws of the relative L2 error."""

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.metrics import make_scorer
from sklearn.model_selection import cross_val_score

from skdyn.metrics import neg_relative_l2, relative_l2_error

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=(4, 3, 5))


def test_truth_has_error_zero_and_zero_has_error_one():
    assert relative_l2_error(TRUTH, TRUTH) == 0.0
    assert relative_l2_error(TRUTH, np.zeros_like(TRUTH)) == pytest.approx(1.0)


def test_it_does_not_depend_on_units():
    noisy = TRUTH + 0.1
    assert relative_l2_error(TRUTH, noisy) == pytest.approx(
        relative_l2_error(1e3 * TRUTH, 1e3 * noisy)
    )


def test_a_case_off_by_a_fraction_has_that_error():
    scale = np.array([1.1, 1.2, 1.3, 1.4])[:, None, None]
    assert relative_l2_error(TRUTH, scale * TRUTH) == pytest.approx(0.25)
    weights = [0.0, 0.0, 0.0, 2.0]
    assert relative_l2_error(TRUTH, scale * TRUTH, sample_weight=weights) == pytest.approx(0.4)


def test_missing_values_count_in_neither_norm():
    holes, wrong = TRUTH.copy(), TRUTH.copy()
    holes[0, 0, 0] = np.nan
    wrong[0, 0, 0] = np.nan
    assert relative_l2_error(holes, wrong) == 0.0


def test_one_axis_is_one_case():
    assert relative_l2_error([3.0, 4.0], [3.0, 4.5]) == pytest.approx(0.1)


def test_it_is_a_scorer():
    scorer = make_scorer(relative_l2_error, greater_is_better=False)
    X, Y = RNG.normal(size=(12, 2)), RNG.normal(size=(12, 3)) + 5.0
    scores = cross_val_score(DummyRegressor(), X, Y, scoring=scorer, cv=3)
    assert ((scores > -1) & (scores < 0)).all()


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        ([[0.0, 0.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], r"Case 0 of y_true is zero"),
        ([[1.0, 1.0]], [[1.0]], r"same shape; got \(1, 2\) and \(1, 1\)"),
        ([[1.0], [2.0]], [[1.0], [np.nan]], r"NaN or infinity in case 1 \(1 values in all\)"),
        ([[np.inf]], [[1.0]], r"y_true must be finite or NaN"),
        ([], [], r"y_true must not be empty"),
    ],
)
def test_bad_input_is_named(y_true, y_pred, message):
    with pytest.raises(ValueError, match=message):
        relative_l2_error(y_true, y_pred)


def test_the_scorer_is_minus_the_error_of_the_predictions_and_takes_weights():
    X = RNG.normal(size=(6, 3))
    y = X + 1.0
    mean = DummyRegressor().fit(X, y)
    weight = RNG.random(6)
    assert neg_relative_l2(mean, X, y) == -relative_l2_error(y, mean.predict(X))
    weighted = neg_relative_l2(mean, X, y, sample_weight=weight)
    assert weighted == -relative_l2_error(y, mean.predict(X), sample_weight=weight)
    assert cross_val_score(mean, X, y, scoring=neg_relative_l2, cv=3).max() < 0
