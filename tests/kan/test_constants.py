"""Constants: refitted never for the worse, named where data say so and only there."""

import numpy as np
import pytest
import sympy

from skdyn.kan._constants import evaluate, refit_constants, tidy_constants

NAMES = ["a", "b"]
A, B = sympy.symbols("a b", real=True)
X = np.random.default_rng(0).uniform(0.1, 0.9, (300, 2))


def shaken(expression, size, seed=0):
    """Put nearby floats in the place of the numbers, and shifts where a fit might leave them."""
    rng = np.random.default_rng(seed)

    def shake(node):
        if node.is_Symbol:
            return node * (1 + size * rng.normal()) + size * rng.normal()
        if node.is_Number and not node.is_Integer:
            return sympy.Float(node * (1 + size * rng.normal()))
        parts = [part if part.is_Number else shake(part) for part in node.args]
        return node.func(*parts) if parts else node

    return (1 + size * rng.normal()) * shake(expression) + size * rng.normal()


FORMULAS = [
    sympy.exp(sympy.sin(sympy.pi * A) + B**2),
    A * B,
    sympy.sqrt(A**2 + B**2),
    sympy.tanh(sympy.atanh(A) + sympy.atanh(B)),
    3 * A**2 / (sympy.sqrt(2 * sympy.pi) * B),
    sympy.log(A + sympy.Rational(2, 3) * B) / 2,
]


@pytest.mark.parametrize("noise", [0, 1e-4])
@pytest.mark.parametrize("truth", FORMULAS, ids=str)
def test_a_shaken_formula_comes_back_exactly(truth, noise):
    wanted = evaluate(truth, NAMES, X)
    y = wanted + noise * np.random.default_rng(1).normal(size=len(X))
    found = tidy_constants(shaken(truth, 0.01), NAMES, X, y)
    assert not found.atoms(sympy.Float)
    np.testing.assert_allclose(evaluate(found, NAMES, X), wanted, rtol=1e-12)


def test_the_hyperbolic_sum_is_written_as_a_fraction():
    truth = FORMULAS[3]
    found = tidy_constants(shaken(truth, 0.01), NAMES, X, evaluate(truth, NAMES, X))
    assert sympy.simplify(found - (A + B) / (1 + A * B)) == 0
    assert not found.has(sympy.tanh)


def test_constants_without_a_name_keep_their_value():
    y = 1.23456 * np.sin(2.34567 * X[:, 0])
    found = tidy_constants(1.2 * sympy.sin(2.3 * A + 0.01) + 0.02, NAMES, X, y)
    assert sorted(map(float, found.atoms(sympy.Float))) == pytest.approx([1.23456, 2.34567])


@pytest.mark.parametrize("seed", range(3))
def test_refitting_never_makes_a_fit_worse(seed):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=len(X))
    start = 0.3 * sympy.sqrt(A + 0.01) + 0.7 * sympy.log(B - 0.05) * sympy.exp(-3.0 * A)
    before, after = start, refit_constants(start, NAMES, X, y)
    errors = [np.mean((evaluate(e, NAMES, X) - y) ** 2) for e in (before, after)]
    assert errors[1] < errors[0]


def test_a_row_of_weight_two_counts_as_two_rows():
    rng = np.random.default_rng(0)
    x, y, weight = X[:40], rng.normal(size=40), rng.integers(0, 3, 40)
    start = 1.1 * sympy.sin(1.3 * A + 0.1) + 0.2 * B
    once = refit_constants(start, NAMES, x, y, weight)
    twice = refit_constants(start, NAMES, x.repeat(weight, axis=0), y.repeat(weight))
    np.testing.assert_allclose(evaluate(once, NAMES, x), evaluate(twice, NAMES, x), rtol=1e-5)


def test_constants_that_stand_in_for_one_another_are_settled():
    y = 2 * np.exp(X[:, 0])
    found = tidy_constants(1.5 * sympy.exp(1.1 * A + 0.3) + 0.01, NAMES, X, y)
    assert len(found.atoms(sympy.Float)) <= 1
    np.testing.assert_allclose(evaluate(found, NAMES, X), y, rtol=1e-8)


def test_rows_where_the_formula_is_not_real_take_no_part():
    y = np.sqrt(np.maximum(X[:, 0] - 0.5, 0))
    found = refit_constants(1.1 * sympy.sqrt(A - 0.5), NAMES, X, y)
    real = X[:, 0] > 0.5
    np.testing.assert_allclose(evaluate(found, NAMES, X[real]), y[real], atol=1e-8)
    assert np.isnan(evaluate(found, NAMES, X[~real])).all()


def test_a_formula_that_is_real_nowhere_is_refused():
    with pytest.raises(ValueError, match="real at none of the 300 rows"):
        refit_constants(1.1 * sympy.log(-A), NAMES, X, X[:, 0])


def test_a_formula_without_constants_or_variables_passes_through():
    assert tidy_constants(A * B, NAMES, X, X[:, 0]) == A * B
    assert float(refit_constants(sympy.Float(3.0), NAMES, X, np.full(300, 2.0))) == 2.0
