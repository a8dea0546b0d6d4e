"""The integral form: increments equal integrals."""

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures

from skdyn.symbolic.differentiation import FiniteDifference, IntegralForm, SplineDerivative

LIBRARY = PolynomialFeatures(1, include_bias=False).fit(np.zeros((1, 2)))
ROTATION = np.array([[-0.1, 2.0], [-2.0, -0.1]])


def spiral(n=200, noise=0.0, seed=0, regular=False):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 10, n) if regular else np.sort(rng.uniform(0, 10, n))
    X = np.exp(-0.1 * t)[:, None] * np.stack([np.sin(2 * t), np.cos(2 * t)], axis=1)
    return X + noise * rng.standard_normal(X.shape), t


def error(method, X, t):
    A, B = method.system(LIBRARY, X, t)
    return np.linalg.norm(np.linalg.lstsq(A, B, rcond=None)[0].T - ROTATION)


@pytest.mark.parametrize("width", ["auto", 0.7, None])
def test_polynomials_up_to_the_third_degree_satisfy_it_on_irregular_times(width):
    t = np.sort(np.random.default_rng(0).uniform(0, 3, 80))
    X = np.stack([t**4, t**3], axis=1)
    slopes = FunctionTransformer(lambda X: np.stack([4 * t**3, 3 * t**2], axis=1))
    A, B = IntegralForm(width).system(slopes, X, t)
    np.testing.assert_allclose(A, B, rtol=1e-8, atol=1e-8)


def test_a_window_begins_at_each_point_and_ends_at_the_next_after_its_width():
    t = np.arange(10.0)
    X = t[:, None] ** 2
    A, B = IntegralForm(3.0).system(FunctionTransformer(), X, t)
    start = np.arange(7)
    np.testing.assert_allclose(B[:, 0], 2 * start + 3)
    np.testing.assert_allclose(A[:, 0], ((start + 3.0) ** 3 - start**3) / 9)


def test_without_windows_the_residual_is_the_noise():
    X, t = spiral(noise=0.03)
    A, B = IntegralForm(None).system(LIBRARY, X, t)
    assert len(A) == len(t)
    residual = B - A @ np.linalg.lstsq(A, B, rcond=None)[0]
    assert residual.std() == pytest.approx(0.03, rel=0.2)


@pytest.mark.parametrize("width", ["auto", None])
@pytest.mark.parametrize("regular", [True, False])
def test_it_recovers_a_spiral_and_bears_noise_better_than_differences(width, regular):
    X, t = spiral(regular=regular)
    assert error(IntegralForm(width), X, t) < 2e-3
    errors = {method: [] for method in (IntegralForm(width), FiniteDifference())}
    for seed in range(8):
        X, t = spiral(noise=0.05, seed=seed, regular=regular)
        for method, found in errors.items():
            found.append(error(method, X, t))
    integral, differences = (np.median(found) for found in errors.values())
    assert integral < 0.7 * differences


def test_the_error_falls_with_the_fourth_power_of_the_step():
    errors = [error(IntegralForm(1.0), *spiral(n, regular=True)) for n in (101, 201)]
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.3)


def test_derivatives_at_points_are_those_of_the_spline():
    X, t = spiral(60, 0.05)
    expected = SplineDerivative().differentiate(X, t).derivative
    np.testing.assert_array_equal(IntegralForm().differentiate(X, t).derivative, expected)


def test_a_width_beyond_the_trajectory_is_refused():
    X, t = spiral(60)
    with pytest.raises(ValueError, match="width=20 must lie between 1 mean steps"):
        IntegralForm(20).system(LIBRARY, X, t)
