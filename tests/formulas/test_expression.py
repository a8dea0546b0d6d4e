"""Expressions written, shown and read again."""

import re

import numpy as np
import pytest
import sympy

from skdyn.formulas import latex, on_arrays, parse, show, to_sympy
from skdyn.formulas._expression import rounded, written
from skdyn.formulas._functions import FUNCTIONS

X, Y = (sympy.Symbol(name, real=True) for name in ("x0", "x1"))
EXPRESSIONS = [
    sympy.Integer(0),
    1.1 * X - 0.4 * X * Y,
    0.6 - 1.5 * X / (0.1 + 0.2 + X),
    X**0.71234567890123456 * sympy.sqrt(Y) / 3,
    2 * X * (Y + 1e-17) * sympy.exp(-Y),
    -2 * (X + Y) * sympy.exp(-Y) / 3,
    sympy.Abs(X) * sympy.cot(X) ** 2 - sympy.pi * sympy.sign(Y) + sympy.E,
    -1e300 * X / (X - Y) ** 2,
    2**X * sympy.Max(X, Y, 0),
]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_an_expression_read_from_its_text_is_the_same_to_the_last_bit(expression):
    assert parse(written(expression)) == expression
    assert parse(show(expression)) == expression


def test_a_formula_that_is_shown_and_read_is_the_same(random_text):
    formula = parse(random_text, ["x", "y"])
    assert parse(f"z' = {show(formula)}", ["x", "y"]) == formula
    assert parse(written(formula), ["x", "y"]) == formula


def test_three_digits_are_shown_so_that_three_digits_are_read(random_text):
    formula = parse(random_text, ["x", "y"])
    again = parse(show(formula, 3), ["x", "y"])
    assert again.xreplace({n: n.n(3) for n in again.atoms(sympy.Float)}) == rounded(formula, 3)


def test_the_values_of_three_digits_agree_to_three_digits():
    formula = parse("1.2345678 x - 0.000123456 x y^2 + 98765.4321/(1.11111 + y)")
    values = {"x": np.linspace(0.3, 0.9, 7), "y": np.linspace(-0.5, 2, 7)}
    shown = on_arrays(show(formula, 3), values)
    np.testing.assert_allclose(shown, on_arrays(formula, values), rtol=5e-3)


def test_names_are_put_in_and_read_again_whatever_they_are():
    names = {"x0": "prey, thousands", "x1": "sin"}
    shown = show(X * (1 + Y) + sympy.sin(Y) * X * Y * (X + 1), None, names)
    symbols = {"prey, thousands": X, "sin": Y}
    assert to_sympy(shown, symbols) == X * (1 + Y) + sympy.sin(Y) * X * Y * (X + 1)
    assert "prey, thousands (1 + sin)" in shown


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        (-0.4 * X * Y + 1.1 * X, "1.1 prey - 0.4 prey a*b"),
        (0.6 - 1.5 * X / (0.3 + X), "0.6 - 1.5 prey/(0.3 + prey)"),
        (1.00001 * X - 1.0 * Y**2, "prey - a*b^2"),
        (0.12345 * sympy.sin(2.0 * X), "0.123 sin(2 prey)"),
        (1.2345e-7 * X + 0.00012345, "0.000123 + 1.23e-7 prey"),
        (2 * X * (Y + 1.5) * sympy.exp(-Y), "2 prey (1.5 + a*b) exp(-a*b)"),
        (4e12 * X, "4e12 prey"),
        (sympy.Integer(0), "0"),
        (sympy.E * X, "exp(1) prey"),
    ],
    ids=str,
)
def test_expressions_are_shown_short_and_without_stars(expression, shown):
    assert show(expression, 3, {"x0": "prey", "x1": "a*b"}) == shown


def test_rounding_keeps_the_digits_asked_for():
    assert float(rounded(123456.789 * X, 4).coeff(X)) == pytest.approx(123500, rel=1e-3)
    assert rounded(0.99999 * X, 3) == X
    assert rounded(0.99999 * X, 6).coeff(X) == pytest.approx(0.99999)


def test_latex_orders_terms_as_the_text_does():
    assert latex(parse("2.34567 x^2 - 1.5 + x")) == "-1.5 + x + 2.35 x^{2}"


def test_fractions_stay_exact_and_names_of_sympy_are_variables():
    assert parse("x**(1/2)*pi/3") == sympy.sqrt(sympy.Symbol("x", real=True)) * sympy.pi / 3
    text = "beta*S*I/(1+E)"
    assert {s.name for s in parse(text, re.findall(r"[^\W\d]+", text)).free_symbols} == {
        "beta", "S", "I", "E"
    }  # fmt: skip


def test_functions_that_sympy_does_not_have_can_be_named():
    assert str(to_sympy("2 f(x0, x1)", {"x0": X, "x1": Y}, ["f"])) == "2*f(x0, x1)"
    own = to_sympy("sin(x0)", {"x0": X}, ["sin"])  # they come before those of the table
    assert own != sympy.sin(X)
    assert own.func.__name__ == "sin"


def test_an_expression_of_no_names_has_none():
    assert to_sympy("2 pi", {}) == 2 * sympy.pi
    with pytest.raises(ValueError, match="'x' is no name"):
        to_sympy("x", {})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_shown_so_that_it_is_read_and_has_a_latex(name):
    arguments = "x0, 2.5 x1" if FUNCTIONS[name].several else "2.5 x0 + 1"
    formula = parse(f"x1 {name}({arguments})/3", ["x0", "x1"])
    assert parse(show(formula), ["x0", "x1"]) == parse(show(formula, 3), ["x0", "x1"]) == formula
    plain = sympy.latex(getattr(sympy, name)(*(X, Y)[: 1 + FUNCTIONS[name].several]))
    assert latex(parse(f"{name}({'x0, x1' if FUNCTIONS[name].several else 'x0'})")) == plain
