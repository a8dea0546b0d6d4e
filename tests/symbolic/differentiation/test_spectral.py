"""Derivatives of Fourier and cosine series."""

import numpy as np
import pytest

from skdyn.symbolic.differentiation import FiniteDifference, SpectralDerivative


def bumpy(t):
    return np.exp(np.sin(2 * t))[:, None], (2 * np.cos(2 * t) * np.exp(np.sin(2 * t)))[:, None]


@pytest.mark.parametrize("n", [29, 30])
def test_a_periodic_curve_is_differentiated_to_rounding(n):
    t = np.arange(n) * np.pi / n
    X, truth = bumpy(t)
    smooth, derivative = SpectralDerivative(periodic=True).differentiate(X, t)
    np.testing.assert_allclose(smooth, X, atol=1e-13)
    np.testing.assert_allclose(derivative, truth, atol=1e-10)


def test_the_highest_cosine_has_no_slope_at_the_points():
    t = np.arange(8.0)
    X = np.cos(np.pi * t)[:, None]
    derivative = SpectralDerivative(periodic=True).differentiate(X, t).derivative
    np.testing.assert_allclose(derivative, 0, atol=1e-12)


def test_a_cubic_is_differentiated_exactly_without_periods():
    t = np.linspace(-1, 2, 20)
    X = np.stack([t**3 - t, 5 - t**2], axis=1)
    derivative = SpectralDerivative().differentiate(X, t).derivative
    np.testing.assert_allclose(derivative, np.stack([3 * t**2 - 1, -2 * t], axis=1), atol=1e-10)


def test_without_periods_the_error_falls_like_the_square_of_the_step():
    errors = []
    for n in (101, 201):
        t = np.linspace(0, 3, n)
        X, truth = bumpy(t)
        errors.append(abs(SpectralDerivative().differentiate(X, t).derivative - truth).max())
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)


def test_low_frequencies_pass_the_cutoff_and_high_ones_do_not():
    t = np.arange(100) * 2 * np.pi / 100
    slow, fast = np.sin(3 * t)[:, None], 0.1 * np.sin(40 * t)[:, None]
    method = SpectralDerivative(periodic=True, cutoff=0.2)
    smooth, derivative = method.differentiate(slow + fast, t)
    np.testing.assert_allclose(smooth, slow, atol=1e-12)
    np.testing.assert_allclose(derivative[:, 0], 3 * np.cos(3 * t), atol=1e-11)


def test_a_cutoff_tames_noise_without_periods():
    t = np.linspace(0, 3, 300)
    X, truth = bumpy(t)
    X = X + 0.01 * np.random.default_rng(0).standard_normal(X.shape)
    inside = slice(30, -30)
    errors = [
        np.median(abs(method.differentiate(X, t).derivative - truth)[inside])
        for method in (SpectralDerivative(cutoff=0.12), FiniteDifference())
    ]
    assert errors[0] < 0.5 * errors[1]


@pytest.mark.parametrize("periodic", [True, False])
def test_irregular_times_are_refused_with_a_way_out(periodic):
    t = np.linspace(0, 1, 20) ** 2
    with pytest.raises(ValueError, match=r"common step.*SplineDerivative"):
        SpectralDerivative(periodic=periodic).differentiate(np.zeros((20, 1)), t)


@pytest.mark.peer
def test_it_equals_pysindy_on_odd_periods():
    pysindy = pytest.importorskip("pysindy")
    t = np.arange(51) / 51
    X = np.random.default_rng(0).standard_normal((51, 2))
    expected = pysindy.SpectralDerivative()._differentiate(X, t)
    derivative = SpectralDerivative(periodic=True).differentiate(X, t).derivative
    np.testing.assert_allclose(derivative, expected, rtol=1e-10, atol=1e-9)
