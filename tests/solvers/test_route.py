"""The way that a solve takes by what its gradients need."""

import torch

from skdyn.solvers import solve_ode
from skdyn.solvers._control import Tolerance
from skdyn.solvers._route import Plan

T = [0.0, 0.5, 1.0]


def test_a_field_that_comes_to_need_gradients_is_solved_again_by_the_same_draw():
    y0 = torch.ones(2, 1, dtype=torch.float64)
    late = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    options = {"regularization": "error", "regularization_mode": "local", "rtol": 1e-3}

    def solve(needs):
        def field(t, y):
            return -y * (late if needs or float(t) > 0.4 else late.detach())

        generator = torch.Generator().manual_seed(3)
        solution = solve_ode(field, y0, T, generator=generator, **options)
        return solution, generator.get_state()

    (again, after), (once, expected) = solve(False), solve(True)
    assert torch.equal(again.ys, once.ys)
    assert torch.equal(again.regularization, once.regularization)
    assert torch.equal(after, expected)
    assert again.ys.requires_grad


def test_a_march_backward_has_no_stops_of_its_own():
    like = torch.ones(2, 1)
    tolerance = Tolerance(1e-3, 1e-3, like)
    plan = Plan(tolerance, 10, 0.1, None, "raise", False, landings=(1,), terminal=True)
    back = plan.renewed(torch.ones(2, 4))
    assert (back.landings, back.terminal, back.first_step) == ((), False, None)
    assert back.max_steps == plan.max_steps
