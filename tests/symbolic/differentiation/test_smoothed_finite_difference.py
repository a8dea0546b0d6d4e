"""Local polynomials, then differences."""

import numpy as np
import pytest
from scipy.signal import savgol_filter

from skdyn.symbolic.differentiation import FiniteDifference, SmoothedFiniteDifference
from skdyn.symbolic.differentiation._smoothed_finite_difference import _fit_locally


@pytest.mark.parametrize(("width", "degree"), [(11, 3), (7, 2), (5, 0), (9, 8)])
def test_fits_at_the_true_times_are_the_filter_where_times_are_regular(width, degree):
    t = np.linspace(0, 3, 40)
    X = np.random.default_rng(0).standard_normal((40, 2))
    expected = savgol_filter(X, width, degree, axis=0)
    np.testing.assert_allclose(_fit_locally(X, t, width, degree), expected, atol=1e-9)


@pytest.mark.parametrize("window_length", [8, 11])
@pytest.mark.parametrize("regular", [True, False])
def test_polynomials_up_to_the_degree_pass_unchanged(window_length, regular):
    t = np.linspace(0, 2, 30) if regular else np.sort(np.random.default_rng(0).uniform(0, 2, 30))
    X = np.stack([t**3 - t, 1 + t**2], axis=1)
    method = SmoothedFiniteDifference(window_length, polyorder=3, order=3)
    smooth, derivative = method.differentiate(X, t)
    np.testing.assert_allclose(smooth, X, atol=1e-9)
    np.testing.assert_allclose(derivative, np.stack([3 * t**2 - 1, 2 * t], axis=1), atol=1e-6)


def test_a_parabola_is_slightly_flattened_by_lines():
    t = np.linspace(-1, 1, 21)
    smooth = SmoothedFiniteDifference(5, 1).differentiate(t[:, None] ** 2, t).smooth
    # The mean of the squares 0, 1, 1, 4, 4 of steps, at the center of each window.
    np.testing.assert_allclose(smooth[2:-2, 0] - t[2:-2] ** 2, 2 * 0.1**2)


def test_a_polynomial_through_all_points_of_its_window_smooths_nothing():
    t = np.linspace(0, 2, 30)
    X = np.random.default_rng(0).standard_normal((30, 2))
    derivative = SmoothedFiniteDifference(5, 4, order=4).differentiate(X, t).derivative
    expected = FiniteDifference(4).differentiate(X, t).derivative
    np.testing.assert_allclose(derivative, expected, atol=1e-9)


@pytest.mark.parametrize("regular", [True, False])
def test_noise_does_less_harm_than_to_plain_differences(regular):
    rng = np.random.default_rng(0)
    t = np.linspace(0, 6, 300) if regular else np.sort(rng.uniform(0, 6, 300))
    X = (np.sin(t) + 0.02 * rng.standard_normal(300))[:, None]
    errors = [
        np.median(abs(method.differentiate(X, t).derivative[:, 0] - np.cos(t)))
        for method in (SmoothedFiniteDifference(31), FiniteDifference())
    ]
    assert errors[0] < 0.2 * errors[1]


def test_a_degree_that_the_window_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="polyorder=5 must be below window_length=5"):
        SmoothedFiniteDifference(5, 5).differentiate(np.zeros((9, 1)), np.arange(9))


@pytest.mark.peer
def test_it_equals_pysindy_on_regular_times():
    pysindy = pytest.importorskip("pysindy")
    t = np.linspace(0, 2, 60)
    X = np.random.default_rng(0).standard_normal((60, 3))
    options = {"window_length": 9, "polyorder": 2}
    peer = pysindy.SmoothedFiniteDifference(smoother_kws=dict(options), is_uniform=True)
    derivative = SmoothedFiniteDifference(**options).differentiate(X, t).derivative
    np.testing.assert_allclose(derivative, peer._differentiate(X, t), rtol=1e-10, atol=1e-10)
