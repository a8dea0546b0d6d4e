"""Finite differences against their order, polynomials and peers."""

import numpy as np
import pytest
from sklearn.preprocessing import PolynomialFeatures

from skdyn.symbolic.differentiation import FiniteDifference


def jittered(n, seed=0):
    t = np.linspace(0, 2, n)
    t[1:-1] += np.random.default_rng(seed).uniform(-0.3, 0.3, n - 2) * t[1]
    return t


def largest_error(order, n):
    t = np.linspace(0, 1, n)
    derivative = FiniteDifference(order).differentiate(np.exp(np.sin(3 * t))[:, None], t).derivative
    truth = 3 * np.cos(3 * t) * np.exp(np.sin(3 * t))
    inside = slice(order, n - order)
    return abs(derivative[:, 0] - truth)[inside].max()


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5, 6])
def test_halving_the_step_divides_the_error_by_two_to_the_order(order):
    ratio = largest_error(order, 101) / largest_error(order, 201)
    assert ratio == pytest.approx(2**order, rel=0.15)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 7])
def test_polynomials_up_to_the_order_are_differentiated_exactly_on_irregular_times(order):
    t = jittered(25)
    polynomial = np.polynomial.Polynomial(np.arange(1.0, order + 2))
    derivative = FiniteDifference(order).differentiate(polynomial(t)[:, None], t).derivative
    np.testing.assert_allclose(derivative[:, 0], polynomial.deriv()(t), rtol=1e-9)


@pytest.mark.parametrize("order", [2, 5])
def test_it_is_linear(order):
    t = jittered(30)
    x, y = np.random.default_rng(1).standard_normal((2, 30, 3))
    parts = [FiniteDifference(order).differentiate(z, t).derivative for z in (x, y, 2 * x - 3 * y)]
    np.testing.assert_allclose(parts[2], 2 * parts[0] - 3 * parts[1], atol=1e-10)


@pytest.mark.parametrize("t", [np.linspace(0, 2, 40), jittered(40)], ids=["regular", "irregular"])
def test_second_order_is_that_of_numpy(t):
    X = np.random.default_rng(0).standard_normal((40, 2))
    derivative = FiniteDifference().differentiate(X, t).derivative
    np.testing.assert_allclose(derivative, np.gradient(X, t, axis=0, edge_order=2), rtol=1e-9)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_dropped_endpoints_have_no_derivative_and_no_row(order):
    t = jittered(20)
    X = np.random.default_rng(0).standard_normal((20, 2))
    whole = FiniteDifference(order).differentiate(X, t).derivative
    part = FiniteDifference(order, drop_endpoints=True).differentiate(X, t).derivative
    known = np.isfinite(part).all(axis=1)
    assert known.sum() == 20 - order
    np.testing.assert_array_equal(part[known], whole[known])
    A, B = FiniteDifference(order, drop_endpoints=True).system(PolynomialFeatures(2).fit(X), X, t)
    np.testing.assert_array_equal(B, whole[known])
    np.testing.assert_array_equal(A[:, 1:3], X[known])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_a_closed_orbit_has_no_ends(order):
    t = np.arange(40) * 2 * np.pi / 40
    X = np.stack([np.sin(t), np.cos(2 * t)], axis=1)
    periodic = FiniteDifference(order, periodic=True)
    turned = periodic.differentiate(np.roll(X, 7, axis=0), t).derivative
    expected = np.roll(periodic.differentiate(X, t).derivative, 7, axis=0)
    np.testing.assert_allclose(turned, expected, atol=1e-12)


def test_regular_times_are_recognised_through_rounding():
    X = np.random.default_rng(0).standard_normal((500, 1))
    t = 1000 + np.arange(500) * 0.1
    regular = FiniteDifference(4).differentiate(X, t).derivative
    exact = FiniteDifference(4).differentiate(X, np.arange(500) * 0.1).derivative
    np.testing.assert_allclose(regular, exact, rtol=1e-7, atol=1e-7)


@pytest.mark.peer
@pytest.mark.parametrize("order", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("regular", [True, False])
def test_it_equals_pysindy_with_the_ends(order, regular):
    pysindy = pytest.importorskip("pysindy")
    t = np.linspace(0, 2, 60) if regular else jittered(60)
    X = np.random.default_rng(0).standard_normal((60, 3))
    peer = pysindy.FiniteDifference(order=order, is_uniform=regular)
    derivative = FiniteDifference(order).differentiate(X, t).derivative
    np.testing.assert_allclose(derivative, peer._differentiate(X, t), rtol=1e-10, atol=1e-10)


@pytest.mark.peer
@pytest.mark.parametrize("order", [2, 4])
def test_it_equals_pysindy_on_a_closed_orbit(order):
    pysindy = pytest.importorskip("pysindy")
    t = np.arange(60) / 60
    X = np.random.default_rng(0).standard_normal((60, 3))
    peer = pysindy.FiniteDifference(order=order, periodic=True)
    derivative = FiniteDifference(order, periodic=True).differentiate(X, t).derivative
    np.testing.assert_allclose(derivative, peer._differentiate(X, t), rtol=1e-10, atol=1e-10)
