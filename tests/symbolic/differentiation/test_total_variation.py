"""Total variation: optimal, faithful to the data, and good at corners."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skdyn.symbolic.differentiation import FiniteDifference, SplineDerivative, TotalVariation
from skdyn.symbolic.differentiation._total_variation import _noise, _SlopeChange


def corner(n=201, noise=0.02, seed=0, regular=False):
    rng = np.random.default_rng(seed)
    t = np.linspace(-1, 1, n) if regular else np.sort(rng.uniform(-1, 1, n))
    return t, (np.abs(t) + noise * rng.standard_normal(n))[:, None]


def rms(error):
    return np.sqrt(np.mean(error**2))


@pytest.mark.parametrize("regular", [True, False])
@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_a_corner_is_found_better_than_by_splines_and_differences(regular, noise):
    t, X = corner(noise=noise, regular=regular)
    errors = [
        rms(method.differentiate(X, t).derivative[:, 0] - np.sign(t))
        for method in (TotalVariation(), SplineDerivative(), FiniteDifference())
    ]
    assert errors[0] < errors[1] < errors[2]


@pytest.mark.parametrize("regular", [True, False])
def test_the_derivative_integrates_to_the_data_within_their_noise(regular):
    t, X = corner(regular=regular)
    smooth, derivative = TotalVariation().differentiate(X, t)
    assert rms(smooth - X) == pytest.approx(0.02, rel=0.2)
    trapezoids = np.diff(t) * (derivative[1:, 0] + derivative[:-1, 0]) / 2
    missed = np.concatenate([[0.0], np.cumsum(trapezoids)]) - X[:, 0]
    assert missed.std() == pytest.approx(0.02, rel=0.2)


@pytest.mark.parametrize("alpha", [1e-4, 1e-3])
def test_the_duality_gap_closes(alpha):
    t, X = corner(100)
    x, n = X[:, 0], 100
    curve = TotalVariation(alpha, tol=1e-5).differentiate(X, t).smooth[:, 0]
    change = _SlopeChange((t - t[0]) * (n - 1) / (t[-1] - t[0]))
    weight = alpha * n * (n - 1) * x.std()
    primal = 0.5 * ((curve - x) ** 2).sum() + weight * np.abs(change.of(curve)).sum()
    tension = change.solve(np.zeros(n - 2), change.of(x - curve))
    tension *= min(1, weight / np.abs(tension).max())
    dual = tension @ change.of(x) - 0.5 * (change.transposed(tension) ** 2).sum()
    assert 0 <= primal - dual < 1e-3 * primal


def test_the_weight_runs_from_the_data_to_a_line():
    t, X = corner(60)
    untouched = TotalVariation(0.0).differentiate(X, t)
    np.testing.assert_array_equal(untouched.smooth, X)
    flat = TotalVariation(1e3).differentiate(X, t).smooth[:, 0]
    np.testing.assert_allclose(flat, np.polynomial.Polynomial.fit(t, X[:, 0], 1)(t), atol=1e-4)


def test_exact_data_are_untouched():
    t, X = corner(noise=0)
    smooth, derivative = TotalVariation().differentiate(X, t)
    np.testing.assert_allclose(smooth, X, atol=1e-9)
    np.testing.assert_allclose(np.median(abs(derivative[:, 0] - np.sign(t))), 0, atol=1e-9)


def test_the_slope_changes_are_those_of_a_matrix():
    t = np.sort(np.random.default_rng(0).uniform(0, 5, 8))
    change = _SlopeChange(t)
    matrix = np.stack([change.of(row) for row in np.eye(8)], axis=1)
    x, y = np.random.default_rng(1).standard_normal((2, 8))
    np.testing.assert_allclose(matrix @ x, np.diff(np.diff(x) / np.diff(t)))
    np.testing.assert_allclose(change.transposed(y[:6]), matrix.T @ y[:6])
    expected = np.linalg.solve(matrix @ matrix.T + np.diag(x[:6] ** 2), y[:6])
    np.testing.assert_allclose(change.solve(x[:6] ** 2, y[:6]), expected)


@pytest.mark.parametrize("regular", [True, False])
def test_the_noise_is_read_from_the_data(regular):
    rng = np.random.default_rng(0)
    t = np.arange(2000.0) if regular else np.sort(rng.uniform(0, 2000, 2000))
    X = np.sin(t / 100)[:, None] + rng.standard_normal((2000, 2)) * [0.1, 1e-3]
    np.testing.assert_allclose(_noise(t, X), [0.1, 1e-3], rtol=0.1)


def test_stopping_short_is_said():
    t, X = corner()
    with pytest.warns(ConvergenceWarning, match="stopped after 3 iterations"):
        TotalVariation(max_iter=3).differentiate(X, t)
