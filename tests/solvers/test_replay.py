"""Plain backpropagation through the recorded steps."""

import pytest
import torch

from skdyn.solvers import solve_ode


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
@pytest.mark.parametrize("solver", ["tsit5", "kvaerno5", "leapfrog", "euler"])
def test_the_replayed_states_are_those_of_the_march(solver, step_control):
    y0 = torch.tensor([[1.0, 0.5], [0.1, -3.0]], dtype=torch.float64, requires_grad=True)
    t = torch.linspace(0, 3, 10, dtype=torch.float64)

    def field(t, y):
        return torch.stack([y[:, 1], -torch.sin(y[:, 0])], dim=1)

    options = {"solver": solver, "step_control": step_control}
    marched = solve_ode(field, y0.detach(), t, **options).ys
    replayed = solve_ode(field, y0, t, adjoint=None, **options).ys
    assert replayed.requires_grad
    assert torch.allclose(replayed, marched, rtol=0, atol=1e-12)
