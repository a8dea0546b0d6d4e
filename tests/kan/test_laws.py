"""Laws judged: by rows held out, by length, and by what else would do."""

import numpy as np
import pytest
import sympy

from skdyn.kan._laws import judged, leaves_structure

A, B = columns = [sympy.Dummy("a", real=True), sympy.Dummy("b", real=True)]
rng = np.random.default_rng(0)
X = rng.uniform(0, 1, (150, 2))
NOISE = rng.normal(size=len(X))
ROWS = np.arange(120), np.arange(120, 150)


def judge(forms, y):
    return judged(forms, columns, X, y, np.ones(len(y)), *ROWS)


def test_the_law_stands_out_without_noise():
    y = 2 * X[:, 0] * np.exp(X[:, 1] / 2)
    c = sympy.Float(1.1)
    laws = judge([c * A * sympy.exp(c * B), c * A + c * B**2], y)
    assert laws[0].expression == 2 * A * sympy.exp(B / 2)
    assert [laws[0].doubt, laws[1].doubt] == ["", "worse"]
    assert laws[0].error < 1e-25 < laws[1].error


def test_a_look_alike_is_told_by_what_it_leaves():
    law = judge([sympy.Float(1.1) * A + sympy.Float(0.3)], np.sin(2 * X[:, 0]))[0]
    assert "pattern" in law.doubt


def test_rivals_that_fit_alike_are_named():
    y = np.sin(0.7 * X[:, 0]) + 0.02 * NOISE
    c = sympy.Float(0.7)
    laws = judge([sympy.sin(c * A), c * sympy.tanh(A), c * A - c * B], y)
    assert "not distinguished from 1 other" in laws[0].doubt
    assert laws[1].doubt == "not distinguished from the first"


def test_a_constant_that_noise_does_not_bear_out_goes():
    y = 3 * X[:, 0] + 0.05 * NOISE
    law = judge([sympy.Float(2.9) * A + sympy.Float(0.02) * sympy.sin(B)], y)[0]
    assert law.expression.free_symbols == {A}


def test_a_tangent_that_is_a_logistic_function_is_written_as_one():
    y = 1 / (1 + np.exp(-3 * X[:, 0]))
    law = judge([sympy.Float(0.4) * sympy.tanh(sympy.Float(1.4) * A) + sympy.Float(0.6)], y)[0]
    assert law.expression == 1 / (1 + sympy.exp(-3 * A))


@pytest.mark.parametrize("left", [np.sin(6 * X[:, 0]) * X[:, 1], np.abs(X[:, 0] - 0.5)])
def test_patterns_are_seen_in_residuals_and_none_in_noise(left):
    assert leaves_structure(X, left + 0.1 * NOISE)
    assert not leaves_structure(X, NOISE)


def test_of_two_constants_that_say_the_same_one_goes():
    c = sympy.Float(1.9)
    law = judge([c * A * sympy.sqrt(1 / (c + c * B**2))], X[:, 0] / np.sqrt(1 + X[:, 1] ** 2))[0]
    assert law.expression == A / sympy.sqrt(1 + B**2)


def test_the_same_law_with_its_constants_named_is_no_rival():
    y = 3 * X[:, 0] * np.sin(2 * X[:, 1]) + 0.05 * NOISE
    c = sympy.Float(2.9)
    laws = judge([c * A * sympy.sin(c * B), sympy.Float(3.1) * A * sympy.sin(2 * B)], y)
    assert len(laws) > 1
    assert laws[0].doubt == ""


def test_a_long_formula_is_doubted_where_there_is_noise():
    form = sympy.Add(*(k * sympy.sin(k * A) for k in range(2, 7)))  # no constant to be fitted
    y = sympy.lambdify(columns, form)(*X.T)
    assert judge([form], y)[0].doubt == ""
    assert "so long that others" in judge([form], y + 0.01 * NOISE)[0].doubt
