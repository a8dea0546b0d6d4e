import numpy as np
import pytest
import sympy

from skdyn.symbolic.libraries._formula import (
    FUNCTIONS,
    evaluate_formula,
    formula_to_sympy,
    is_compound,
    substitute,
    variables_of,
)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_means_the_same_to_numpy_and_sympy(name):
    point = 1.5 if "acosh" in name or "arccosh" in name else 0.3
    x = sympy.Symbol("x")
    wanted = float(formula_to_sympy(f"{name}(x)", {"x": x}).subs(x, point))
    assert evaluate_formula(f"{name}(x)", {"x": point}) == pytest.approx(wanted, rel=1e-13)


def test_fractions_stay_exact_in_sympy():
    x = sympy.Symbol("x")
    assert formula_to_sympy("x**(1/2)*pi/3", {"x": x}) == sympy.sqrt(x) * sympy.pi / 3


def test_names_that_sympy_uses_itself_are_variables_all_the_same():
    symbols = {name: sympy.Symbol(name) for name in ("E", "I", "S", "beta")}
    text = "beta*S*I/(1+E)"
    assert formula_to_sympy(text, symbols).free_symbols == set(symbols.values())
    assert evaluate_formula(text, {"beta": 2.0, "S": 3.0, "I": 4.0, "E": 1.0}) == 12.0


def test_variables_come_in_alphabetical_order_without_functions_and_constants():
    assert variables_of("y*exp(-x)/pi + drag(u, x)", ["drag"]) == ["u", "x", "y"]
    assert variables_of("1") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x +", "it cannot be read"),
        ("", "it cannot be read"),
        ("x if x > 0 else 0", "IfExp is no arithmetic"),
        ("x.real", "Attribute is no arithmetic"),
        ("__import__('os')", "'os' is no number"),
        ("open(x)", "calls no known function"),
        ("().__class__", "no arithmetic"),
        ("foo(x)", "calls no known function"),
        ("exp(x, y)", "calls no known function of one value"),
        ("exp(x)(y)", "calls no known function"),
        ("drag(x, by=y)", "calls no known function"),
        ("drag(*x)", "Starred is no arithmetic"),
        ("x * 'a'", "'a' is no number"),
        ("x * True", "True is no number"),
        ("exp * x", "exp is a function and needs an argument"),
        ("drag * x", "drag is a function and needs an argument"),
        ("x // 2", "FloorDiv is no arithmetic"),
        ("pi", "it has no variable"),
    ],
)
def test_what_is_no_formula_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError, match=f"(?s)functions names .*({reason}).*pass a callable"):
        variables_of(text, ["drag"])


def test_variables_are_replaced_all_at_once_and_as_whole_words():
    swapped = substitute("x*exp(-y)+x1", {"x": "y", "y": "x", "e": "bad"})
    assert swapped == "y*exp(-x)+x1"
    assert substitute("1e3*x", {"e3": "bad", "x": "speed of rotor"}) == "1e3*speed of rotor"


def test_a_sum_needs_brackets_as_a_factor_and_a_call_does_not():
    assert is_compound("x+y")
    assert is_compound("-x")
    assert not is_compound("sin(x+y)")
    assert not is_compound("x")


def test_values_are_those_of_numpy():
    x = np.linspace(0.1, 2, 5)
    np.testing.assert_array_equal(
        evaluate_formula("x**2/(1+log(x))", {"x": x}), x**2 / (1 + np.log(x))
    )
