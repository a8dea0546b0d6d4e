"""The fused path of ``MLPField`` computes what the module computes."""

import pytest
import torch
from torch import nn

from skdyn.solvers import MLPField, solve_ode
from skdyn.solvers._field import ACTIVATIONS
from skdyn.solvers._fused import can_fuse

TIMES = torch.linspace(0, 1, 6, dtype=torch.float64)


class Wrapped(nn.Module):
    """Hides the field, so that it is taken as any module."""

    def __init__(self, field):
        super().__init__()
        self.field = field

    def forward(self, t, y):
        return self.field(t, y)


def solve(field, dtype, **options):
    generator = torch.Generator().manual_seed(2)
    y0 = torch.randn(5, 2, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
    ys = solve_ode(field, y0, TIMES, **options).ys
    return [ys, *torch.autograd.grad(ys.cos().sum(), [y0, *field.parameters()])]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (7,), (1, 9), (6, 5, 4)])
def test_states_and_gradients_equal_those_of_the_module(activation, hidden):
    field = MLPField(2, hidden, activation, time_dependent=len(hidden) == 2).double()
    assert can_fuse(field, torch.zeros(1, 2, dtype=torch.float64))
    options = {"step_control": "per_sample" if len(hidden) == 3 else "joint", "step_size": 0.05}
    for ours, theirs in zip(
        solve(field, torch.float64, **options), solve(Wrapped(field), torch.float64, **options)
    ):
        assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-11)


def test_single_precision_agrees_to_its_digits():
    field = MLPField(2, (16,), "tanh")
    for ours, theirs in zip(solve(field, torch.float32), solve(Wrapped(field), torch.float32)):
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_frozen_weights_get_no_gradient_and_the_state_does():
    field = MLPField(2).requires_grad_(False)
    y0 = torch.ones(1, 2, requires_grad=True)
    solve_ode(field, y0, [0.0, 1.0]).ys.sum().backward()
    assert y0.grad is not None
    assert all(parameter.grad is None for parameter in field.parameters())


class Other(MLPField):
    """A subclass may do something else."""


def test_what_only_looks_like_an_mlp_field_is_not_fused():
    y0 = torch.zeros(1, 2)
    hooked, cast = MLPField(2), MLPField(2).double()
    hooked.layers[0].register_forward_hook(lambda *_: None)
    weighted = MLPField(2)
    nn.utils.parametrizations.weight_norm(weighted.layers[0])
    assert can_fuse(MLPField(2), y0)
    assert not any(can_fuse(field, y0) for field in (Other(2), hooked, cast, weighted, nn.Tanh()))
