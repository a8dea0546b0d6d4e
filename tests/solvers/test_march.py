"""Stepping all cases together."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from skdyn.solvers import solve_ode
from skdyn.solvers._control import Controller

Y0 = torch.tensor([[1.0, 0.5], [2.0, 1.0]], dtype=torch.float64)


def lotka_volterra(t, y):
    x, z = y[:, :1], y[:, 1:]
    return torch.cat([1.3 * x - 0.9 * x * z, 0.8 * x * z - 1.8 * z], dim=1)


@pytest.mark.parametrize("tol", [1e-4, 1e-6, 1e-8])
@pytest.mark.parametrize("solver", ["bosh3", "dopri5", "tsit5", "kvaerno5"])
def test_the_error_against_scipy_is_bounded_by_the_tolerance(solver, tol):
    t = np.linspace(0, 5, 26)
    ys = solve_ode(lotka_volterra, Y0, t, solver=solver, rtol=tol, atol=tol, max_steps=9000).ys
    for case, y0 in enumerate(Y0.numpy()):
        exact = solve_ivp(
            lambda t, y: lotka_volterra(t, torch.from_numpy(y)[None])[0].numpy(),
            (0, 5),
            y0,
            "DOP853",
            t,
            rtol=1e-12,
            atol=1e-13,
        ).y.T
        assert np.abs(ys[case].numpy() - exact).max() < 150 * tol


@pytest.mark.parametrize("solver", ["tsit5", "dopri8", "kvaerno5"])
def test_time_reversal_comes_back_to_the_start(solver):
    t = torch.linspace(0, 4, 9, dtype=torch.float64)
    options = {"solver": solver, "rtol": 1e-9, "atol": 1e-10}
    there = solve_ode(lotka_volterra, Y0, t, **options).ys
    back = solve_ode(lotka_volterra, there[:, -1], t.flip(0), **options).ys
    assert torch.allclose(back[:, -1], Y0, atol=1e-6)


@pytest.mark.parametrize("solver", ["rk4", "tsit5"])
def test_times_of_each_case_are_solved_as_if_alone(solver):
    t = torch.stack(
        [torch.linspace(0, 2, 6), torch.tensor([1.0, 1.1, 1.5, 3.0, 3.1, 6.0])]
    ).double()

    def driven(t, y):
        return -y + torch.cos(t)

    options = {"solver": solver, "rtol": 1e-9, "atol": 1e-10, "step_size": 0.01}
    options |= {"step_size": None} if solver == "tsit5" else {}
    y0 = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    ys = solve_ode(driven, y0, t, **options).ys
    for case in range(2):
        alone = solve_ode(driven, y0[case : case + 1], t[case], **options).ys
        assert torch.allclose(ys[case], alone[0], atol=1e-7)


@pytest.mark.parametrize("n_steps", [1, 4])
def test_a_step_size_divides_each_interval_evenly(n_steps):
    calls = []

    def field(t, y):
        calls.append(float(t))
        return -y

    solve_ode(field, Y0, [0.0, 1.0, 2.0], solver="euler", step_size=1.0 / n_steps + 1e-13)
    assert calls == pytest.approx([k / n_steps for k in range(2 * n_steps)])


def test_first_step_is_taken_as_given():
    times = []

    def field(t, y):
        times.append(float(t))
        return -y

    solve_ode(field, Y0, [0.0, 1.0], first_step=1e-3)
    assert max(times[:7]) == pytest.approx(1e-3)


def test_single_precision_stays_single_and_close():
    t = torch.linspace(0, 5, 11)
    single = solve_ode(lotka_volterra, Y0.float(), t).ys
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), solve_ode(lotka_volterra, Y0, t).ys, atol=1e-3)


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.0, 0.0)])
def test_an_error_is_small_beside_the_state_before_or_after_the_step(start, end, step_control):
    def field(t, y):  # a power that the error estimate sees, but far below the change itself
        return (end - start) * 6 * t**5 + 0 * y

    y0 = torch.full((2, 1), start, dtype=torch.float64)
    options = {"rtol": 0.9, "atol": 1e-12, "first_step": 1.0, "step_control": step_control}
    times = torch.tensor([[0.0, 1.0], [0.0, 1.0]]).double()
    for t in (times, times[0]):
        solution = solve_ode(field, y0, t, solver="dopri5", **options)
        assert (solution.stats.n_accepted, solution.stats.n_rejected) == (1, 0)


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
@pytest.mark.parametrize("solver", ["bosh3", "dopri5", "tsit5", "dopri8", "kvaerno5"])
def test_errors_fall_with_the_step_as_its_control_believes(solver, step_control, monkeypatch):
    seen = []

    def watch(name):
        original = getattr(Controller, name)

        def control(self, error, last_error):
            seen.append((float(torch.as_tensor(error).max()), self.order))
            return original(self, error, last_error)

        monkeypatch.setattr(Controller, name, control)

    watch("factor")
    watch("factors")
    firsts = []
    for step in (0.2, 0.1):
        seen.clear()
        options = {"first_step": step, "rtol": 1e-6, "atol": 1e-6, "step_control": step_control}
        solve_ode(lotka_volterra, Y0, [0.0, 0.3], solver=solver, **options)
        firsts.append(seen[0])
    (large, order), (small, _) = firsts
    assert np.log2(large / small) == pytest.approx(order, abs=0.5)


def test_a_step_stays_as_long_in_an_interval_of_another_length(monkeypatch):
    monkeypatch.setattr(Controller, "factor", lambda self, error, last_error: 1.0)
    times = torch.tensor([[0.0, 1.0, 3.0, 3.5]] * 2, dtype=torch.float64)  # each case its own
    stats = solve_ode(lambda t, y: 0 * y + 1, Y0, times, first_step=0.25).stats
    assert (stats.n_accepted, stats.n_rejected) == (4 + 8 + 2, 0)


@pytest.mark.parametrize("step_control", ["joint", "per_sample"])
def test_the_error_that_is_remembered_is_that_of_the_last_step_taken(step_control, monkeypatch):
    seen = []
    name = {"joint": "factor", "per_sample": "factors"}[step_control]
    original = getattr(Controller, name)

    def control(self, error, last_error):
        seen.append((float(error), float(last_error)))
        return original(self, error, last_error)

    monkeypatch.setattr(Controller, name, control)
    stats = solve_ode(lotka_volterra, Y0[:1], [0.0, 8.0], step_control=step_control).stats
    assert stats.n_rejected > 0
    remembered = 1.0
    for error, last_error in seen:
        assert last_error == remembered
        remembered = error if error <= 1 else remembered
