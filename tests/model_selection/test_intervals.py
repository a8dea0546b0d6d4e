from functools import cache

import numpy as np
import pytest

from skdyn import HopfieldForecaster, NeuralODE, SINDyRegressor
from skdyn.exceptions import SolverError
from skdyn.model_selection._intervals import ForecastIntervals, calibrate_intervals
from skdyn.symbolic import EquationSystem

OSCILLATOR = EquationSystem(["y", "-x - 0.1*y"], ["x", "y"])
T = np.linspace(0, 6, 61)
NOISE = np.array([0.02, 0.2])  # of x and of y


@cache
def _records(n_cases, seed):
    rng = np.random.default_rng(seed)
    clean = OSCILLATOR.simulate(rng.uniform(-2, 2, size=(n_cases, 2)), T)
    return clean + NOISE[:, None] * rng.normal(size=clean.shape)


def _covered(known, X, coverage, horizon):
    """Share of measurements in their intervals, by states, from one origin a case."""
    inside = []
    for number, case in enumerate(X):
        start = 7 * number % (len(T) - horizon)
        part = case.T[start : start + horizon + 1]
        low, high = known.predict_interval(part[0], T[: horizon + 1], coverage=coverage)
        inside.append((low <= part) & (part <= high))
    return np.mean(np.stack(inside)[:, 1:], axis=(0, 1))


class Still:
    """Says that nothing changes."""

    def simulate(self, x0, t, u=None):
        return np.repeat(np.asarray(x0)[None], len(t), axis=0)


class Lost(Still):
    """Cannot follow what starts below zero."""

    def simulate(self, x0, t, u=None):
        if x0[0] < 0:
            raise SolverError("lost")
        return super().simulate(x0, t)


@pytest.mark.parametrize("model", [OSCILLATOR, Still()], ids=["right", "wrong"])
@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_intervals_cover_what_they_promise_whatever_the_model(model, coverage):
    known = calibrate_intervals(model, _records(300, 1), t=T, horizon=6, max_origins=301)
    covered = _covered(known, _records(300, 2), coverage, 6)
    np.testing.assert_allclose(covered, coverage, atol=0.06)


def test_a_fitted_model_is_calibrated_in_its_own_units():
    model = SINDyRegressor().fit(_records(20, 0), t=T)
    known = calibrate_intervals(model, list(_records(300, 1)), t=T, horizon=5)
    np.testing.assert_allclose(_covered(known, _records(300, 2)[:150], 0.9, 5), 0.9, atol=0.06)
    assert known.errors.shape == (200, 5, 2)
    np.testing.assert_allclose(known.leads, T[1:6])


def test_neural_odes_are_calibrated_and_refuse_to_be_without_times():
    t = np.linspace(0, 2, 21)
    X = np.exp(-t) * np.array([1.0, -1.0, 2.0])[:, None, None]
    model = NeuralODE((), max_iter=5, tol=1e-3, random_state=0).fit(X[:2], t=t)
    known = calibrate_intervals(model, X[2:], t=t, horizon=3)
    low, high = known.predict_interval([[1.5], [1.0]], t[:4], coverage=0.8)
    assert low.shape == high.shape == (2, 1, 4)
    assert (high - low).max() < 0.1
    with pytest.raises(ValueError, match="t is missing"):
        calibrate_intervals(model, X[2:], horizon=3)


def test_controls_are_cut_with_the_states():
    driven = EquationSystem(["w"], ["x"], ["w"])
    push = np.repeat([1.0, -2.0], 10)[:, None]
    t = np.arange(20.0)
    X = driven.simulate([0.0], t, push)
    known = calibrate_intervals(driven, X, t=t, u=push, horizon=2)
    assert known.radius(0.5).max() < 1e-6


def test_the_radius_is_the_conformal_quantile_of_what_was_measured():
    errors = np.arange(1.0, 10.0)[:, None, None] * [[[1.0, 1.0]]]
    errors[8, 0, 1] = np.nan
    known = ForecastIntervals(Still(), np.array([1.0]), errors)
    np.testing.assert_array_equal(known.radius(0.8), [[8.0, 8.0]])
    with pytest.raises(ValueError, match="at least 9 held-out origins; there are 8"):
        known.radius(0.9)


def test_missing_values_start_no_forecast_and_count_as_nothing():
    X = np.zeros((30, 1))
    X[10] = np.nan
    known = calibrate_intervals(Still(), X, horizon=2)
    assert len(known.errors) == 27
    assert np.isnan(known.errors).sum() == 2


def test_solutions_that_cannot_be_followed_make_intervals_infinite_with_a_warning():
    X = np.tile([[1.0], [-1.0]], (10, 1))
    known = calibrate_intervals(Lost(), X, horizon=1)
    with pytest.warns(UserWarning, match="could not be followed"):
        low, _ = known.predict_interval([1.0], [0.0, 1.0])
    np.testing.assert_array_equal(low, [[1.0], [-np.inf]])


def test_beyond_the_horizon_nothing_is_promised():
    known = calibrate_intervals(Still(), np.zeros((30, 1)), horizon=4)
    with pytest.raises(ValueError, match=r"t reaches 5 beyond its start.*up to 4"):
        known.predict_interval([0.0], np.arange(6.0))
    with pytest.raises(ValueError, match="coverage must lie between 0 and 1"):
        known.radius(1.0)


def test_what_cannot_be_calibrated_says_why():
    with pytest.raises(ValueError, match=r"horizon=5 leaves no origin.*has 5"):
        calibrate_intervals(Still(), np.zeros((5, 1)), horizon=5)
    with pytest.raises(TypeError, match="HopfieldForecaster has no method simulate"):
        calibrate_intervals(HopfieldForecaster(), np.zeros((50, 1)))
    with pytest.raises(ValueError, match="channel of X"):
        calibrate_intervals(NeuralODE(time_channel=0), np.zeros((50, 1)))
