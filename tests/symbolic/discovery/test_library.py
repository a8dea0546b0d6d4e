from math import comb

import numpy as np
import pytest

from skdyn.symbolic.discovery._kinds import degree_of
from skdyn.symbolic.discovery._library import candidate_terms, library, monomials
from skdyn.symbolic.discovery._terms import FAMILIES, evaluate

SIGNED = [np.linspace(-2, 2, 30), np.linspace(1.5, -0.5, 30)]
POSITIVE = [np.linspace(0.1, 2, 30), np.linspace(50, 3, 30)]


@pytest.mark.parametrize("degree", range(8))
@pytest.mark.parametrize("n", range(1, 5))
def test_monomials_are_counted_by_the_binomial_formula_and_differ(n, degree):
    forms = monomials(n, degree)
    assert len({form.text for form in forms}) == len(forms) == comb(n + degree, degree)
    assert max(degree_of(form) for form in forms) == degree


def test_higher_degrees_cost_no_less():
    forms = monomials(2, 8)
    degrees = [degree_of(form) for form in forms]
    assert degrees == sorted(degrees)
    assert [form.cost for form in forms] == sorted(form.cost for form in forms)


@pytest.mark.parametrize("columns", [SIGNED, POSITIVE], ids=["signed", "positive"])
def test_every_term_has_a_value_on_its_own_data(columns):
    for term in library(columns):
        # A pole of cot, or 1 / x at 0, may fall on the data; the search leaves such terms out.
        if "cot" not in term.form.text:
            assert np.isfinite(evaluate(term, columns)).all(), term


@pytest.mark.parametrize("columns", [SIGNED, POSITIVE], ids=["signed", "positive"])
def test_every_term_names_its_constants_and_costs_something(columns):
    for term in library(columns):
        assert term.form.n_inner == len(term.inner)
        assert all(f"k{b}" in term.form.text for b in range(term.form.n_inner))
        assert f"k{term.form.n_inner}" not in term.form.text
        assert term.form.cost > 0


def test_no_term_is_there_twice():
    terms = library(POSITIVE)
    assert len(set(terms)) == len(terms)


def test_a_form_always_costs_the_same_but_for_angles_that_were_never_negative():
    costs = {term.form.text: term.form.cost for term in library(SIGNED)}
    mixed = [SIGNED[0], POSITIVE[1]]
    for term in library(POSITIVE) + library(mixed):
        before = costs.setdefault(term.form.text, term.form.cost)
        assert term.form.cost == before or term.form.family == "trigonometric"
    now = {term.form.text: term.form.cost for term in library(mixed)}
    dearer = {text for text in now if now[text] > costs[text]}
    assert {"sin(x1)", "cos(k0*x1)", "sin(x1 + x0)", "x0*cos(x1)"} <= dearer
    assert dearer.isdisjoint({"sin(x0)", "sin(x1 - x0)", "cos(k0*x0)", "x1*cos(x0)", "x0*x1"})


def test_families_are_chosen_and_together_are_all():
    whole = library(POSITIVE)
    parts = [term for family in FAMILIES for term in library(POSITIVE, (family,))]
    assert sorted(whole) == sorted(parts)


def test_the_degree_is_chosen_or_keeps_the_number_of_monomials_moderate():
    assert len(library(SIGNED, ("polynomial",), 1)) == 3
    for n in range(1, 8):
        assert len(library([SIGNED[0]] * n, ("polynomial",))) <= 40


def test_logarithms_roots_and_reciprocals_are_for_positive_data():
    needy = {"log(x0)", "sqrt(x1)", "1/x0", "x0/x1"}
    assert needy <= {term.form.text for term in library(POSITIVE)}
    assert not needy & {term.form.text for term in library(SIGNED)}


def test_poles_of_rational_terms_lie_outside_the_data():
    for term in library(SIGNED, ("rational",)):
        if term.form.text.startswith("1/"):
            assert (evaluate(term, SIGNED) > 0).all(), term


def test_starts_of_inner_constants_follow_the_units_of_the_data():
    thousandfold = [1000 * column for column in POSITIVE]
    for a, b in zip(library(POSITIVE), library(thousandfold)):
        assert a.form == b.form
        if a.inner:
            factor = evaluate(b, thousandfold) / evaluate(a, POSITIVE)
            assert factor == pytest.approx(np.full(30, factor[0]), rel=1e-6), a


def test_terms_without_a_value_on_the_data_are_left_out():
    X = np.linspace(-1.0, 1.0, 21)[:, None]
    texts = {term.form.text for term in candidate_terms(("polynomial", "trigonometric"), 1, X)}
    assert "sin(x0)" in texts
    assert "cot(x0)" not in texts  # x is zero once


def test_families_without_a_value_are_an_error_that_names_them():
    X = np.linspace(-1.0, 1.0, 20)[:, None]
    with pytest.raises(ValueError, match=r"No term of families=\('logarithmic', 'power'"):
        candidate_terms(("logarithmic", "power"), None, X)
    with pytest.raises(ValueError, match="families must be 'all' or some of polynomial"):
        candidate_terms(("polynomials",), None, X)
