"""Laws of the valid prediction time."""

import numpy as np
import pytest

from skdyn.datasets import make_lorenz63
from skdyn.metrics import valid_prediction_time

T = np.linspace(0.0, 2.0, 21)
TRUTH = np.stack([np.sin(3 * T), 100 * np.cos(3 * T)])[None]


def test_the_truth_is_valid_to_the_last_time():
    assert valid_prediction_time(TRUTH, TRUTH, T) == 2.0
    assert valid_prediction_time(TRUTH, TRUTH) == 20.0


def test_a_jump_ends_it_at_the_time_before():
    guess = TRUTH.copy()
    guess[:, 0, 8:] += 10.0
    assert valid_prediction_time(TRUTH, guess, T) == pytest.approx(T[7])
    assert valid_prediction_time(TRUTH, guess, T, time_unit=0.1) == pytest.approx(7.0)


def test_it_does_not_depend_on_the_units_of_the_channels():
    guess = TRUTH + 0.2 * TRUTH.std(axis=2, keepdims=True) * T
    scale = np.array([1e3, 1e-3])[:, None]
    found = valid_prediction_time(TRUTH, guess, T, threshold=0.29)
    assert 0 < found < 2
    assert valid_prediction_time(scale * TRUTH, scale * guess, T, threshold=0.29) == found


def test_a_lower_threshold_never_gives_a_longer_time():
    guess = TRUTH + 0.5 * TRUTH.std(axis=2, keepdims=True) * T
    times = [valid_prediction_time(TRUTH, guess, T, threshold=h) for h in (0.1, 0.2, 0.4, 0.8)]
    assert times == sorted(times)
    assert times[0] < times[-1]


def test_it_grows_with_the_logarithm_of_the_accuracy_of_a_chaotic_forecast():
    x0 = make_lorenz63(4, n_timepoints=2, t_span=(0, 0.01), random_state=0)[0][:, :, 0]
    starts = np.concatenate([x0, x0 + 1e-2, x0 + 1e-4])
    X, t = make_lorenz63(x0=starts, t_span=(0.0, 14.0), n_timepoints=350)
    truth, *guesses = np.split(X, 3)
    times = [valid_prediction_time(truth, guess, t) for guess in guesses]
    # A hundred times the accuracy buys ln(100) / 0.906 = 5.1 units of time.
    assert times[1] - times[0] == pytest.approx(5.1, abs=1.5)


def test_each_case_has_its_own_times():
    truth, guess = np.concatenate([TRUTH, TRUTH]), np.concatenate([TRUTH, TRUTH])
    guess[1, :, 5:] = np.nan
    times = valid_prediction_time(truth, guess, np.stack([T, 10 * T]), cases="raw_values")
    np.testing.assert_allclose(times, [2.0, 10 * T[4]])


def test_what_was_not_observed_cannot_be_wrong():
    holes, wild = TRUTH.copy(), TRUTH.copy()
    holes[..., 4] = np.nan
    wild[..., 4] = 1e9
    assert valid_prediction_time(holes, wild, T) == 2.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t": T[::-1]}, "t must be finite and increase strictly"),
        ({"t": T[:-1]}, r"t must have shape \(21,\) or \(1, 21\).*got shape \(20,\)"),
        ({"threshold": 0.0}, "threshold must be a positive number; got 0.0"),
        ({"time_unit": -1}, "time_unit must be a positive number; got -1"),
        ({"cases": "median"}, "cases must be 'mean' or 'raw_values'; got 'median'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        valid_prediction_time(TRUTH, TRUTH, **{"t": T, **arguments})


def test_a_channel_that_stands_still_is_named():
    still = TRUTH.copy()
    still[:, 1] = 4.0
    with pytest.raises(ValueError, match="Channel 1 of y_true stands still"):
        valid_prediction_time(still, still, T)


@pytest.mark.parametrize("observed", [1, 2, 4])
def test_the_error_is_a_mean_over_the_channels_that_were_observed(observed):
    truth = np.tile([[1.0], [-1.0]], (5, 4))
    pred = truth.copy()
    pred[6, 0] += 1.0  # one deviation, in one channel of those observed
    truth[6, observed:] = np.nan
    size = 1 / np.sqrt(observed)
    steps = [valid_prediction_time(truth, pred, threshold=factor * size) for factor in (0.9, 1.1)]
    assert steps == [5.0, 9.0]
