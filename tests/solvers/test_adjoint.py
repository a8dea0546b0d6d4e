"""Discrete adjoints: exact for the steps that were taken."""

import pytest
import torch
from torch import nn

from skdyn.solvers import MLPField, is_adaptive, solve_ode, solver_names

torch.set_num_threads(1)
N_CASES = 3
TIMES = torch.linspace(0, 2, 7, dtype=torch.float64)
CASE_TIMES = torch.stack([TIMES * (1 + 0.3 * i) + 0.1 * i for i in range(N_CASES)])


def seeded(module, seed=0):
    """Draw a module's parameters without touching the global generator."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-0.8, 0.8, generator=generator)
    return module.double()


class Separable(nn.Module):
    """A separable field of networks, for leapfrog and everything else."""

    def __init__(self):
        super().__init__()
        self.velocity, self.force = MLPField(1, (6,), "tanh"), MLPField(1, (6,), "silu")

    def forward(self, t, y):
        return torch.cat([self.velocity(t, y[:, 1:]), self.force(t, y[:, :1])], dim=1)


def states(n=N_CASES, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 2, generator=generator, dtype=torch.float64)


def gradients(field, adjoint, t, **options):
    """Solution, term and gradients of one loss."""
    y0 = states().requires_grad_()
    ys, term, *_ = solve_ode(field, y0, t, adjoint=adjoint, **options)
    weights = torch.linspace(1, 2, ys.numel(), dtype=torch.float64).view(ys.shape)
    loss = (weights * ys).sin().sum() + (0 if term is None else term)
    return [ys, *torch.autograd.grad(loss, [y0, *field.parameters()])]


def assert_equal_gradients(ours, reference, tol=1e-10):
    for a, b in zip(ours, reference):
        assert (a - b).abs().max() <= tol * (1 + b.abs().max())


STEPS = [
    *((solver, "joint") for solver in solver_names()),
    *((solver, "per_sample") for solver in solver_names() if is_adaptive(solver)),
]
OF_A_KIND = [("rk4", "joint"), ("leapfrog", "joint"), ("tsit5", "joint"), ("tsit5", "per_sample")]


@pytest.mark.parametrize(
    ("solver", "step_control", "times"),
    [
        *((*steps, "own") for steps in STEPS),
        *((*steps, times) for steps in OF_A_KIND for times in ("shared", "backward")),
        ("kvaerno5", "joint", "backward"),
    ],
)
def test_gradients_equal_plain_backpropagation_through_the_same_steps(solver, step_control, times):
    t = {"own": CASE_TIMES, "shared": TIMES, "backward": TIMES.flip(0)}[times]
    options = {"solver": solver, "step_control": step_control}
    field = seeded(Separable())
    reference = gradients(field, None, t, **options)
    for adjoint in ("discrete", "checkpoint"):
        assert_equal_gradients(gradients(field, adjoint, t, **options), reference)


@pytest.mark.parametrize("kind", ["error", "stiffness"])
@pytest.mark.parametrize("mode", ["global", "local"])
@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
@pytest.mark.parametrize("adjoint", ["discrete", "checkpoint"])
def test_a_regularization_is_differentiated_exactly(kind, mode, step_control, adjoint):
    field = seeded(MLPField(2, (8,), "silu"))
    results = []
    for choice in (adjoint, None):
        options = {"regularization": kind, "regularization_mode": mode, "rtol": 1e-3}
        options["generator"] = torch.Generator().manual_seed(5)
        results.append(gradients(field, choice, TIMES, step_control=step_control, **options))
    # The stiffness ratio subtracts nearly equal stages and so keeps fewer digits.
    assert_equal_gradients(*results, tol=1e-10 if kind == "error" else 1e-7)


@pytest.mark.parametrize("solver", ["rk4", "tsit5", "leapfrog"])
def test_gradients_pass_gradcheck(solver):
    t = CASE_TIMES
    field = seeded(Separable())
    parameters = tuple(field.parameters())

    def solve(y0, *_):
        return solve_ode(field, y0, t[..., ::3], solver=solver, step_size=0.5).ys

    y0 = states().requires_grad_()
    assert torch.autograd.gradcheck(solve, (y0, *parameters), atol=1e-7, fast_mode=True)


@pytest.mark.parametrize("kind", ["error", "stiffness"])
def test_a_regularization_passes_gradcheck(kind):
    field = seeded(MLPField(2, (4,), "tanh"))

    def solve(y0, *_):
        return solve_ode(field, y0, TIMES, step_size=0.4, regularization=kind).regularization

    inputs = (states().requires_grad_(), *field.parameters())
    assert torch.autograd.gradcheck(solve, inputs, atol=1e-6, rtol=1e-3, fast_mode=True)


def test_per_sample_gradients_pass_gradcheck_at_tight_tolerance():
    field = seeded(MLPField(2, (4,), "tanh"))

    def solve(y0, *_):
        options = {"step_control": "per_sample", "rtol": 1e-10, "atol": 1e-10}
        return solve_ode(field, y0, CASE_TIMES[:, :3], **options).ys

    inputs = (states().requires_grad_(), *field.parameters())
    assert torch.autograd.gradcheck(solve, inputs, atol=1e-5, fast_mode=True)


def test_gradients_reach_tensors_that_a_function_closes_over():
    rate = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    y0 = torch.ones(1, 1, dtype=torch.float64)
    options = {"rtol": 1e-10, "atol": 1e-12}
    ys = solve_ode(lambda t, y: -(2 * rate) * y, y0, [0.0, 1.0], **options).ys
    (grad,) = torch.autograd.grad(ys[0, 1, 0], rate)
    assert float(grad) == pytest.approx(-2 * float(torch.exp(-2 * rate.detach())), rel=1e-8)


@pytest.mark.parametrize("adjoint", ["discrete", "checkpoint"])
def test_a_case_that_is_refused_beside_one_that_moves_sends_back_what_it_should(adjoint):
    field = seeded(MLPField(2, (8,), "tanh"))
    pace = torch.tensor([[0.1], [1.0], [8.0]], dtype=torch.float64)  # of one first step
    results = []
    for choice in (adjoint, None):
        y0 = states().requires_grad_()
        solution = solve_ode(
            lambda t, y: pace * field(t, y), y0, TIMES[:3],
            step_control="per_sample", first_step=1.0, adjoint=choice,
        )  # fmt: skip
        assert solution.stats.n_rejected > 0
        loss = solution.ys.sin().sum()
        results.append([solution.ys, *torch.autograd.grad(loss, [y0, *field.parameters()])])
    assert_equal_gradients(*results)


def test_backward_may_be_called_twice():
    field = seeded(MLPField(2, (8,)))
    y0 = states().requires_grad_()
    loss = solve_ode(field, y0, TIMES).ys.square().sum()
    first = torch.autograd.grad(loss, y0, retain_graph=True)[0]
    assert torch.equal(first, torch.autograd.grad(loss, y0)[0])


def test_a_refused_step_that_overflows_leaves_the_gradients_finite():
    field = seeded(MLPField(2, (8,)))
    y0 = states().requires_grad_()

    def explosive(t, y):
        return field(t, y) + y**9

    t = torch.linspace(0, 0.001, 3, dtype=torch.float64)
    scaled = y0 * torch.tensor([[1e-2], [1.0], [1.5]], dtype=torch.float64)
    options = {"step_control": "per_sample", "first_step": 1e3}
    ys = solve_ode(explosive, scaled, t, **options).ys
    grads = torch.autograd.grad(ys.sum(), [y0, *field.parameters()])
    assert all(bool(torch.isfinite(grad).all()) for grad in grads)


@pytest.mark.parametrize("adjoint", ["discrete", "checkpoint", "continuous"])
def test_a_second_derivative_is_refused_and_never_zero(adjoint):
    y0 = torch.ones(1, 1, dtype=torch.float64, requires_grad=True)
    ys = solve_ode(lambda t, y: -(y**2), y0, [0.0, 1.0], adjoint=adjoint).ys
    (slope,) = torch.autograd.grad(ys.sum(), y0, create_graph=True)
    with pytest.raises(RuntimeError, match="adjoint=None"):
        slope.sum().backward()


def test_plain_backpropagation_has_second_derivatives():
    y0 = torch.ones(1, 1, dtype=torch.float64, requires_grad=True)
    ys = solve_ode(lambda t, y: -(y**2), y0, [0.0, 1.0], adjoint=None, step_size=0.05).ys[:, -1]
    (slope,) = torch.autograd.grad(ys.sum(), y0, create_graph=True)  # 1 / (1 + y0)^2
    (curvature,) = torch.autograd.grad(slope.sum(), y0)
    assert abs(float(curvature) + 0.25) < 1e-6
