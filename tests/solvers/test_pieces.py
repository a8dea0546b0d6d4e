"""Stops that no step crosses, and fields that jump there."""

import pytest
import torch

from skdyn.solvers import interpolate_path, solve_ode
from skdyn.solvers._pieces import lay_grid

D = torch.float64
KNOTS = torch.linspace(0, 39, 40, dtype=D)
DECAY = 0.1


def inputs(kind):
    generator = torch.Generator().manual_seed(0)
    return interpolate_path(torch.randn(1, 40, 1, generator=generator, dtype=D), KNOTS, kind)


def driven(path):
    return lambda t, y: -DECAY * y + path.evaluate(t.flatten()[0])


def under_held_inputs(values, y):
    """Closed form, piece by piece."""
    keeps = torch.exp(torch.tensor(-DECAY, dtype=D))
    for u in values[:-1]:
        y = y * keeps + u / DECAY * (1 - keeps)
    return y


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
def test_a_piece_costs_one_step_where_inputs_are_continuous(step_control):
    y0, loose = torch.ones(1, 1, dtype=D), {"rtol": 1e-3, "atol": 1e-4, "first_step": 1.0}
    field, ends = driven(inputs("linear")), [0.0, 39.0]
    told = solve_ode(field, y0, ends, stops=KNOTS, step_control=step_control, **loose)
    assert told.stats.n_fev == 39 * 6 + 1
    exact = solve_ode(field, y0, KNOTS, step_size=0.5).ys[:, -1]
    assert torch.allclose(told.ys[:, -1], exact, atol=1e-7)


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
def test_a_piece_costs_one_evaluation_more_where_inputs_jump(step_control):
    path, y0 = inputs("hold"), torch.ones(1, 1, dtype=D)
    solution = solve_ode(
        driven(path), y0, [0.0, 39.0], stops=KNOTS, jumps=True, step_control=step_control,
        first_step=1.0, rtol=1e-3, atol=1e-4,
    )  # fmt: skip
    assert solution.stats.n_fev == 39 * 7
    exact = under_held_inputs(path.coefficients.flatten(), y0)
    assert torch.allclose(solution.ys[:, -1], exact, atol=1e-7)


@pytest.mark.parametrize("adjoint", ["discrete", "checkpoint", "continuous", None])
@pytest.mark.parametrize("times", ["shared", "own"])
def test_gradients_pass_over_jumps(adjoint, times):
    t = KNOTS[:5] if times == "shared" else torch.stack([KNOTS[:5], 1.5 * KNOTS[:5]])
    y0 = torch.ones(2, 1, dtype=D, requires_grad=True)
    values = torch.randn(4, generator=torch.Generator().manual_seed(1), dtype=D).requires_grad_()

    def field(s, y):
        pace = torch.ones(2, 1, dtype=D) if times == "shared" else torch.tensor([[1.0], [1.5]])
        number = (s / pace).floor().long().clamp(0, 3)
        return -DECAY * y + values[number].view(2, 1)

    solution = solve_ode(
        field, y0, t, stops="times", jumps=True, adjoint=adjoint, rtol=1e-9, atol=1e-9
    )
    by_y0, by_values = torch.autograd.grad(solution.ys[0, -1].sum(), (y0, values))
    left = torch.tensor([3.0, 2.0, 1.0, 0.0], dtype=D)
    kept = torch.exp(-DECAY * left) * (1 - torch.exp(torch.tensor(-DECAY, dtype=D))) / DECAY
    assert torch.allclose(by_y0[0], torch.exp(torch.tensor(-4 * DECAY, dtype=D)), atol=1e-6)
    assert torch.allclose(by_values, kept, atol=1e-6)


def test_backward_in_time_comes_back_over_jumps():
    field, y0 = driven(inputs("hold")), torch.ones(1, 1, dtype=D)
    options = {"stops": KNOTS, "jumps": True, "rtol": 1e-9, "atol": 1e-9}
    there = solve_ode(field, y0, [0.0, 6.5], **options).ys[:, -1]
    back = solve_ode(field, there, [6.5, 0.0], **options).ys[:, -1]
    assert torch.allclose(back, y0, atol=1e-7)


def test_a_stop_that_is_all_but_a_requested_time_is_that_time():
    times = torch.tensor([0.0, 1.0, 2.0, 3.0], dtype=D)
    grid = lay_grid(times, torch.tensor([-1.0, 0.5, 1.0 + 1e-12, 3.0], dtype=D))
    assert grid.times.tolist() == [0.0, 0.5, 1.0, 2.0, 3.0]
    assert grid.wanted.tolist() == [0, 2, 3, 4]
    assert grid.landings == [1, 2]


def test_steps_are_counted_over_all_pieces():
    with pytest.raises(RuntimeError, match="steps were taken"):
        solve_ode(
            driven(inputs("hold")), torch.ones(1, 1, dtype=D), KNOTS, stops="times", jumps=True,
            max_steps=20,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jumps": True}, "needs stops"),
        ({"stops": "all"}, "stops must be one of"),
        ({"stops": [[0.5]]}, "shape"),
        ({"stops": [0.5], "t": [[0.0, 1.0]]}, "stops='times'"),
        ({"stops": [0.5], "jumps": True, "on_failure": "warn"}, "on_failure='raise'"),
    ],
)
def test_stops_that_cannot_be_are_refused(options, message):
    t = options.pop("t", [0.0, 1.0])
    with pytest.raises(ValueError, match=message):
        solve_ode(lambda t, y: -y, torch.ones(1, 1), t, **options)
