"""Steps of explicit methods, and convergence of every solver."""

import math

import pytest
import torch

from skdyn.solvers import solve_ode

ORDERS = {
    "euler": 1,
    "midpoint": 2,
    "heun": 2,
    "rk4": 4,
    "bosh3": 3,
    "dopri5": 5,
    "tsit5": 5,
    "dopri8": 8,
    "kvaerno5": 5,
    "leapfrog": 2,
}


def pendulum(t, y):
    """A driven pendulum: separable, non-linear, depends on time."""
    q, p = y[:, :1], y[:, 1:]
    return torch.cat([p, -torch.sin(q) + 0.3 * torch.cos(t)], dim=1)


def end_state(solver, n_steps, **options):
    y0 = torch.tensor([[1.0, 0.3]], dtype=torch.float64)
    t = torch.tensor([0.0, 2.0], dtype=torch.float64)
    tight = {"rtol": 1e-13, "atol": 1e-14}
    return solve_ode(pendulum, y0, t, solver=solver, step_size=2 / n_steps, **tight).ys[:, -1]


@pytest.mark.parametrize("solver", ORDERS)
def test_halving_the_step_divides_the_error_by_two_to_the_order(solver):
    exact = end_state("dopri8", 200)
    coarse = 4 if ORDERS[solver] > 6 else 16
    errors = [float((end_state(solver, n) - exact).norm()) for n in (coarse, 2 * coarse)]
    slope = math.log2(errors[0] / errors[1])
    assert slope == pytest.approx(ORDERS[solver], abs=0.45)
