"""Velocities, and the steps taken with them."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from skdyn import AutoregressiveOperator

rng = np.random.default_rng(0)


def spiral(n_cases=30, n_times=12, dt=0.3):
    """Linear systems of two states, exactly: trajectories ``(n_cases, 2, n_times)``."""
    angle = dt * np.arange(n_times)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.einsum("ijt,nj->nit", turn * np.exp(-0.1 * angle), rng.normal(size=(n_cases, 2)))


@pytest.mark.parametrize(
    ("integrator", "worst"), [("euler", 1e-9), ("midpoint", 0.05), ("rk4", 1e-3)]
)
def test_runge_kutta_steps_follow_the_learnt_velocity(integrator, worst):
    X = spiral(n_times=24, dt=0.15)
    model = AutoregressiveOperator(LinearRegression(), target="change", integrator=integrator)
    rolled = model.fit(X).rollout(X[:, :, 0], 23)
    error = abs(rolled - X[:, :, 1:]).max()
    assert error < worst
    assert integrator == "euler" or error > 1e-8


def test_the_order_of_a_step_is_that_of_its_method():
    class Velocity(LinearRegression):
        """Knows the field, so that all error is the step's."""

        def predict(self, X):
            """Return the velocity of a rotation, one unit a step of ``h``."""
            return h * X @ np.array([[0.0, 1.0], [-1.0, 0.0]])

    gaps = {}
    for method in ("midpoint", "rk4"):
        for h in (0.2, 0.1):
            model = AutoregressiveOperator(Velocity(), target="change", integrator=method)
            rolled = model.fit(spiral()).rollout(np.array([[1.0, 0.0]]), round(1 / h))
            gaps[method, h] = np.linalg.norm(rolled[0, :, -1] - [np.cos(1), np.sin(1)])
    assert np.log2(gaps["midpoint", 0.2] / gaps["midpoint", 0.1]) == pytest.approx(2, abs=0.2)
    assert np.log2(gaps["rk4", 0.2] / gaps["rk4", 0.1]) == pytest.approx(4, abs=0.2)
