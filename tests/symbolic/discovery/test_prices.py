from unittest.mock import patch

import numpy as np

from skdyn.symbolic.discovery import _prices as prices
from skdyn.symbolic.discovery._library import library, monomials
from skdyn.symbolic.discovery._search import structure_cost

COLUMNS = [np.linspace(0.1, 2, 30), np.linspace(50, 3, 30), np.linspace(-1, 1, 30)]


def costs():
    return {term.form.cost for term in library(COLUMNS)}


def test_every_price_of_a_form_is_that_of_some_form_and_every_form_has_one():
    marks = {name: 1000.0 + i for i, name in enumerate(prices.FORMS)}
    with patch.dict(prices.FORMS, marks), patch.multiple(prices, RARER=0.0, NO_ANGLE=0.0):
        assert costs() == set(marks.values()) | {form.cost for form in monomials(3, 3)}


def test_a_price_counts_from_the_moment_it_is_set():
    before = costs()
    with patch.dict(prices.FORMS, {"1/x": 500.0}), patch.object(prices, "RARER", 70.0):
        assert 570.0 in costs()
        assert structure_cost(library(COLUMNS[:1], ("power",)), 10) > 500.0
    assert costs() == before


def test_monomials_cost_the_more_the_higher_also_beyond_the_degrees_with_a_price():
    by_degree = [form.cost for form in monomials(1, 9)]
    assert by_degree == sorted(by_degree)
    beyond = by_degree[max(prices.DEGREES) :]
    np.testing.assert_allclose(np.diff(beyond), prices.MORE_DEGREE)
