"""Smoothing splines against SciPy's, and against noise."""

import numpy as np
import pytest
from scipy.interpolate import make_interp_spline, make_smoothing_spline

from skdyn.symbolic.differentiation import FiniteDifference, SplineDerivative
from skdyn.symbolic.differentiation._spline import _apart, _SmoothingSplines


def curve(n, noise, seed=0, regular=False):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 6, n) if regular else np.sort(rng.uniform(0, 6, n))
    X = np.stack([np.sin(2 * t), t + np.cos(t)], axis=1)
    truth = np.stack([2 * np.cos(2 * t), 1 - np.sin(t)], axis=1)
    return t, X + noise * rng.standard_normal(X.shape), truth


def rms(error):
    return np.sqrt(np.mean(error**2))


@pytest.mark.parametrize("smoothing", [1e-6, 1e-3, 0.1, 10.0])
def test_a_cubic_with_a_given_penalty_is_that_of_scipy(smoothing):
    t, X, _ = curve(80, 0.1)
    smooth, derivative = SplineDerivative(smoothing, degree=3).differentiate(X, t)
    for i, x in enumerate(X.T):
        spline = make_smoothing_spline(t, x, lam=smoothing)
        np.testing.assert_allclose(smooth[:, i], spline(t), atol=1e-7)
        np.testing.assert_allclose(derivative[:, i], spline(t, 1), atol=1e-7)


@pytest.mark.parametrize("degree", [3, 5])
def test_without_penalty_it_interpolates(degree):
    t, X, _ = curve(40, 0.1)
    smooth, derivative = SplineDerivative(0, degree=degree).differentiate(X, t)
    np.testing.assert_array_equal(smooth, X)
    np.testing.assert_array_equal(derivative, make_interp_spline(t, X, k=degree)(t, 1))


