"""Leapfrog for separable Hamiltonians."""

import pytest
import torch

from skdyn.solvers import solve_ode

Y0 = torch.tensor([[1.5, 0.0]], dtype=torch.float64)


def pendulum(t, y):
    """Pendulum, H = p^2 / 2 - cos q."""
    q, p = y.chunk(2, dim=1)
    return torch.cat([p, -torch.sin(q)], dim=1)


def energy_error(solver, t):
    q, p = solve_ode(pendulum, Y0, t, solver=solver, max_steps=10_000).ys[0].unbind(1)
    energy = p**2 / 2 - torch.cos(q)
    return (energy - energy[0]).abs()


def test_the_energy_error_stays_bounded_where_that_of_rk4_grows():
    t = torch.arange(0, 1000, 0.5, dtype=torch.float64)
    half = len(t) // 2
    leapfrog, rk4 = energy_error("leapfrog", t), energy_error("rk4", t)
    assert leapfrog[half:].max() < 1.1 * leapfrog[:half].max()
    assert rk4[half:].max() > 1.5 * rk4[:half].max()


def test_leapfrog_runs_backward_along_the_same_path():
    t = torch.linspace(0, 10, 51, dtype=torch.float64)
    there = solve_ode(pendulum, Y0, t, solver="leapfrog").ys
    back = solve_ode(pendulum, there[:, -1], t.flip(0), solver="leapfrog").ys
    assert torch.allclose(back.flip(1), there, atol=1e-12)


def test_an_odd_dimension_is_refused():
    with pytest.raises(ValueError, match=r"states \[q, p\] of even dimension; got y0 with 3"):
        solve_ode(pendulum, torch.zeros(1, 3), [0.0, 1.0], solver="leapfrog")


def test_the_continuous_adjoint_is_refused():
    y0 = Y0.clone().requires_grad_()
    ys = solve_ode(pendulum, y0, [0.0, 0.5], solver="leapfrog", adjoint="continuous").ys
    with pytest.raises(ValueError, match="adjoint='continuous' does not work"):
        ys.sum().backward()
