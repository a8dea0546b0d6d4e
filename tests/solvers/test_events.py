"""Events on the dense output."""

import math

import pytest
import torch

from skdyn.solvers import solve_ode

D = torch.float64


def turning(w):
    """Oscillators with frequencies of their own."""
    return lambda t, y: torch.cat([y[:, 1:], -(w**2) * y[:, :1]], dim=1)


def solve(w, adjoint="discrete", **options):
    y0 = torch.tensor([[1.0, 0.0]] * len(w), dtype=D)
    tight = {"rtol": 1e-7, "atol": 1e-8, "adjoint": adjoint}
    t = torch.linspace(0, 3, 4, dtype=D)
    return solve_ode(turning(w), y0, t, events=lambda t, y: y[:, 0], **tight, **options)


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
@pytest.mark.parametrize("adjoint", ["discrete", "checkpoint", None])
def test_zeros_are_found_and_their_times_differentiated(step_control, adjoint):
    w = torch.tensor([[1.0], [2.0]], dtype=D, requires_grad=True)
    solution = solve(w, adjoint, step_control=step_control)
    exact = (torch.arange(2) + 0.5) * math.pi / w.detach()
    exact = torch.where(exact < 3, exact, torch.nan)
    assert torch.allclose(solution.event_times, exact, atol=1e-5, equal_nan=True)
    assert solution.event_states[..., 0].nan_to_num(0.0).abs().max() < 1e-12
    (by_w,) = torch.autograd.grad(solution.event_times.nansum(), w)
    # Each time is a number over w.
    assert torch.allclose(by_w, -exact.nansum(dim=1, keepdim=True) / w.detach(), atol=1e-4)


def test_a_state_at_an_event_stays_on_it_as_parameters_change():
    w = torch.tensor([[1.3]], dtype=D, requires_grad=True)
    at, speed = solve(w).event_states[0, 0]
    (by_w,) = torch.autograd.grad(at, w, retain_graph=True)
    assert by_w.abs().max() < 1e-8
    (by_w,) = torch.autograd.grad(speed, w)  # the speed there is -w
    assert torch.allclose(by_w, torch.tensor([[-1.0]], dtype=D), atol=1e-4)


def test_an_event_may_have_parameters_of_its_own():
    level = torch.tensor(0.5, dtype=D, requires_grad=True)
    y0 = torch.ones(1, 1, dtype=D)
    solution = solve_ode(
        lambda t, y: -y, y0, [0.0, 2.0], events=lambda t, y: y[:, 0] - level, rtol=1e-8
    )
    (by_level,) = torch.autograd.grad(solution.event_times.sum(), level)
    assert torch.allclose(solution.event_times, -level.log(), atol=1e-6)
    assert torch.allclose(by_level, -1 / level, atol=1e-5)


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
def test_a_case_is_over_at_its_terminal_event(step_control):
    w = torch.tensor([[1.0], [2.0]], dtype=D, requires_grad=True)
    ended = solve(w, step_control=step_control, terminal=True)
    whole = solve(w, step_control=step_control)
    assert ended.event_times.shape == (2, 1)
    assert (~torch.isnan(ended.ys[..., 0])).sum(dim=1).tolist() == [2, 1]
    assert torch.allclose(ended.ys[0, :2], whole.ys[0, :2], atol=1e-5)
    assert ended.stats.n_fev < whole.stats.n_fev * 2 / 3
    (by_w,) = torch.autograd.grad(ended.ys[0, 1].sum() + ended.event_times.sum(), w)
    assert torch.isfinite(by_w).all()


def test_fixed_steps_end_at_a_terminal_event_too():
    falling = torch.tensor([[1.0, 0.0]], dtype=D)
    solution = solve_ode(
        lambda t, y: torch.stack([y[:, 1], torch.full_like(y[:, 1], -2.0)], dim=1), falling,
        [0.0, 0.7, 1.4, 2.1], solver="rk4", events=lambda t, y: y[:, 0], terminal=True,
    )  # fmt: skip
    assert abs(float(solution.event_times) - 1.0) < 1e-12
    assert torch.isnan(solution.ys[0, 2:]).all()


def test_where_nothing_happens_there_are_no_events():
    solution = solve(torch.tensor([[0.1]], dtype=D))
    assert solution.event_times.shape == (1, 0)
    assert solution.event_states.shape == (1, 0, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"terminal": True}, "terminal=True needs events"),
        ({"events": 1.0}, "must be a function"),
        ({"events": lambda t, y: y}, "one number per case"),
        ({"events": lambda t, y: y[:, 0], "solver": "leapfrog"}, "dense output"),
        ({"events": lambda t, y: y[:, 0], "adjoint": "continuous"}, "adjoint='discrete'"),
        ({"events": lambda t, y: y[:, 0], "stops": [0.5], "jumps": True}, "piece by piece"),
    ],
)
def test_events_that_cannot_be_looked_for_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        solve_ode(lambda t, y: -y, torch.ones(1, 2), [0.0, 1.0], **options)


def test_an_event_that_is_no_number_is_refused():
    y0, t = torch.ones(2, 1, dtype=D), torch.tensor([0.0, 3.0], dtype=D)
    with pytest.raises(ValueError, match="NaN in case 1 at t = "):
        solve_ode(
            lambda t, y: -y, y0 * torch.tensor([[1.0], [0.5]]), t,
            events=lambda t, y: (y[:, 0] - 0.1).sqrt() - 0.1,
        )  # fmt: skip
