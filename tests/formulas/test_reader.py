"""One reader: what is written side by side, left sides, and what is refused and where."""

import ast

import pytest

from skdyn.formulas._reader import names_in, read, renamed


def as_python(text):
    return ast.unparse(ast.parse(text, mode="eval"))


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("-x0**2 + 1.1*x1", "-x0**2 + 1.1*x1"), ("x^2", "x**2"), ("-x^2", "-(x**2)"),
        ("2^-x^2", "2**-(x**2)"), ("x^y^2", "x**(y**2)"), ("a - b - c", "(a - b) - c"),
        ("a/b/c", "(a/b)/c"), ("2 x", "2*x"), ("2x", "2*x"), ("x y", "x*y"), ("x y^2", "x*y**2"),
        ("a/2 b", "(a/2)*b"), ("2 (x + 1)", "2*(x + 1)"), ("(x)(y)", "x*y"), ("x (y)", "x*y"),
        ("1e-3 x", "0.001*x"), ("1.e3x", "1000.0*x"), (".5 x", "0.5*x"), ("2 e3", "2*e3"),
        ("2 sin(x) cos(y)", "2*sin(x)*cos(y)"), ("ln(x)", "log(x)"), ("arcsin(x)", "asin(x)"),
        ("abs(x)", "Abs(x)"), ("max(x, y, 1)", "Max(x, y, 1)"), ("+x", "x"), ("- -x", "--x"),
        ("x' = 1.1 x", "1.1*x"), ("dx/dt = 2 x", "2*x"), ("  y=x ", "x"), ("\tx\n", "x"),
        ("pi x", "pi*x"), ("x*-y", "x*-y"),
    ],
)  # fmt: skip
def test_a_formula_is_read_as_people_mean_it(text, python):
    assert ast.unparse(read(text)) == as_python(python)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x.real", r"at character 2: '\.' has no meaning"),
        ("[x]", r"at character 1: '\['"),
        ("x if x else y", r"'if' is no name nor"),
        ("x // y", "at character 4: '/' stands where"),
        ("~x", "at character 1: '~'"),
        ("(lambda: 0)()", "at character 8: ':'"),
        ("sin(x=1)", "at character 6: '='"),
        ("sin(*x)", r"at character 5: '\^|at character 5: '\*' stands where"),
        ("'x'", 'at character 1: "\'" has no meaning'),
        ("__import__('os')", "no meaning|no known function"),
        ("x +", "at character 4: it ends where"),
        ("", "at character 1: it ends where"),
        ("x\0", "at character 2"),
        ("(x", r"at character 3: '\)' is missing"),
        ("x)", r"at character 2: '\)' does not belong here"),
        ("x 2", "at character 3: '2' does not belong here"),
        ("0x10", "at character 2: 'x10' does not belong here"),
        ("x = y = 2", "at character 7: '='"),
        ("sin x", "at character 1: sin is a function and needs an argument"),
        ("foo(x)", "at character 1: foo.. calls no known function"),
        ("exp(x, y)", "of 2 values: it takes 1"),
        ("exp()", "of 0 values: it takes 1"),
        ("max(x)", "of 1 values: it takes two"),
        ("sin(x,)", "at character 7"),
    ],
)
def test_anything_else_is_refused_with_the_place_and_the_reason(text, reason):
    with pytest.raises(ValueError, match=rf"(?s)The formula .* is refused.*({reason})"):
        read(text)


def test_only_declared_names_are_let_through():
    assert read("sin(x)", {"x"})
    for text in ("x + y", "y(x)", "open(x)"):
        with pytest.raises(ValueError, match=r"'(y|open)' is none of the names x nor"):
            read(text, {"x"})


def test_a_declared_name_before_brackets_is_a_factor():
    assert ast.unparse(read("x(1 + y)", ["x", "y"])) == "x * (1 + y)"


def test_names_may_be_any_texts_and_the_longest_comes_first():
    names = ["a", "a*b", "prey, thousands"]
    tree = read("2 a*b a + prey, thousands", names)
    assert sorted(n.id for n in ast.walk(tree) if isinstance(n, ast.Name)) == names
    assert ast.unparse(read("a b c/d a b", ["a b", "a b c/d"])) == "a b c/d * a b"
    assert ast.unparse(read("lambda x", ["lambda", "x"])) == "lambda * x"
    assert ast.unparse(read("a*b' = 2 a*b", ["a*b"])) == "2 * a*b"


def test_names_come_before_constants_and_may_be_those_of_functions():
    assert ast.unparse(read("E sin*(x) + sin(x)", ["E", "sin", "x"])) == "E * sin * x + sin(x)"


def test_other_functions_can_be_declared():
    assert ast.unparse(read("2 drag(u, x)", ["u", "x"], ["drag"])) == "2 * drag(u, x)"
    with pytest.raises(ValueError, match="'drag' is none of the names x"):
        read("drag*x", ["x"], ["drag"])


def test_variables_come_in_alphabetical_order_without_functions_and_constants():
    assert names_in("y*exp(-x)/pi + drag(u, x)", ["drag"]) == ["u", "x", "y"]
    assert names_in("1") == []


def test_words_are_replaced_all_at_once_and_whole():
    assert renamed("x*exp(-y)+x1", {"x": "y", "y": "x", "e": "bad"}) == "y*exp(-x)+x1"
    assert renamed("1e3*x", {"e3": "bad", "x": "speed of rotor"}) == "1e3*speed of rotor"
