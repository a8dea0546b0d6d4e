"""Laws of the trajectory R2, and its agreement with scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from skdyn.metrics import trajectory_r2_score

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=(4, 3, 20)) * np.array([1.0, 5.0, 0.2])[:, None]
GUESS = TRUTH + 0.3 * RNG.normal(size=TRUTH.shape)


@pytest.mark.parametrize("multioutput", ["uniform_average", "variance_weighted", "raw_values"])
def test_it_equals_scikit_learn_on_one_complete_trajectory(multioutput):
    known = r2_score(TRUTH[0].T, GUESS[0].T, multioutput=multioutput)
    np.testing.assert_allclose(
        trajectory_r2_score(TRUTH[0].T, GUESS[0].T, multioutput=multioutput), known
    )


@pytest.mark.parametrize("multioutput", ["uniform_average", "variance_weighted", "raw_values"])
def test_pooled_cases_equal_scikit_learn_on_all_values(multioutput):
    flat = [np.moveaxis(y, 1, 2).reshape(-1, 3) for y in (TRUTH, GUESS)]
    np.testing.assert_allclose(
        trajectory_r2_score(TRUTH, GUESS, cases="pooled", multioutput=multioutput),
        r2_score(*flat, multioutput=multioutput),
    )


def test_weights_in_the_pool_equal_scikit_learn():
    weights = np.array([1.0, 2.0, 0.0, 3.0])
    flat = [np.moveaxis(y, 1, 2).reshape(-1, 3) for y in (TRUTH, GUESS)]
    known = r2_score(*flat, sample_weight=np.repeat(weights, 20))
    score = trajectory_r2_score(TRUTH, GUESS, cases="pooled", sample_weight=weights)
    assert score == pytest.approx(known)


def test_the_mean_over_cases_weighs_each_case():
    raw = trajectory_r2_score(TRUTH, GUESS, cases="raw_values")
    assert raw.shape == (4,)
    weights = [1.0, 0.0, 0.0, 3.0]
    score = trajectory_r2_score(TRUTH, GUESS, sample_weight=weights)
    assert score == pytest.approx((raw[0] + 3 * raw[3]) / 4)
    both = trajectory_r2_score(TRUTH, GUESS, cases="raw_values", multioutput="raw_values")
    assert both.shape == (4, 3)
    np.testing.assert_allclose(both.mean(axis=1), raw)


def test_truth_has_one_and_the_mean_over_time_has_zero():
    mean = np.broadcast_to(TRUTH.mean(axis=2, keepdims=True), TRUTH.shape)
    assert trajectory_r2_score(TRUTH, TRUTH) == 1.0
    assert trajectory_r2_score(TRUTH, mean) == pytest.approx(0.0)


def test_missing_values_are_as_if_never_there():
    holes, wild = TRUTH.copy(), GUESS.copy()
    holes[..., 7] = np.nan
    wild[..., 7] = np.inf
    shorter = trajectory_r2_score(np.delete(TRUTH, 7, axis=2), np.delete(GUESS, 7, axis=2))
    assert trajectory_r2_score(holes, wild) == pytest.approx(shorter)


def test_a_channel_that_stands_still_is_right_or_wrong():
    still = np.ones((1, 1, 4))
    assert trajectory_r2_score(still, still) == 1.0
    assert trajectory_r2_score(still, still + 0.1) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cases": "sum"}, r"cases must be one of .*; got 'sum'"),
        ({"multioutput": "mean"}, r"multioutput must be one of .*; got 'mean'"),
        ({"sample_weight": [1.0]}, r"one non-negative weight for each of the 4 cases"),
    ],
)
def test_bad_options_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        trajectory_r2_score(TRUTH, GUESS, **arguments)


def test_a_diverged_prediction_and_an_unobserved_channel_are_named():
    wild = GUESS.copy()
    wild[2, 0, 3:] = np.inf
    with pytest.raises(ValueError, match=r"NaN or infinity in case 2 \(17 values in all\)"):
        trajectory_r2_score(TRUTH, wild)
    holes = TRUTH.copy()
    holes[1, 2, 1:] = np.nan
    with pytest.raises(ValueError, match=r"Channel 2 of case 1 of y_true has fewer than 2"):
        trajectory_r2_score(holes, GUESS)
