"""Solving a batch of ordinary differential equations."""

import pytest
import torch

from skdyn.solvers import solve_ode, solver_names

torch.set_num_threads(1)


def rotate(t, y):
    """Harmonic oscillator."""
    return torch.stack([y[:, 1], -y[:, 0]], dim=1)


@pytest.mark.parametrize("solver", solver_names())
@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
@pytest.mark.parametrize("per_case", [False, True])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_oscillator_turns_at_the_right_pace(solver, step_control, per_case, sign):
    t = sign * torch.linspace(0, 3, 31, dtype=torch.float64)
    y0 = torch.tensor([[1.0, 0.0], [2.0, 0.0]], dtype=torch.float64)
    if per_case:
        t = torch.stack([t, 1.1 * t])
    ys = solve_ode(rotate, y0, t, solver=solver, step_control=step_control).ys
    exact = y0[:, :1] * torch.cos(t)
    tol = {"euler": 0.5, "midpoint": 2e-2, "heun": 2e-2, "leapfrog": 1e-2, "dopri8": 1e-3}.get(
        solver, 1e-4
    )
    assert torch.allclose(ys[..., 0], exact, atol=tol)
