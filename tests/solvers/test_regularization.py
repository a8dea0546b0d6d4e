"""Regularization by the solver's own heuristics."""

import pytest
import torch

from skdyn.solvers import solve_ode

TIMES = torch.linspace(0, 3, 4, dtype=torch.float64)
Y0 = torch.tensor([[1.0, 0.0], [0.3, -2.0]], dtype=torch.float64)


def linear(rate):
    def field(t, y):
        return -rate * y

    return field


def swing(t, y):
    return torch.stack([y[:, 1], -torch.sin(y[:, 0])], dim=1)


@pytest.mark.parametrize("solver", ["tsit5", "dopri5", "rk4", "heun"])
@pytest.mark.parametrize("rate", [0.5, 4.0])
def test_the_stiffness_of_linear_decay_is_its_rate(solver, rate):
    options = {"solver": solver, "step_size": 0.25, "regularization": "stiffness"}
    term = solve_ode(linear(rate), Y0, [0.0, 1.0], **options).regularization
    assert float(term) == pytest.approx(4 * rate, rel=1e-9)


def test_the_error_term_falls_with_the_tolerance():
    terms = [
        float(solve_ode(swing, Y0, TIMES, rtol=tol, atol=tol, regularization="error")[1])
        for tol in (1e-3, 1e-6)
    ]
    assert 0 < terms[1] < 0.1 * terms[0]


def test_the_error_term_is_the_sum_of_errors_times_steps():
    h, rate = 0.5, 1.0
    options = {"solver": "bosh3", "step_size": h, "regularization": "error"}
    y0 = torch.ones(1, 1, dtype=torch.float64)
    term = solve_ode(linear(rate), y0, [0.0, h], **options).regularization
    # Third minus second order on y' = -y, worked out from the tableau: h^3 / 48 (1 - h).
    stages = [-1.0]
    stages.append(-(1 + h * stages[0] / 2))
    stages.append(-(1 + 0.75 * h * stages[1]))
    end = 1 + h * (2 / 9 * stages[0] + stages[1] / 3 + 4 / 9 * stages[2])
    low = 1 + h * (7 / 24 * stages[0] + stages[1] / 4 + stages[2] / 3 - end / 8)
    assert float(term) == pytest.approx(abs(end - low) * h, rel=1e-12)


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
@pytest.mark.parametrize("kind", ["error", "stiffness"])
def test_the_local_term_averages_to_the_global_one(kind, step_control):
    options = {"regularization": kind, "step_control": step_control, "rtol": 1e-3, "atol": 1e-3}
    whole = float(solve_ode(swing, Y0, TIMES, **options).regularization)
    generator = torch.Generator().manual_seed(0)
    options |= {"regularization_mode": "local", "generator": generator}
    draws = [float(solve_ode(swing, Y0, TIMES, **options).regularization) for _ in range(100)]
    assert torch.tensor(draws).mean().item() == pytest.approx(whole, rel=0.25)
    assert torch.tensor(draws).std() > 0


def test_the_draw_follows_the_generator_and_leaves_the_global_one_alone():
    before = torch.get_rng_state()
    options = {"regularization": "error", "regularization_mode": "local"}
    terms = [
        solve_ode(swing, Y0, TIMES, generator=torch.Generator().manual_seed(3), **options)[1]
        for _ in range(2)
    ]
    assert torch.equal(*terms)
    assert torch.equal(torch.get_rng_state(), before)
