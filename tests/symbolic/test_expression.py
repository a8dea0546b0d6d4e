import pytest
import sympy

from skdyn.symbolic._expression import (
    expression_from_text,
    expression_to_text,
    rounded,
    show_expression,
)

X, Y = (sympy.Symbol(name, real=True) for name in ("x0", "x1"))
SYMBOLS = {"x0": X, "x1": Y}


@pytest.mark.parametrize(
    "expression",
    [
        sympy.Integer(0),
        1.1 * X - 0.4 * X * Y,
        0.6 - 1.5 * X / (0.1 + 0.2 + X),
        X**0.71234567890123456 * sympy.sqrt(Y) / 3,
        2 * X * (Y + 1e-17) * sympy.exp(-Y),
        sympy.Abs(X) * sympy.cot(X) ** 2 - sympy.pi * sympy.sign(Y) + sympy.E,
        -1e300 * X / (X - Y) ** 2,
    ],
    ids=str,
)
def test_an_expression_read_from_its_text_is_the_same_to_the_last_bit(expression):
    assert expression_from_text(expression_to_text(expression), SYMBOLS) == expression


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x0 +", "cannot be read"),
        ("x0 + z", "'z' in the expression"),
        ("__import__('os')", "'os' is no number"),
        ("().__class__", "Attribute is no arithmetic"),
        ("x0.diff(x0)", "calls no known function"),
        ("sin(x0, evaluate=False)", "calls no known function"),
        ("[x0][0]", "Subscript is no arithmetic"),
        ("x0 if x1 else 1", "IfExp is no arithmetic"),
        ("True", "True is no number"),
        ("'x0'", "is no number"),
        ("f(x0)", "nor one of the functions"),
    ],
)
def test_text_that_is_no_arithmetic_is_refused(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        expression_from_text(text, SYMBOLS)


def test_functions_that_sympy_does_not_have_can_be_named():
    assert str(expression_from_text("2*f(x0)", SYMBOLS, ["f"])) == "2*f(x0)"


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
    ],
    ids=str,
)
def test_expressions_are_shown_short_and_without_stars(expression, shown):
    assert show_expression(expression, {"x0": "prey", "x1": "a*b"}, 3) == shown


def test_rounding_keeps_the_digits_asked_for():
    assert float(rounded(123456.789 * X, 4).coeff(X)) == pytest.approx(123500, rel=1e-3)
    assert rounded(0.99999 * X, 3) == X
    assert rounded(0.99999 * X, 6).coeff(X) == pytest.approx(0.99999)
