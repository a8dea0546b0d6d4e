import ast

import numpy as np
import pytest

from skdyn._formula_text import formula_tree


@pytest.mark.parametrize(
    "text", ["x", "-x0**2 + 1.1*x1", "sin(2*x)/(1 + y)", "x**(1/2)", "2**10*x", "Max(x, 0)", "f()"]
)
def test_arithmetic_is_read_as_python_reads_it(text):
    assert ast.unparse(formula_tree(text)) == ast.unparse(ast.parse(text, mode="eval"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x.real", "Attribute is no arithmetic"),
        ("[x]", "List is no arithmetic"),
        ("x if x else y", "IfExp is no arithmetic"),
        ("x // y", "FloorDiv is no arithmetic"),
        ("~x", "Invert is no arithmetic"),
        ("(lambda: 0)()", "calls no known function"),
        ("f(x=1)", "calls no known function"),
        ("f(*x)", "Starred is no arithmetic"),
        ("'x'", "'x' is no number"),
        ("1j * x", "1j is no number"),
        ("True", "True is no number"),
        ("x +", "cannot be read"),
        ("", "cannot be read"),
        ("x\0", "cannot be read"),
        ("1e999", "too large"),
        ("1/0", "no finite value"),
        ("log(-1)", "no finite value"),
        ("exp(exp(exp(9)))", "no finite value"),
        (5, "is a text"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError, match=rf"(?s)The formula .* is refused: .*{reason}"):
        formula_tree(text)


@pytest.mark.parametrize(
    "text",
    [
        "9**9**8",
        "x**(9**9)",
        "((9**100)**100)**100",
        "((x**100)**100)**100",
        "(10000001/10000000)**1000000000",
        "*".join(["9**999"] * 9),
        "(2*x)**1001",
        "1" + "0" * 400,
        "(" * 150 + "x" + ")**9" * 150,
        "-" * 700 + "x",
        "-" * 60_000 + "x",
        "+".join(["x"] * 700),
        "x" * 100_001,
        "(" * 50_000 + "x" + ")" * 50_000,
    ],
)
def test_what_would_take_for_ever_is_refused_at_once(text):
    with pytest.raises(ValueError, match="is refused"):
        formula_tree(text)


def test_only_known_names_are_let_through():
    assert isinstance(formula_tree("sin(x)", {"sin", "x"}), ast.Call)
    with pytest.raises(ValueError, match="'y' is no name"):
        formula_tree("x + y", {"x"})
    with pytest.raises(ValueError, match="open"):
        formula_tree("open(x)", {"x"})
    assert formula_tree("k0", lambda name: name.startswith("k"))


def test_many_terms_with_many_numbers_are_no_matter():
    text = " + ".join(f"{c}*x0*x1**2" for c in np.linspace(-3, 3, 300))
    assert isinstance(formula_tree(text), ast.BinOp)
