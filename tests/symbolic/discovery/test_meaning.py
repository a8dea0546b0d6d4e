import numpy as np
import pytest

from skdyn.symbolic.discovery._meaning import (
    covers,
    generic,
    has_parity,
    is_bounded,
    probes,
    read_term,
    same,
)
from skdyn.symbolic.discovery._terms import Form, Term, evaluate

NAMES = ["x", "v"]


def term(text, *inner):
    return Term(Form(text, 1.0, len(inner)), inner)


@pytest.mark.parametrize(
    ("written", "own"),
    [
        ("v*x", "x0*x1"), ("-3*x*v", "x0*x1"), ("x**2", "x0*x0"), ("2*sin(x)*cos(x)", "sin(2*x0)"),
        ("exp(x + v)", "exp(x0)*exp(x1)"), ("1/(2 + 2*x)", "1/(1 + x0)"), ("sqrt(x)", "x0**0.5"),
        ("pi", "1"), ("x0", "x0"), ("atan(x)", "arctan(x0)"), ("2 x^2 v", "x1*x0**2"),
        ("max(x, v, 1)", "Max(x1, x0, 1)"),
    ],
)  # fmt: skip
def test_a_term_is_known_by_its_meaning_and_not_by_its_spelling(written, own):
    assert same(read_term(written, NAMES), term(own), probes(2))


def test_signs_are_told_apart_in_any_unit():
    small = [1e-9 * column for column in probes(2)]
    assert has_parity(term("x0*x1"), (-1, 1), -1, small)
    assert not has_parity(term("x0*x1"), (-1, 1), 1, small)


@pytest.mark.parametrize(
    ("written", "own"),
    [("x", "x1"), ("x", "Abs(x0)"), ("x*v", "x0*x1 + 0.001"), ("sin(x)", "x0"), ("x**2", "x0**3")],
)
def test_what_differs_is_told_apart(written, own):
    assert not same(read_term(written, NAMES), term(own), probes(2))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("__import__('os').getcwd()", "character 12: .* has no meaning"),
        ("x.real", r"character 2: '\.' has no meaning"),
        ("x if v else x", "'if' is none of the names"),
        ("y", "'y' is none of the names"),
        ("k0*x", "'k0' is none of the names"),
    ],
)
def test_only_formulas_of_the_variables_are_read(text, said):
    with pytest.raises(ValueError, match=said):
        read_term(text, NAMES)


def test_a_term_that_is_zero_is_refused():
    with pytest.raises(ValueError, match="is zero"):
        read_term("x - x", NAMES)
    with pytest.raises(ValueError, match="a term is text"):
        read_term(3, NAMES)


@pytest.mark.parametrize(
    ("form", "own", "covered"),
    [
        ("x/(1 + k0*x)", term("x0/(k0 + x0)", 0.3), True),  # the same, parametrised differently
        ("exp(k0*x)", term("exp(-x0)"), True),
        ("exp(k0*x)", term("exp(-k0*x0**2)", 1.0), False),
        ("x/(k0 + x)", term("x1/(k0 + x1)", 1.0), False),
        ("exp(x)", term("exp(k0*x0)", 1.0), False),  # which is more than what is written
        ("sin(k0*x)", term("cos(k0*x0)", 1.0), False),
        ("1/(exp(k0 + k1*x) + 1)", term("1/(k0*exp(k1*x0) + 1)", 1.0, 2.0), True),
    ],
)
def test_free_constants_stand_for_any_number(form, own, covered):
    read = read_term(form, NAMES, 3)
    assert covers(read, generic(own), probes(2)) == covered


@pytest.mark.parametrize(
    ("text", "parity"),
    [("x0", -1), ("x0*x1", 1), ("x0*x1**2", -1), ("sin(x0)*cos(x1)", -1), ("Abs(x0)", 1)],
)
def test_parity_under_a_change_of_all_signs(text, parity):
    assert has_parity(term(text), [-1, -1], parity, probes(2))
    assert not has_parity(term(text), [-1, -1], -parity, probes(2))


@pytest.mark.parametrize("text", ["exp(x0)", "log(x0)", "1 + x0", "sqrt(x1)"])
def test_what_is_neither_even_nor_odd_has_no_parity(text):
    assert not any(has_parity(term(text), [-1, -1], parity, probes(2)) for parity in (-1, 1))


BOTH = np.random.default_rng(0).normal(size=(50, 2))


@pytest.mark.parametrize(
    ("own", "everywhere", "where_positive"),
    [
        (term("sin(x0)"), True, True), (term("tanh(k0*x1)", 2.0), True, True),
        (term("1"), True, True), (term("1/(k0 + x0**2)", 0.01), True, True),
        (term("x0/(k0 + x0)", 0.5), False, True), (term("exp(-x0)"), False, True),
        (term("x0*exp(k0*x0)", -1.0), False, True), (term("x0"), False, False),
        (term("log(x0)"), False, False), (term("1/x0"), False, False),
        (term("tan(x0)"), False, False), (term("x0*x1/(k0 + x1)", 0.5), False, False),
    ],
)  # fmt: skip
def test_a_term_is_bounded_where_the_states_may_go(own, everywhere, where_positive):
    assert is_bounded(own, 2, BOTH) == everywhere
    assert is_bounded(own, 2, np.abs(BOTH)) == where_positive


def test_a_control_stays_in_its_range():
    assert is_bounded(term("x1"), 1, BOTH)


def test_a_read_term_is_what_the_user_wrote():
    x = np.linspace(0.1, 2.0, 9)
    read = read_term("sin(v)**2/(1 + x)", NAMES)
    np.testing.assert_allclose(evaluate(read, [x, 2 * x]), np.sin(2 * x) ** 2 / (1 + x))
