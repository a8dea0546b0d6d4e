import pickle

import numpy as np
import pytest

from skdyn.formulas._functions import FUNCTIONS
from skdyn.symbolic.discovery._kinds import angles_of, degree_of, family_of
from skdyn.symbolic.discovery._library import library
from skdyn.symbolic.discovery._terms import FAMILIES, Form

COLUMNS = [*np.random.default_rng(0).uniform(0.2, 1.2, size=(2, 5)), np.linspace(-1, 1, 5)]


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_makes_terms_of_its_kind(family):
    terms = library(COLUMNS, (family,))
    assert terms
    assert {term.form.family for term in terms} == {family}


@pytest.mark.parametrize(
    ("text", "family"),
    [("x0/3", "polynomial"), ("x0/k0", "polynomial"), ("(x0 + 1)**2*x1", "polynomial"),
     ("1/(x0 + 2)", "rational"), ("1/(x1*(x0 + 2)**2)", "rational"), ("(k0 + x0)**-2", "rational"),
     ("x0**-2", "power"), ("x0/(x1*x2)", "power"), ("x0**1.5", "power"), ("x0**k0", "power"),
     ("2**x0", "exponential"), ("x0/exp(k0 + x1)", "exponential"),
     ("1/(1 + exp(-x0))", "sigmoid"), ("x1/(2.5 + exp(k0*x0))", "sigmoid"),
     ("x0*sin(x1)/(1 + x0)", "trigonometric"), ("log(x0)/x0", "logarithmic"),
     ("Abs(x0)*x1", "absolute"), ("1/sqrt(x0)", "power")],
)  # fmt: skip
def test_the_kind_follows_from_what_a_formula_is_however_it_is_written(text, family):
    assert family_of(text) == family


def test_every_function_of_terms_has_a_kind():
    for name in FUNCTIONS:
        assert family_of(f"{name}(x0, x1)" if FUNCTIONS[name].several else f"{name}(x0)") in set(
            FAMILIES
        ) - {"polynomial", "rational"}


@pytest.mark.parametrize(
    ("text", "degree"),
    [("1", 0), ("x0", 1), ("x0*x1", 2), ("x0**3", 3), ("x0**2*x12**3", 5), ("sin(x0)", 0),
     ("x0/(k0 + x1)", 0), ("x0*(x1 + x0**2)", 3), ("-x0/2", 1), ("(x0 + x1)**2", 2)],
)  # fmt: skip
def test_the_degree_is_that_of_the_polynomial_multiplied_out(text, degree):
    assert degree_of(Form(text, 0.0)) == degree


def test_angles_are_what_stands_within_sines_but_for_differences():
    assert angles_of("x2*sin(k0*x0)*cot(x1)**2") == {0, 1}
    assert angles_of("cos(x1 + x0)") == {0, 1}
    assert angles_of("cos(x1 - x0)") == angles_of("x0*exp(x1)") == set()


def test_a_form_keeps_its_kind_through_copies_and_pickles():
    form = Form("x0/(k0 + x0)", 4.0, 1)
    for other in (pickle.loads(pickle.dumps(form)), form._replace(cost=1.0)):
        assert other.family == form.family == "rational"
    assert pickle.loads(pickle.dumps(form)) == form