@pytest.mark.parametrize("degree", [3, 5])
def test_a_heavy_penalty_leaves_the_polynomial_of_least_squares(degree):
    t, X, _ = curve(40, 0.1, regular=True)
    smooth = SplineDerivative(1e4, degree=degree).differentiate(X[:, :1], t).smooth
    polynomial = np.polynomial.Polynomial.fit(t, X[:, 0], (degree - 1) // 2)
    np.testing.assert_allclose(smooth[:, 0], polynomial(t), atol=1e-3)


def test_a_penalty_that_drowns_the_data_is_refused():
    t, X, _ = curve(40, 0.1)
    with pytest.raises(ValueError, match="smoothing is too large for the closest points"):
        SplineDerivative(1e12).differentiate(X, t)


@pytest.mark.parametrize(("degree", "order"), [(3, 3), (5, 5)])
def test_interpolants_converge_with_their_degree(degree, order):
    errors = []
    for n in (101, 201):
        t, X, truth = curve(n, 0.0, regular=True)
        errors.append(abs(SplineDerivative(0, degree=degree).differentiate(X, t)[1] - truth).max())
    assert errors[0] / errors[1] > 0.85 * 2**order


@pytest.mark.parametrize("degree", [3, 5])
def test_the_determinant_tells_the_degrees_of_freedom(degree):
    t, X, _ = curve(30, 0.1)
    t = (t - t[0]) * 29 / (t[-1] - t[0])
    splines = _SmoothingSplines(t, X, _apart(t), degree)
    penalties = np.array([0.01, 1.0, 100.0])
    for penalty, found in zip(penalties, splines._scores(penalties, "gcv"), strict=True):
        hat = _SmoothingSplines(t, np.eye(30), _apart(t), degree).at(np.full(30, penalty))[0]
        residual = X - hat @ X
        expected = np.log((residual**2).sum(axis=0)) - 2 * np.log(30 - np.trace(hat))
        np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("degree", [3, 5])
def test_the_marginal_likelihood_is_that_of_the_gaussian_process(degree):
    t, X, _ = curve(12, 0.1)
    t = (t - t[0]) * 11 / (t[-1] - t[0])
    order = (degree + 1) // 2
    splines = _SmoothingSplines(t, X, t, degree)
    # The covariance of an m-fold integrated Wiener process, by quadrature of its kernel.
    nodes, weights = np.polynomial.legendre.leggauss(order)
    fine = (t[:-1, None] + np.diff(t)[:, None] * (nodes + 1) / 2).ravel()
    green = np.maximum(t[:, None] - fine, 0) ** (order - 1) / np.prod(range(1, order))
    kernel = green * (np.diff(t)[:, None] * weights / 2).ravel() @ green.T
    basis = t[:, None] ** np.arange(order)

    def minus_twice_likelihood(penalty):
        covariance = kernel / penalty + np.eye(12)
        inverse = np.linalg.inv(covariance)
        information = basis.T @ inverse @ basis
        projected = inverse - inverse @ basis @ np.linalg.solve(information, basis.T @ inverse)
        quadratic = np.einsum("if,ij,jf->f", X, projected, X)
        determinants = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(information)[1]
        return (12 - order) * np.log(quadratic) + determinants

    found = splines._scores(np.array([0.1, 10.0]), "reml")
    expected = [minus_twice_likelihood(penalty) for penalty in (0.1, 10.0)]
    np.testing.assert_allclose(found[1] - found[0], expected[1] - expected[0], rtol=1e-5)


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_cross_validation_finds_the_penalty_that_scipy_finds(noise):
    t, X, _ = curve(80, noise, seed=1)
    unit = (t[-1] - t[0]) / 79
    # SciPy looks no further than a penalty of n: enough for the first curve, in steps.
    peer = make_smoothing_spline(t / unit, X[:, 0])(t / unit, 1) / unit
    ours = SplineDerivative("gcv", degree=3).differentiate(X, t).derivative
    np.testing.assert_allclose(ours[:, 0], peer, atol=0.01)


@pytest.mark.parametrize("smoothing", ["reml", "gcv"])
@pytest.mark.parametrize("degree", [3, 5])
def test_clean_data_are_hardly_touched(smoothing, degree):
    t, X, truth = curve(200, 0.0, regular=True)
    smooth, derivative = SplineDerivative(smoothing, degree=degree).differentiate(X, t)
    np.testing.assert_allclose(smooth, X, atol=1e-7)
    # Natural splines are of lower order at their ends.
    np.testing.assert_allclose(derivative[20:-20], truth[20:-20], atol=1e-4)


def test_marginal_likelihood_never_takes_noise_for_signal():
    errors = {"reml": [], "gcv": []}
    for seed in range(40):
        t, X, truth = curve(40, 0.1, seed)
        for smoothing, found in errors.items():
            found.append(rms(SplineDerivative(smoothing).differentiate(X, t).derivative - truth))
    assert max(errors["reml"]) < 0.7 < 1.0 < max(errors["gcv"])
    assert np.median(errors["reml"]) < 1.1 * np.median(errors["gcv"])


def test_many_points_are_smoothed_with_few_knots():
    t, X, truth = curve(10_000, 0.2)
    derivative = SplineDerivative().differentiate(X, t).derivative
    assert rms(derivative - truth) < 0.08
    assert rms(FiniteDifference().differentiate(X, t).derivative - truth) > 100


def test_points_that_all_but_coincide_do_no_harm():
    rng = np.random.default_rng(0)
    t = np.sort(np.concatenate([np.linspace(0, 6, 100), rng.uniform(2, 2.00001, 50)]))
    X = (np.sin(t) + 0.01 * rng.standard_normal(150))[:, None]
    for smoothing in ("reml", "gcv"):
        derivative = SplineDerivative(smoothing).differentiate(X, t).derivative
        assert rms(derivative[:, 0] - np.cos(t)) < 0.05


def test_other_degrees_are_refused():
    with pytest.raises(ValueError, match="degree must be 3 or 5, not 4"):
        SplineDerivative(degree=4).differentiate(np.zeros((9, 1)), np.arange(9))
