"""Exponential time differencing: order, exactness, steps."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from skdyn.datasets._etdrk4 import coefficients, march, take_step
from skdyn.exceptions import DivergenceError, MaxStepsError

LINEAR = np.array([0.0, -1.0, -80.0])


def nonlinear(v):
    return np.stack([np.cos(v[..., 1]), v[..., 0] * v[..., 2], 80 * np.sin(v[..., 0])], axis=-1)


def solve(n_steps, v):
    prepared = coefficients(LINEAR, 1.0 / n_steps)
    for _ in range(n_steps):
        v = take_step(v, nonlinear, prepared)
    return v


def test_the_order_is_four():
    start = np.array([0.5, 1.0, -1.0])
    oracle = solve_ivp(
        lambda t, v: LINEAR * v + nonlinear(v), (0, 1), start, "DOP853", rtol=1e-11, atol=1e-12
    ).y[:, -1]
    errors = [np.abs(solve(n, start) - oracle).max() for n in (80, 160)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.4)


def test_the_linear_part_alone_is_exact():
    v = take_step(np.ones(3), np.zeros_like, coefficients(LINEAR, 0.7))
    np.testing.assert_allclose(v, np.exp(0.7 * LINEAR), rtol=1e-14)


@pytest.mark.parametrize("linear", [-1e-9, 1e-4, -3.0])
def test_a_constant_force_is_exact_even_where_the_coefficients_cancel(linear):
    prepared = coefficients(np.array([linear]), 0.5)
    v = take_step(np.zeros(1), lambda v: np.ones(1), prepared)
    np.testing.assert_allclose(v, np.expm1(0.5 * linear) / linear, rtol=1e-12)


def test_the_march_ends_on_each_time_whatever_the_steps():
    times = [0.3, 1.0]
    found = march(np.array([1.0]), np.zeros(1), lambda v: -(v**2), lambda v: 90 * v[0] ** 3, times)
    np.testing.assert_allclose(np.ravel(found), 1 / (1 + np.array(times)), rtol=1e-7)


def test_a_solution_that_blows_up_is_told():
    with pytest.raises((DivergenceError, MaxStepsError), match=r"t=1\.|t=0\.9"):
        march(np.ones(1), np.zeros(1), lambda v: v**2, lambda v: 2 * v[0], [2.0])


def test_a_solution_of_no_numbers_is_told():
    with pytest.raises(DivergenceError, match="left the finite numbers at t=0"):
        march(np.full(1, np.nan), np.zeros(1), lambda v: v, lambda v: v[0], [1.0])
