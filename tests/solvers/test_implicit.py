"""The implicit solver for stiff fields."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from skdyn.solvers import solve_ode

torch.set_num_threads(1)


def robertson(t, y):
    """Robertson's chemical reaction."""
    a, b, c = y.unbind(1)
    slow, fast, middle = 0.04 * a, 3e7 * b**2, 1e4 * b * c
    return torch.stack([-slow + middle, slow - middle - fast, fast], dim=1)


def test_robertson_agrees_with_radau():
    times = np.array([0.0, 0.4, 4.0, 40.0, 400.0])
    y0 = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    options = {"rtol": 1e-6, "atol": 1e-9}
    solution = solve_ode(robertson, y0, times, solver="kvaerno5", **options)

    def slope(t, y):
        return robertson(None, torch.from_numpy(y)[None])[0].numpy()

    exact = solve_ivp(slope, (0, 400), y0[0].numpy(), "Radau", times, rtol=1e-10, atol=1e-13).y.T
    assert np.allclose(solution.ys[0].numpy(), exact, rtol=2e-4, atol=1e-8)
    assert solution.stats.n_accepted < 80


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
def test_a_stiff_relaxation_takes_few_steps(step_control):
    def field(t, y):
        return -1e6 * (y - torch.cos(t)) - torch.sin(t)

    y0 = torch.ones(2, 1, dtype=torch.float64)
    t = torch.linspace(0, 3, 7, dtype=torch.float64)
    solution = solve_ode(field, y0, t, solver="kvaerno5", step_control=step_control)
    assert torch.allclose(solution.ys[0, :, 0], torch.cos(t), atol=1e-4)
    assert solution.stats.n_accepted < 40


def test_stiff_decay_dies_in_one_large_step():
    y0 = torch.ones(1, 1, dtype=torch.float64)
    ys = solve_ode(lambda t, y: -1e8 * y, y0, [0.0, 1.0], solver="kvaerno5", step_size=1.0).ys
    assert abs(float(ys[0, 1, 0])) < 1e-5


def test_gradients_pass_gradcheck():
    weight = torch.tensor([[-2.0, 1.0], [0.5, -30.0]], dtype=torch.float64, requires_grad=True)
    y0 = torch.tensor([[0.4, -0.2], [0.1, 0.3]], dtype=torch.float64, requires_grad=True)
    t = torch.tensor([0.0, 0.3, 0.5], dtype=torch.float64)

    def solve(weight, y0):
        def field(t, y):
            return torch.tanh(y) @ weight.T

        options = {"solver": "kvaerno5", "step_size": 0.1, "rtol": 1e-11, "atol": 1e-12}
        return solve_ode(field, y0, t, **options).ys

    assert torch.autograd.gradcheck(solve, (weight, y0), rtol=1e-4, atol=1e-6, fast_mode=True)
