"""Solving a batch of ordinary differential equations."""

import pytest
import torch

from skdyn.solvers import MLPField, is_adaptive, solve_ode, solver_names
from skdyn.training import seeded_rng

torch.set_num_threads(1)


def rotate(t, y):
    """Harmonic oscillator."""
    return torch.stack([y[:, 1], -y[:, 0]], dim=1)


@pytest.mark.parametrize("solver", solver_names())
@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
@pytest.mark.parametrize("per_case", [False, True])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_oscillator_turns_at_the_right_pace(solver, step_control, per_case, sign):
    t = sign * torch.linspace(0, 3, 31, dtype=torch.float64)
    y0 = torch.tensor([[1.0, 0.0], [2.0, 0.0]], dtype=torch.float64)
    if per_case:
        t = torch.stack([t, 1.1 * t])
    ys = solve_ode(rotate, y0, t, solver=solver, step_control=step_control).ys
    exact = y0[:, :1] * torch.cos(t)
    tol = {"euler": 0.5, "midpoint": 2e-2, "heun": 2e-2, "leapfrog": 1e-2, "dopri8": 1e-3}.get(
        solver, 1e-4
    )
    assert torch.allclose(ys[..., 0], exact, atol=tol)


def test_the_statistics_count_what_happened():
    calls = []

    def field(t, y):
        calls.append(1)
        return -y

    y0 = torch.ones(1, 1)
    stats = solve_ode(field, y0, [0.0, 1.0], solver="rk4", step_size=0.25).stats
    assert stats == (16, 4, 0)
    assert len(calls) == 16
    calls.clear()
    assert solve_ode(field, y0, [0.0, 1.0]).stats.n_fev == len(calls)


def test_adaptive_solvers_are_known():
    adaptive = {name for name in solver_names() if is_adaptive(name)}
    assert adaptive == {"bosh3", "dopri5", "tsit5", "dopri8", "kvaerno5"}


def test_an_unknown_solver_is_neither():
    with pytest.raises(ValueError, match="Did you mean 'tsit5'"):
        is_adaptive("tsit")


@pytest.mark.parametrize("adjoint", ["discrete", "checkpoint", "continuous", None])
def test_no_graph_is_kept_where_no_gradient_is_wanted(adjoint):
    field = MLPField(2)
    with torch.no_grad():
        ys = solve_ode(field, torch.ones(1, 2), [0.0, 1.0], adjoint=adjoint).ys
    assert not ys.requires_grad
    field.requires_grad_(False)
    assert not solve_ode(field, torch.ones(1, 2), [0.0, 1.0], adjoint=adjoint).ys.requires_grad


def test_globals_are_left_as_found():
    state, threads, dtype = (
        torch.get_rng_state(),
        torch.get_num_threads(),
        torch.get_default_dtype(),
    )
    solve_ode(rotate, torch.ones(1, 2, requires_grad=True), [0.0, 1.0]).ys.sum().backward()
    assert torch.equal(torch.get_rng_state(), state)
    assert (torch.get_num_threads(), torch.get_default_dtype()) == (threads, dtype)


def test_a_case_of_weight_two_counts_as_two_cases():
    def field(t, y):
        return -torch.tensor([[30.0]], dtype=y.dtype) * y * y.abs()

    y0 = torch.tensor([[1.0], [0.1], [2.0]], dtype=torch.float64)
    t = torch.linspace(0, 1, 4, dtype=torch.float64)
    weight = torch.tensor([1.0, 3.0, 2.0])
    rows = torch.tensor([0, 1, 1, 1, 2, 2])
    weighted = solve_ode(field, y0, t, rtol=1e-2, atol=1e-2, case_weight=weight)
    repeated = solve_ode(field, y0[rows], t, rtol=1e-2, atol=1e-2)
    plain = solve_ode(field, y0, t, rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(weighted.ys[rows], repeated.ys, rtol=1e-12, atol=1e-14)
    assert (weighted.ys - plain.ys).abs().max() > 1e-6


@pytest.mark.parametrize(
    ("weight", "message"),
    [(torch.ones(2), r"shape \(3,\).*got \(2,\)"), (torch.zeros(3), "positive and finite")],
)
def test_bad_case_weights_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        solve_ode(lambda t, y: y, torch.ones(3, 1), [0.0, 1.0], case_weight=weight)


@pytest.mark.peer
def test_solutions_and_gradients_equal_torchdiffeqs():
    torchdiffeq = pytest.importorskip("torchdiffeq", reason="extra 'peer' is not installed")
    with seeded_rng(0):
        field = MLPField(3, (16,), time_dependent=True).double()
        y0 = torch.randn(5, 3, dtype=torch.float64)
    t = torch.linspace(0, 2, 7, dtype=torch.float64)
    tight = {"rtol": 1e-9, "atol": 1e-11}
    weights = list(field.parameters())
    ours = solve_ode(field, y0, t, solver="dopri5", **tight).ys
    theirs = torchdiffeq.odeint(field, y0, t, method="dopri5", **tight).transpose(0, 1)
    torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-8)
    gradients = zip(
        torch.autograd.grad(ours.square().sum(), weights),
        torch.autograd.grad(theirs.square().sum(), weights),
        strict=True,
    )
    for our, their in gradients:
        torch.testing.assert_close(our, their, rtol=1e-6, atol=1e-7)
