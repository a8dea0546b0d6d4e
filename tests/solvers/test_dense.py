"""States between steps."""

import math

import pytest
import torch

from skdyn.solvers import solve_ode

Y0 = torch.tensor([[1.0, 0.0]], dtype=torch.float64)


def rotate(t, y):
    return torch.stack([y[:, 1], -y[:, 0]], dim=1)


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
@pytest.mark.parametrize("solver", ["bosh3", "dopri5", "tsit5", "dopri8"])
def test_more_requested_times_take_no_further_steps(solver, step_control):
    few, many = (torch.linspace(0, 6, n, dtype=torch.float64) for n in (2, 500))
    options = {"solver": solver, "step_control": step_control}
    one, other = (solve_ode(rotate, Y0, t, **options) for t in (few, many))
    assert one.stats == other.stats
    assert torch.allclose(one.ys[:, -1], other.ys[:, -1], rtol=0, atol=1e-14)


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
@pytest.mark.parametrize(
    ("solver", "factor", "tols"),
    [
        ("bosh3", 20, [1e-4, 1e-7]),  # of third order: 1e-10 takes it thousands of steps
        ("dopri5", 20, [1e-4, 1e-10]),
        ("tsit5", 20, [1e-4, 1e-10]),
        ("dopri8", 500, [1e-4, 1e-10]),
    ],
)
def test_the_error_between_steps_is_bounded_by_the_tolerance(solver, factor, step_control, tols):
    t = torch.linspace(0, 6, 301, dtype=torch.float64)
    options = {"solver": solver, "step_control": step_control, "max_steps": 20_000}
    for tol in tols:
        ys = solve_ode(rotate, Y0, t, rtol=tol, atol=tol, **options).ys[0]
        assert (ys[:, 0] - torch.cos(t)).abs().max() < factor * tol * math.sqrt(6)


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
def test_the_first_state_is_the_initial_one_exactly(step_control):
    ys = solve_ode(rotate, Y0, [0.1, 0.2, 5.0], step_control=step_control).ys
    assert torch.equal(ys[:, 0], Y0)
