"""Stepping each case at its own pace."""

import pytest
import torch

from skdyn.exceptions import SolverWarning
from skdyn.solvers import MLPField, solve_ode

torch.set_num_threads(1)
T = torch.linspace(0, 3, 13, dtype=torch.float64)


def oscillators(t, y):
    """Case by case another frequency, carried as a third state."""
    return torch.stack([y[:, 2] * y[:, 1], -y[:, 2] * y[:, 0], 0 * y[:, 2]], dim=1)


def starts(frequencies):
    frequencies = torch.tensor(frequencies, dtype=torch.float64)
    return torch.stack([torch.ones_like(frequencies), 0 * frequencies, frequencies], dim=1)


@pytest.mark.parametrize("solver", ["tsit5", "dopri5", "bosh3", "kvaerno5"])
def test_the_answer_of_a_case_does_not_depend_on_its_company(solver):
    options = {"solver": solver, "step_control": "per_sample"}
    y0, t = starts([0.5, 8.0, 2.0]), T[:6]
    together = solve_ode(oscillators, y0, t, **options).ys
    for case in range(len(y0)):
        alone = solve_ode(oscillators, y0[case : case + 1], t, **options).ys[0]
        assert torch.allclose(together[case], alone, rtol=0, atol=1e-12)


def test_a_network_predicts_a_case_alone_as_in_company():
    field = MLPField(2, (16,)).double()
    y0 = torch.linspace(-2, 2, 40, dtype=torch.float64).view(20, 2)
    together = solve_ode(field, y0, T, step_control="per_sample").ys
    alone = torch.cat([solve_ode(field, y, T, step_control="per_sample").ys for y in y0.split(1)])
    # Matrix products of other sizes round otherwise, and step sizes pass it on: up to 4e-12 in
    # sixty networks. Joint control would differ by the tolerance, 1e-6.
    assert torch.allclose(together, alone, rtol=0, atol=1e-10)
    joint = torch.cat([solve_ode(field, y, T).ys for y in y0.split(1)])
    assert (solve_ode(field, y0, T).ys - joint).abs().max() > 1e-8


def test_each_case_is_as_accurate_as_alone_next_to_a_fast_one():
    y0 = starts([1.0, 60.0])
    options = {"step_control": "per_sample", "rtol": 1e-7, "atol": 1e-8, "max_steps": 5000}
    ys = solve_ode(oscillators, y0, T, **options).ys
    exact = torch.cos(y0[:, 2:] * T)
    assert (ys[..., 0] - exact)[0].abs().max() < 1e-6
    assert (ys[..., 0] - exact)[1].abs().max() < 1e-4


def test_cases_may_start_and_end_at_times_of_their_own_in_either_direction():
    t = torch.stack([T, 5 - T, 2 + 0.1 * T])
    ys = solve_ode(
        lambda t, y: -y + 0 * t, torch.ones(3, 1).double(), t, step_control="per_sample"
    ).ys
    assert torch.allclose(ys[..., 0], torch.exp(t[:, :1] - t), rtol=1e-4)


def test_a_failed_case_is_nan_from_where_it_stopped_and_the_others_are_as_without_it():
    y0 = torch.tensor([[0.1], [1.0], [0.2]], dtype=torch.float64)
    options = {"step_control": "per_sample", "on_failure": "warn"}
    with pytest.warns(SolverWarning, match=r"1 of 3 cases .* \(cases 1\)"):
        ys = solve_ode(lambda t, y: y**2, y0, T, **options).ys
    sane = solve_ode(lambda t, y: y**2, y0[[0, 2]], T, **options).ys
    assert torch.allclose(ys[[0, 2]], sane, rtol=0, atol=1e-12)
    assert torch.equal(torch.isnan(ys[1, :, 0]), T > 1)


def test_a_case_without_a_derivative_at_its_start_fails_alone():
    y0 = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    with pytest.warns(SolverWarning, match="1 of 2 cases"):
        ys = solve_ode(
            lambda t, y: y.sqrt(), y0, T, step_control="per_sample", on_failure="warn"
        ).ys
    assert torch.allclose(ys[0, :, 0], (1 + T / 2) ** 2, rtol=1e-5)
    assert bool(torch.isnan(ys[1, 1:]).all())
