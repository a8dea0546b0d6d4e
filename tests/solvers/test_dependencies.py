"""Where gradients end: leaves, and what was computed before the solve."""

import pytest
import torch
from torch import nn

from skdyn.solvers import solve_ode
from skdyn.solvers._dependencies import Dependencies

ADJOINTS = ["discrete", "checkpoint", "continuous"]
TIMES = [0.0, 0.4, 1.0]


def tensor(*shape):
    values = torch.linspace(-1.0, 1.0, torch.Size(shape).numel(), dtype=torch.float64)
    return values.reshape(shape).sin()


def leaf(*shape):
    return tensor(*shape).requires_grad_()


def gradients(field, wanted, adjoint, y0=None, **options):
    """Gradients of a solve, and of the same solve by torch's own graph."""
    found = []
    for choice in (adjoint, None):
        generator = torch.Generator().manual_seed(0)
        options["generator"] = generator if "regularization" in options else None
        solution = solve_ode(
            field, tensor(3, 2) if y0 is None else y0, TIMES, adjoint=choice,
            rtol=1e-6, atol=1e-8, **options,
        )  # fmt: skip
        total = solution.ys.square().sum()
        if solution.regularization is not None:
            total = total + solution.regularization
        found.append(torch.autograd.grad(total, wanted, retain_graph=True))
    return found


def assert_same(found, tolerance=1e-9):
    for ours, plain in zip(*found, strict=True):
        assert plain.abs().max() > 1e-3
        torch.testing.assert_close(ours, plain, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("adjoint", ["discrete", "checkpoint"])
@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
@pytest.mark.parametrize("first", ["learnt", "given"])
def test_parts_joined_by_a_branch_on_time_all_learn(adjoint, step_control, first):
    one, two = leaf(2, 2), leaf(2, 2)
    wanted = [one, two] if first == "learnt" else [two]
    start = one if first == "learnt" else one.detach()

    def field(t, y):
        return torch.where(t < 0.5, y @ start, y @ two) if t.ndim else y @ (start, two)[t >= 0.5]

    assert_same(gradients(field, wanted, adjoint, step_control=step_control))


def test_a_solve_that_begins_again_draws_the_same_step():
    one, two = tensor(2, 2), leaf(2, 2)
    options = {"regularization": "error", "regularization_mode": "local"}
    found = gradients(lambda t, y: y @ (one, two)[t > 0.5], [two], "discrete", **options)
    assert_same(found)


@pytest.mark.parametrize("first", [leaf(2, 2), tensor(2, 2)], ids=["learnt", "given"])
def test_the_continuous_adjoint_refuses_parts_that_join_later_unless_a_module_owns_them(first):
    late = leaf(2, 2)

    def joined(t, y, late):
        early = y @ first
        return early if t < 0.4 else early + y @ late * (t - 0.4) ** 3

    def field(t, y):
        return joined(t, y, late)

    with pytest.raises(ValueError, match=r"adjoint='continuous'.*Use adjoint='discrete'"):
        solve_ode(field, tensor(3, 2), TIMES, adjoint="continuous").ys.sum().backward()

    class Owner(nn.Module):
        def __init__(self):
            super().__init__()
            self.late = nn.Parameter(late.detach())

        def forward(self, t, y):
            return joined(t, y, self.late)

    owner = Owner()
    assert_same(gradients(owner, [owner.late], "continuous"), 1e-3)


@pytest.mark.parametrize("adjoint", ADJOINTS)
def test_what_was_computed_before_the_solve_is_gone_back_through_once(adjoint):
    weight, inner, passes = leaf(2, 2), leaf(2, 2), []
    hidden = weight.exp()
    hidden.register_hook(passes.append)
    context = hidden.sin()

    def field(t, y):
        return torch.cat([y @ context, y @ inner], dim=1)[:, 1:3] * context.sum()

    found = gradients(field, [weight, inner], adjoint)
    assert_same(found, 1e-3 if adjoint == "continuous" else 1e-9)
    assert len(passes) == 2  # ours and torch's


class Encoded(nn.Module):
    """A field that owns what its context was computed with."""

    def __init__(self):
        super().__init__()
        self.encoder, self.inner = nn.Parameter(leaf(2, 2)), nn.Parameter(leaf(2, 2) / 2)
        self.context = None

    def forward(self, t, y):
        """Use the context."""
        return y @ self.context + torch.tanh(y) @ self.inner


@pytest.mark.parametrize("adjoint", ADJOINTS)
@pytest.mark.parametrize("of", ["encoder", "both", "inner"])
def test_no_way_back_is_counted_twice(adjoint, of):
    field = Encoded()
    made_of = {"encoder": field.encoder, "both": field.encoder * field.inner, "inner": field.inner}
    field.context = made_of[of].sin()
    wanted = [field.inner] if of == "inner" else [field.encoder, field.inner]
    assert_same(gradients(field, wanted, adjoint), 1e-3 if adjoint == "continuous" else 1e-9)


@pytest.mark.parametrize("adjoint", ADJOINTS)
def test_of_two_contexts_one_may_be_made_of_the_other(adjoint):
    weight = leaf(2, 2)
    first = weight.exp()
    second = first.cos()
    found = gradients(lambda t, y: y @ first - y @ second, [weight], adjoint)
    assert_same(found, 1e-3 if adjoint == "continuous" else 1e-9)


def test_a_context_behind_which_a_gradient_ends_too_is_no_end():
    weight, other = leaf(2), leaf(2)
    context, alone = weight.exp(), other.exp()
    dependencies, y = Dependencies(lambda t, y: y * context * weight * alone), leaf(3, 2)
    dependencies.look(y, dependencies.evaluate(None, y))
    assert {id(end) for end in dependencies.tensors()} == {id(weight), id(alone)}


def test_ends_are_parameters_and_closed_over_tensors():
    rate = torch.ones(2, requires_grad=True)
    module = nn.Linear(2, 2)
    field = nn.Sequential(module)
    field.forward = lambda t, y: module(y) * rate.exp()
    dependencies, y = Dependencies(field), torch.zeros(1, 2, requires_grad=True)
    dependencies.look(y, dependencies.evaluate(None, y))
    ends = {id(end) for end in dependencies.tensors()}
    assert ends == {id(p) for p in (*module.parameters(), rate)}
