"""Inputs as functions of time."""

import torch

from skdyn.neural_ode._drive import Drive
from skdyn.neural_ode._dynamics import TrajectoryODE
from skdyn.solvers import interpolate_path, solve_ode

D = torch.float64
T = torch.tensor([0.0, 1.0, 2.0, 4.0], dtype=D)


def module(**inputs):
    return TrajectoryODE(1, 0, (), "silu", "tsit5", 1e-6, 1e-7, "discrete", 1000, **inputs)


def test_parts_come_in_the_order_of_the_network():
    told = module(n_controls=1, n_covariates=2, omega=0.5, rate=0.1)
    path = interpolate_path(torch.tensor([[[0.0], [1.0], [0.0], [4.0]]], dtype=D), T)
    fixed = torch.tensor([[7.0, 8.0, 0.25, -1.0]], dtype=D)
    phase = torch.tensor(0.25 + 0.5 * 3.0, dtype=D)
    expected = [2.0, 7.0, 8.0, float(phase.sin()), float(phase.cos()), -1.0 + 0.3]
    for t in (torch.tensor(3.0, dtype=D), torch.tensor([[3.0]], dtype=D)):
        inputs = Drive(told, path, fixed)(t)
        assert inputs.shape == (1, told.n_inputs)
        assert torch.allclose(inputs, torch.tensor([expected], dtype=D))


def test_a_solver_stops_where_inputs_bend_and_nowhere_else():
    straight = torch.tensor([[[0.0], [1.0], [2.0], [4.0]]], dtype=D)
    bent = straight.clone()
    bent[0, 3] = 0.0
    told, fixed = module(n_controls=1), torch.zeros(1, 0, dtype=D)

    def stops(x, kind):
        return Drive(told, interpolate_path(x, T, kind), fixed).stops(T)

    assert stops(bent, "linear")["stops"].tolist() == [2.0]
    assert len(stops(straight, "linear")["stops"]) == 0
    assert stops(bent, "hold") == {"stops": "times", "jumps": True}
    assert stops(bent, "hermite") == {}
    assert Drive(told, None, fixed, lambda t: t).stops(T) == {"stops": "times"}


def test_held_inputs_drive_each_piece_by_their_value_there():
    held = torch.tensor([[[3.0], [-1.0], [2.0], [5.0]]], dtype=D)
    told, fixed = module(n_controls=1), torch.zeros(1, 0, dtype=D)
    drive = Drive(told, interpolate_path(held, T, "hold"), fixed)
    start, how = torch.zeros(1, 1, dtype=D), drive.stops(T)
    risen = torch.tensor([0.0, 3.0, 2.0, 6.0], dtype=D)  # one for one, minus one, two for two

    def off(**how):
        ys = solve_ode(lambda t, y: drive(t), start, T, rtol=1e-3, atol=1e-3, **how).ys
        return float((ys[0, :, 0] - risen).abs().max())

    assert off(**how) < 1e-12
    assert off(**how | {"jumps": False}) > 1e-3
