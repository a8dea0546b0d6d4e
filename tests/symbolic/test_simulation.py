import numpy as np
import pytest
from scipy.integrate import solve_ivp

from skdyn.exceptions import DivergenceError, MaxStepsError, SolverError
from skdyn.symbolic._system import EquationSystem

OSCILLATOR = EquationSystem(["v", "-x - 0.1*v + u"], ["x", "v"], ["u"])
T = np.linspace(0, 10, 101)


def test_a_simulation_is_scipys_integration_of_the_sympy_equations():
    import sympy

    system = EquationSystem(["1.5*x - x*y", "x*y - 3*y"], ["x", "y"])
    symbols = sympy.symbols("x y", real=True)
    field = sympy.lambdify(symbols, system.to_sympy())
    options = {"t_eval": T, "rtol": 1e-11, "atol": 1e-12, "method": "DOP853"}
    expected = solve_ivp(lambda t, x: field(*x), (0, 10), [1.0, 1.0], **options).y.T
    np.testing.assert_allclose(system.simulate([1.0, 1.0], T), expected, atol=1e-5)


def test_several_start_states_give_cases_with_the_times_last():
    system = EquationSystem(["-x", "-2*y"], ["x", "y"])
    X = system.simulate([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]], T)
    assert X.shape == (3, 2, 101)
    np.testing.assert_allclose(X[1, 1], 4 * np.exp(-2 * T), atol=1e-7)
    np.testing.assert_array_equal(X[1], system.simulate([3.0, 4.0], T).T)


def test_the_start_may_lie_before_the_first_time():
    x = EquationSystem(["-x"], ["x"]).simulate([1.0], [2.0, 3.0], t0=0.5)
    np.testing.assert_allclose(x[:, 0], np.exp([-1.5, -2.5]), atol=1e-7)
    assert EquationSystem(["-x"], ["x"]).simulate([1.0], [2.0]) == [[1.0]]


def test_controls_given_at_the_times_are_straight_lines_in_between():
    exact = OSCILLATOR.simulate([0.0, 0.0], T, u=lambda t: 0.3 * t - 1)
    np.testing.assert_allclose(OSCILLATOR.simulate([0, 0], T, u=0.3 * T - 1), exact, atol=1e-6)
    curved = OSCILLATOR.simulate([0.0, 0.0], T, u=np.cos(T)[:, None])
    np.testing.assert_allclose(
        curved, OSCILLATOR.simulate([0.0, 0.0], T, u=lambda t: [np.cos(t)]), atol=1e-2
    )


def test_functions_that_sympy_does_not_have_are_simulated():
    system = EquationSystem(["-bump(x)"], ["x"], functions={"bump": np.tanh})
    expected = EquationSystem(["-tanh(x)"], ["x"]).simulate([2.0], T)
    np.testing.assert_allclose(system.simulate([2.0], T), expected, atol=1e-7)


@pytest.mark.parametrize(
    ("text", "time"), [("x**2", 1.0), ("exp(x)*x", 0.3), ("-sqrt(x) - 1", 0.6), ("log(1 - x)", 0.0)]
)
def test_a_blow_up_is_an_error_that_names_time_state_and_case(text, time):
    with pytest.raises(DivergenceError, match=r"case 0 cannot be followed beyond t=.*x=\(") as info:
        EquationSystem([text], ["x"]).simulate([1.0], [0.0, 5.0])
    assert info.value.t == pytest.approx(time, abs=0.1)
    assert info.value.case == 0


def test_a_bound_ends_a_growing_solution():
    system = EquationSystem(["x"], ["x"])
    assert system.simulate([1.0], [0.0, 20.0])[-1] == pytest.approx(np.exp(20), rel=1e-6)
    with pytest.raises(SolverError, match="case 1 cannot be followed") as info:
        system.simulate([[0.0], [1.0]], [0.0, 20.0], bound=100.0)
    assert info.value.t == pytest.approx(np.log(100), abs=0.3)


def test_what_blows_up_after_the_last_time_is_no_error():
    x = EquationSystem(["x**2"], ["x"]).simulate([1.0], [0.0, 0.999])
    assert x[-1] == pytest.approx(1000, rel=1e-3)


def test_too_many_steps_are_an_error():
    with pytest.raises(MaxStepsError, match="took max_steps=10 steps between two times"):
        EquationSystem(["cos(u)"], ["x"], ["u"]).simulate(
            [0.0], [0.0, 100.0], u=lambda t: 5 * t, max_steps=10
        )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"x0": [1.0]}, r"x0 must have shape \(2,\)"),
        ({"x0": [1.0, np.nan]}, "x0 contains NaN"),
        ({"t": [0.0, 0.0]}, "t must hold one or more finite times, strictly increasing"),
        ({"t": []}, "t must hold one or more finite times"),
        ({"t0": 1.0}, "t begins at 0, before the start at t0=1"),
        ({"u": None}, "need the 1 controls u: pass u"),
        ({"u": lambda t: [1, 2]}, "u must return a value for each of the 1 controls u"),
        ({"u": np.zeros(7)}, r"shape \(101, 1\); got shape \(7, 1\)"),
    ],
)
def test_arguments_that_make_no_simulation_are_named(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        OSCILLATOR.simulate(**{"x0": [0.0, 0.0], "t": T, "u": np.zeros(101)} | arguments)


def test_equations_for_something_else_than_the_states_cannot_be_simulated():
    with pytest.raises(ValueError, match="Only equations for the derivatives of all states"):
        EquationSystem(["x"], ["x"], target_names=["y"]).simulate([1.0], T)
    with pytest.raises(ValueError, match="u was passed, but the equations have no controls"):
        EquationSystem(["x"], ["x"]).simulate([1.0], T, u=T)
