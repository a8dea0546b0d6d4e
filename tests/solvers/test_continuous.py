"""The continuous adjoint: right to tolerance."""

from itertools import product

import pytest
import torch

from skdyn.solvers import MLPField, solve_ode

TIMES = torch.linspace(0, 1.5, 5, dtype=torch.float64)


def field():
    generator = torch.Generator().manual_seed(0)
    made = MLPField(2, (8,), "tanh", time_dependent=True).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.uniform_(-0.8, 0.8, generator=generator)
    return made


@pytest.mark.parametrize(
    ("solver", "step_size", "per_case", "step_control"),
    [
        *product(["tsit5"], [None], [False, True], ["joint", "per_sample"]),
        ("kvaerno5", None, True, "per_sample"),
        ("rk4", 0.05, False, "joint"),  # of fixed steps there is no control
        ("rk4", 0.05, True, "joint"),
    ],
)
def test_it_tends_to_the_discrete_adjoint(solver, step_size, per_case, step_control):
    times = TIMES[:3] if solver == "kvaerno5" else TIMES
    t = torch.stack([times, 1.4 * times + 0.1]) if per_case else times
    module, results = field(), []
    for adjoint in ("continuous", "discrete"):
        y0 = torch.tensor([[0.5, -0.4], [1.0, 0.2]], dtype=torch.float64, requires_grad=True)
        options = {"solver": solver, "step_size": step_size, "step_control": step_control}
        ys = solve_ode(module, y0, t, adjoint=adjoint, rtol=1e-9, atol=1e-10, **options).ys
        results.append(torch.autograd.grad(ys.sin().sum(), [y0, *module.parameters()]))
    for ours, exact in zip(*results):
        assert torch.allclose(ours, exact, rtol=1e-5, atol=1e-6)


def test_a_regularization_is_refused():
    with pytest.raises(ValueError, match="adjoint='continuous' cannot differentiate"):
        solve_ode(
            field(), torch.zeros(1, 2).double(), TIMES, adjoint="continuous", regularization="error"
        )
