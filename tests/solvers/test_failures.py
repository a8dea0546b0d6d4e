"""Solves that cannot be finished say why."""

import pickle
from itertools import product

import pytest
import torch

from skdyn.exceptions import DivergenceError, MaxStepsError, StiffnessError
from skdyn.solvers import MLPField, solve_ode, solver_names
from skdyn.solvers._failures import spectral_radius

CONTROLS = ["joint", "per_sample"]
T = torch.linspace(0, 2, 5, dtype=torch.float64)
ONES = torch.ones(3, 1, dtype=torch.float64)


def square(t, y):
    return y**2


def stiff(t, y):
    return -1e6 * (y - torch.cos(t))


@pytest.mark.parametrize(
    ("solver", "dtype", "step_control"),
    [
        *product(["tsit5"], [torch.float32, torch.float64], CONTROLS),
        ("bosh3", torch.float64, "joint"),
        ("dopri8", torch.float32, "per_sample"),
        ("kvaerno5", torch.float64, "per_sample"),
    ],
)
def test_a_finite_time_blow_up_names_case_and_time(solver, dtype, step_control):
    y0 = torch.tensor([[0.1], [1.0], [0.2]], dtype=dtype)
    with pytest.raises(DivergenceError, match=r"diverges at t=(1|0\.99)\S* in case 1") as caught:
        solve_ode(square, y0, T, solver=solver, step_control=step_control, max_steps=5000)
    error = pickle.loads(pickle.dumps(caught.value))
    assert error.case == 1
    assert error.t == pytest.approx(1, abs=1e-2)
    assert error.norm > 1e6


@pytest.mark.parametrize("solver", ["euler", "midpoint", "heun", "rk4", "leapfrog"])
@pytest.mark.parametrize("per_case", [False, True])
def test_fixed_steps_that_blow_up_never_return_nan(solver, per_case):
    t = torch.linspace(0, 20, 41, dtype=torch.float64)
    y0 = torch.tensor([[0.0, 0.0], [3.0, 3.0]], dtype=torch.float64)
    with pytest.raises(DivergenceError, match="in case 1 under fixed steps"):
        solve_ode(lambda t, y: 3 * y**3, y0, t.expand(2, -1) if per_case else t, solver=solver)


@pytest.mark.parametrize("step_control", CONTROLS)
def test_a_stiff_field_ends_an_explicit_solve_with_the_spectral_radius(step_control):
    with pytest.raises(StiffnessError, match="use the implicit solver='kvaerno5'") as caught:
        solve_ode(stiff, ONES, T, step_control=step_control)
    assert caught.value.spectral_radius == pytest.approx(1e6, rel=0.01)
    assert caught.value.n_steps <= 1000


def test_joint_control_gives_up_on_a_stiff_field_early():
    with pytest.raises(StiffnessError, match="far below the time scale") as caught:
        solve_ode(stiff, ONES, T, max_steps=100_000)
    assert caught.value.n_steps < 200


def test_a_stiff_network_is_diagnosed_too():
    field = MLPField(1, (), "silu").double()
    with torch.no_grad():
        field.layers[0].weight.fill_(-1e6)
    with pytest.raises(StiffnessError, match="spectral radius of about 1e\\+06"):
        solve_ode(field, ONES, T)


@pytest.mark.parametrize("step_control", CONTROLS)
def test_a_long_but_gentle_solve_ends_at_max_steps(step_control):
    t = torch.tensor([0.0, 1000.0], dtype=torch.float64)
    with pytest.raises(MaxStepsError, match=r"50 steps were taken .* raise max_steps") as caught:
        solve_ode(
            lambda t, y: torch.cos(t) + 0 * y, ONES, t, step_control=step_control, max_steps=50
        )
    assert caught.value.n_steps == 50


@pytest.mark.parametrize("solver", solver_names())
def test_max_steps_bounds_every_solver(solver):
    y0 = torch.ones(1, 2, dtype=torch.float64)
    with pytest.raises(MaxStepsError, match="3 steps were taken"):
        solve_ode(
            lambda t, y: torch.cos(9 * t) * torch.ones_like(y),
            y0,
            torch.arange(50.0),
            solver=solver,
            max_steps=3,
        )


@pytest.mark.parametrize("step_control", CONTROLS)
def test_a_field_that_stops_being_defined_is_named(step_control):
    def field(t, y):
        return (1 - t).sqrt() * torch.ones_like(y)

    with pytest.raises(DivergenceError, match="the field is not finite beyond t=1 in case 0"):
        solve_ode(field, ONES, T, step_control=step_control)


@pytest.mark.parametrize("step_control", CONTROLS)
@pytest.mark.parametrize("solver", ["rk4", "tsit5", "kvaerno5"])
def test_a_field_undefined_at_the_start_names_the_case(solver, step_control):
    y0 = torch.tensor([[1.0], [-1.0]])
    with pytest.raises(DivergenceError, match="the field is nan at the first time t=0 in case 1"):
        solve_ode(lambda t, y: y.sqrt(), y0, T, solver=solver, step_control=step_control)


def test_the_spectral_radius_of_a_linear_field_is_found():
    matrix = torch.diag(torch.tensor([-50.0, 3.0, 1.0], dtype=torch.float64))
    radius = spectral_radius(lambda t, y: y @ matrix, None, torch.zeros(2, 3, dtype=torch.float64))
    assert torch.allclose(radius, torch.full((2,), 50.0, dtype=torch.float64), rtol=1e-3)


@pytest.mark.parametrize("step_control", CONTROLS)
def test_a_state_that_grows_beyond_measure_has_diverged_even_if_the_steps_ran_out(step_control):
    t = torch.tensor([0.0, 20.0], dtype=torch.float64)
    with pytest.raises(DivergenceError, match="the solution diverges at"):
        solve_ode(lambda t, y: 50 * y, ONES, t, step_control=step_control, max_steps=200)
