"""States of any shape."""

import pytest
import torch
from torch import nn

from skdyn.solvers import solve_ode

T = [0.0, 0.5, 1.0]


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
def test_fields_of_images_are_solved_in_their_shape(step_control):
    torch.manual_seed(0)
    field = nn.Conv2d(2, 2, 3, padding=1).double()
    y0 = torch.randn(3, 2, 4, 4, dtype=torch.float64)

    def by_hand(t, y):
        return field(y.view(3, 2, 4, 4)).reshape(3, -1)

    class Convolution(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = field

        def forward(self, t, y):
            return self.inner(y) + 0.0 * t

    options = {"step_control": step_control}
    ys = solve_ode(Convolution(), y0, T, **options).ys
    rows = solve_ode(by_hand, y0.reshape(3, -1), T, **options).ys
    assert torch.equal(ys.reshape(3, 3, -1), rows)
    weight = field.weight
    grads = (torch.autograd.grad(each.square().sum(), weight)[0] for each in (ys, rows))
    assert torch.allclose(*grads)


def test_a_state_may_be_a_number():
    y0 = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    solution = solve_ode(
        lambda t, y: -y * torch.ones_like(t), y0, T, step_control="per_sample",
        events=lambda t, y: y - 0.9,
    )  # fmt: skip
    assert solution.ys.shape == (2, 3)
    assert solution.event_states.shape == solution.event_times.shape == (2, 1)
    (by_y0,) = torch.autograd.grad(solution.ys[:, -1].sum(), y0)
    assert torch.allclose(by_y0, torch.exp(-torch.ones_like(y0)), atol=1e-4)


def test_a_field_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="tensor like y"):
        solve_ode(lambda t, y: y[:1], torch.ones(2, 3, 4), T)
