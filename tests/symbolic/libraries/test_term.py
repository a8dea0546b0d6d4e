import numpy as np
import pytest
import sympy

from skdyn.symbolic.libraries._term import (
    columns_of,
    evaluate_terms,
    product,
    show_term,
    term_to_sympy,
)

ONE = ()
X0_SQUARED = (("x0", 2),)
WAVE = (("sin(2*x1)", 1),)
MIXED = (("x0", 2), ("sin(2*x1)", 1), ("x2", 3))


def test_a_product_merges_equal_factors_and_one_is_its_unit():
    assert product(X0_SQUARED, WAVE, X0_SQUARED) == (("x0", 4), ("sin(2*x1)", 1))
    assert product(ONE, WAVE) == product(WAVE, ONE) == WAVE
    assert product() == ONE


def test_terms_are_evaluated_in_any_order_and_without_their_parts():
    X = np.random.default_rng(0).normal(size=(7, 3))
    wanted = np.stack([X[:, 0] ** 2 * np.sin(2 * X[:, 1]) * X[:, 2] ** 3, X[:, 0] ** 2,
                       np.ones(7), np.sin(2 * X[:, 1])], axis=1)  # fmt: skip
    values = evaluate_terms([MIXED, X0_SQUARED, ONE, WAVE], X, {})
    np.testing.assert_allclose(values, wanted, rtol=1e-14)


def test_a_callable_cannot_write_into_the_data():
    def greedy(x):
        x += 1
        return x

    with pytest.raises(ValueError, match="read-only"):
        evaluate_terms([(("greedy(x0)", 1),)], np.zeros((3, 1), order="F"), {"greedy": greedy})


@pytest.mark.parametrize("value", [np.zeros(2), np.zeros((3, 1)), np.zeros(3, dtype=complex)])
def test_a_callable_must_give_a_real_number_a_row(value):
    terms = [(("f(x0)", 1),)]
    with pytest.raises(ValueError, match=r"f\(x0\) must give one real number per row.*\(3,\); got"):
        evaluate_terms(terms, np.zeros((3, 1)), {"f": lambda x: value})


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (ONE, "1"),
        (X0_SQUARED, "a^2"),
        (MIXED, "a^2 sin(2 b) c^3"),
        ((("x0-x1", 1),), "a-b"),
        ((("x0-x1", 2), ("x1", 1)), "(a-b)^2 b"),
        ((("2*x0+0.5*x1**2*x2", 1),), "2 a+0.5*b^2*c"),
        ((("1/2*x0", 1),), "1/2*a"),
    ],
)
def test_a_term_is_written_as_people_do(term, text):
    assert show_term(term, ["a", "b", "c"]) == text


def test_sympy_gets_the_product():
    x, y, z = sympy.symbols("x y z")
    symbols = {"x0": x, "x1": y, "x2": z}
    assert term_to_sympy(MIXED, symbols) == x**2 * sympy.sin(2 * y) * z**3
    assert term_to_sympy(ONE, symbols) == 1


def test_columns_are_those_in_the_formulas():
    assert columns_of(MIXED) == [0, 1, 2]
    assert columns_of((("f(x3, x1)", 1),), ["f"]) == [1, 3]
    assert columns_of(ONE) == []
