import numpy as np
import pytest
import sympy

from skdyn.formulas import to_sympy
from skdyn.symbolic.discovery._library import library
from skdyn.symbolic.discovery._terms import (
    Form,
    Term,
    evaluate,
    substituted,
)

COLUMNS = list(np.random.default_rng(0).uniform(0.2, 1.2, size=(2, 5)))


def every_form():
    """One term of each form that the library knows for two positive and one signed variable."""
    columns = [*COLUMNS, np.linspace(-1, 1, 5)]
    return list({term.form.text: term for term in library(columns)}.values()), columns


def test_every_form_evaluates_in_numpy_as_in_sympy():
    terms, columns = every_form()
    names = [sympy.Symbol(f"x{i}", real=True) for i in range(3)]
    point = [float(column[3]) for column in columns]
    assert len(terms) > 200
    for term in terms:
        text = substituted(term.form, [f"({float(k)!r})" for k in term.inner])
        expression = to_sympy(text, {str(name): name for name in names})
        exact = expression.subs(dict(zip(names, point)))
        assert float(exact) == pytest.approx(evaluate(term, columns)[3], rel=1e-12), text


def test_a_term_is_as_long_as_its_columns_even_if_it_is_constant():
    assert evaluate(Term(Form("1", 0.0)), COLUMNS).tolist() == [1.0] * 5


def test_inner_constants_take_their_places():
    term = Term(Form("x1*x0/(k0 + x0) + k1", 0.0, 2), (0.5, 3.0))
    x, y = COLUMNS
    assert evaluate(term, COLUMNS) == pytest.approx(x * y / (0.5 + x) + 3.0)


def test_a_term_without_a_value_says_so_without_a_warning():
    with np.errstate(all="raise"):
        assert not np.isfinite(evaluate(Term(Form("log(x0)", 0.0)), [np.array([0.0, -1.0])])).any()


def test_names_of_constants_and_variables_are_replaced_whole():
    form = Form("k1*x1*x10 + exp(k0*x0)", 0.0, 2)
    assert substituted(form, ["a", "b"]) == "b*x1*x10 + exp(a*x0)"
    variables = ["prey", "predator"] + [f"u{i}" for i in range(9)]
    assert substituted(form, ["a", "b"], variables) == "b*predator*u8 + exp(a*prey)"
