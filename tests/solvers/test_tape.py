"""Recording evaluations of a field."""

import pytest
import torch
from torch import nn

from skdyn.solvers import solve_ode
from skdyn.solvers._tape import GraphTape, case_jacobians


def test_pull_is_the_transposed_jacobian():
    matrix = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    tape, out = GraphTape(lambda t, y: y @ matrix.T), torch.empty(1, 2)
    tape.evaluate(lambda i: torch.tensor(0.0), 1, torch.zeros(1, 2), out)
    tape.restart()
    assert torch.equal(tape.pull(0, torch.tensor([[1.0, -1.0]])), torch.tensor([[-2.0, -2.0]]))
    assert torch.equal(tape.jacobian(0)[0], matrix)


def test_jacobians_are_taken_case_by_case():
    y = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    jacobians = case_jacobians(y**2, y)
    assert torch.equal(jacobians, torch.diag_embed(2 * y.detach()))


@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_field_that_forgets_the_state_is_fine(requires_grad):
    speed = torch.full((2, 1), 3.0, requires_grad=requires_grad)
    y0 = torch.zeros(2, 1, requires_grad=True)
    ys = solve_ode(lambda t, y: speed, y0, [0.0, 2.0]).ys
    assert torch.allclose(ys[:, 1], torch.full((2, 1), 6.0))
    ys[:, 1].sum().backward()
    assert torch.equal(y0.grad, torch.ones(2, 1))
    assert not requires_grad or torch.allclose(speed.grad, torch.full((2, 1), 2.0))


@pytest.mark.parametrize(
    ("field", "match"),
    [
        (lambda t, y: y.sum(), r"tensor like y, shape \(2, 1\)"),
        (lambda t, y: y.double(), "float64"),
        (lambda t, y: None, "must return a tensor; got NoneType"),
    ],
)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_an_output_unlike_the_state_is_refused(field, match, requires_grad):
    with pytest.raises(ValueError, match=match):
        solve_ode(field, torch.ones(2, 1, requires_grad=requires_grad), [0.0, 1.0])


class Forgetful(nn.Linear):
    """A field with a weight that it never looks at, and one that it looks at for a while."""

    def __init__(self):
        super().__init__(1, 1)
        self.spare, self.late = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(1))

    def forward(self, t, y):
        """Look at the late weight from half of the time on."""
        dy = super().forward(y)
        return dy * self.late if t > 0.5 else dy


@pytest.mark.parametrize("adjoint", ["discrete", "checkpoint"])
def test_a_weight_that_the_field_leaves_out_takes_nothing_from_the_others(adjoint):
    field = Forgetful().double()
    y0 = torch.ones(2, 1, dtype=torch.float64)
    options = {"solver": "rk4", "step_size": 0.25}

    def gradients(choice):
        ys = solve_ode(field, y0, [0.0, 1.0], adjoint=choice, **options).ys
        return torch.autograd.grad(ys.sum(), list(field.parameters()), allow_unused=True)

    for ours, plain in zip(gradients(adjoint), gradients(None), strict=True):
        if plain is None:
            assert ours is None or not ours.any()
        else:
            assert plain.any()
            torch.testing.assert_close(ours, plain)
