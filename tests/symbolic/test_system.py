import copy
import pickle

import numpy as np
import pytest
import sympy

from skdyn.formulas import on_arrays
from skdyn.formulas._functions import FUNCTIONS
from skdyn.symbolic._system import EquationSystem

x, y, w = sympy.symbols("x y w")
SYSTEM = EquationSystem([1.1 * x - 0.4 * x * y, sympy.sin(w) * y - y / 3], ["x", "y"], ["w"])
RNG = np.random.default_rng(0)
STATES, CONTROLS = RNG.normal(size=(7, 2)), RNG.normal(size=(7, 1))


def test_right_hand_sides_are_those_of_the_expressions_row_by_row():
    values = SYSTEM.rhs(STATES, CONTROLS)
    a, b, c = STATES[:, 0], STATES[:, 1], CONTROLS[:, 0]
    np.testing.assert_allclose(values, np.stack([1.1 * a - 0.4 * a * b, np.sin(c) * b - b / 3], 1))
    for i in range(7):
        row = SYSTEM.rhs(STATES[i : i + 1], CONTROLS[i])
        np.testing.assert_allclose(row, values[i : i + 1], rtol=1e-14)


def test_constants_are_repeated_and_no_value_is_not_finite():
    system = EquationSystem(["2", "0", "log(x)"], ["x", "y", "z"])
    values = system.rhs([[1.0, 0, 0], [-1.0, 0, 0]])
    np.testing.assert_array_equal(values, [[2, 0, 0], [2, 0, np.nan]])


def test_the_jacobian_is_the_limit_of_differences():
    functions = {"mine": np.tanh}
    own = EquationSystem(["mine(x) + y", "x*y"], ["x", "y"], functions=functions)
    known = EquationSystem(["tanh(x) + y", "x*y"], ["x", "y"])
    np.testing.assert_allclose(own.jacobian(STATES), known.jacobian(STATES), atol=1e-8)
    np.testing.assert_allclose(
        SYSTEM.jacobian(STATES, CONTROLS),
        SYSTEM._jacobian_by_differences(STATES, CONTROLS),
        atol=1e-8,
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_of_the_grammar_can_be_evaluated_differentiated_and_solved(name):
    text = f"{name}(x, 0.2)" if FUNCTIONS[name].several else f"{name}(x)"
    system = EquationSystem([text], ["x"])
    x = np.array([[1.4 if name == "acosh" else 0.4]])
    np.testing.assert_allclose(system.rhs(x)[0], on_arrays(text, {"x": x[0]}), rtol=1e-13)
    differences = system._jacobian_by_differences(x, None)
    np.testing.assert_allclose(system.jacobian(x), differences, rtol=1e-6, atol=1e-9)
    assert system._compiled_scalar(x[0, 0])[0] == pytest.approx(system.rhs(x)[0, 0], rel=1e-13)


def test_what_was_pickled_is_small_plain_and_gives_the_same_bits():
    SYSTEM.simulate([1.0, 1.0], [0.0, 1.0], u=[0.0, 0.0])
    pickled = pickle.dumps(SYSTEM)
    assert len(pickled) < 500
    assert b"sympy" not in pickled
    for other in (pickle.loads(pickled), copy.deepcopy(SYSTEM)):
        assert other == SYSTEM
        np.testing.assert_array_equal(other.rhs(STATES, CONTROLS), SYSTEM.rhs(STATES, CONTROLS))
        assert other.to_sympy() == SYSTEM.to_sympy()


def test_names_may_be_any_text():
    symbols = [sympy.Symbol(name) for name in ("prey density", "x0", "lambda")]
    system = EquationSystem(
        [symbols[0] * symbols[1], -2.0 * symbols[2]], ["prey density", "x0"], ["lambda"]
    )
    assert system.equations() == ["prey density' = prey density x0", "x0' = -2 lambda"]
    np.testing.assert_allclose(system.rhs([[2.0, 3.0]], [[5.0]]), [[6.0, -10.0]])
    assert {s.name for e in system.to_sympy() for s in e.free_symbols} == {s.name for s in symbols}


def test_symbols_are_real_and_bear_the_names():
    (first, _) = SYSTEM.to_sympy()
    assert first.free_symbols == set(sympy.symbols("x y", real=True))


def test_equations_are_written_for_people_and_for_latex():
    assert SYSTEM.equations() == ["x' = 1.1 x - 0.4 x y", "y' = -y/3 + y sin(w)"]
    assert repr(SYSTEM) == "\n".join(SYSTEM.equations())
    assert EquationSystem(["1.23456*x"], ["x"]).equations(precision=5) == ["x' = 1.2346 x"]
    assert EquationSystem(["x"], ["x"], target_names=["rate"]).equations() == ["rate = x"]
    assert r"\dot{x} &= 1.1 x - 0.4 x y" in SYSTEM.latex()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (([x + sympy.Symbol("q")], ["x"]), r"q \+ x contains q, but the states and controls are x"),
        ((["x"], ["x", "y"]), "one for each of the 2 equations; got 1"),
        ((["x", "x"], ["x", "x"]), "need names of their own"),
        ((["import os"], ["x"]), "character 1: 'import' is none of the names x"),
    ],
)
def test_what_makes_no_system_is_refused(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        EquationSystem(*arguments)


@pytest.mark.parametrize(
    ("X", "u", "complaint"),
    [
        (STATES[:, :1], CONTROLS, r"shape \(n_samples, 2\); got shape \(7, 1\)"),
        (STATES, None, "have the controls w: pass u"),
        (STATES, CONTROLS[:3], r"u must have shape \(7, 1\)"),
    ],
)
def test_states_and_controls_that_do_not_fit_are_refused(X, u, complaint):
    with pytest.raises(ValueError, match=complaint):
        SYSTEM.rhs(X, u)


def test_controls_of_a_system_without_any_are_refused():
    with pytest.raises(ValueError, match="the equations have no controls"):
        EquationSystem(["x"], ["x"]).rhs([[1.0]], [[1.0]])
