import numpy as np
import pytest
import sympy

from skdyn.symbolic._coefficients import (
    coefficient_table,
    dependent_terms,
    powers_of,
    standard_errors,
    sums_of_terms,
)
from skdyn.symbolic.libraries import FourierLibrary, PolynomialLibrary

RNG = np.random.default_rng(0)


def test_standard_errors_are_the_spread_of_repeated_fits():
    A, sigma = RNG.normal(size=(40, 3)) * [1.0, 1e3, 1e-3], 0.1
    noise = sigma * RNG.normal(size=(2000, 40))
    coefs = noise @ np.linalg.pinv(A).T
    errors = standard_errors(A, noise.T - A @ coefs.T)
    np.testing.assert_allclose(errors.mean(axis=0), coefs.std(axis=0), rtol=0.05)


def test_a_row_of_weight_two_counts_as_much_in_the_slopes_as_two_rows():
    A, errors = RNG.normal(size=(30, 2)), RNG.normal(size=(30, 2))
    twice = standard_errors(np.repeat(A, 2, axis=0), np.repeat(errors, 2, axis=0))
    weighed = standard_errors(A, errors, np.full(30, 2.0))
    np.testing.assert_allclose(weighed, twice * np.sqrt(58 / 28))


def test_without_more_samples_than_coefficients_errors_are_unknown():
    assert np.isnan(standard_errors(np.eye(2), np.zeros((2, 1)))).all()


def test_each_equation_has_the_errors_of_its_own_terms():
    A, errors = RNG.normal(size=(30, 3)), RNG.normal(size=(30, 2))
    found = np.array([[True, False, True], [False, False, False]])
    own = standard_errors(A[:, [0, 2]], errors[:, :1])[0]
    expected = [[own[0], 0.0, own[1]], [0.0, 0.0, 0.0]]
    np.testing.assert_allclose(standard_errors(A, errors, found=found), expected)


def test_the_table_leaves_out_what_is_zero():
    coefs = np.array([[0.0, 2.0], [0.0, 0.0]])
    table = coefficient_table(["x'", "y'"], ["1", "x"], coefficient=coefs, std_error=coefs / 10)
    assert table.values.tolist() == [["x'", "x", 2.0, 0.2]]
    chance = np.array([[0.3, 1.0], [0.0, np.nan]])
    table = coefficient_table(
        ["a", "b"], ["1", "x"], coefficient=coefs, inclusion_probability=chance
    )
    assert table.term.tolist() == ["1", "x"]
    assert coefficient_table(["a"], ["1"], coefficient=np.zeros((1, 1))).empty


def test_sums_keep_every_bit():
    x = sympy.Symbol("x")
    (total,) = sums_of_terms([sympy.Integer(1), x], np.array([[0.1, 0.0]]))
    assert total == sympy.Float(0.1)
    (total,) = sums_of_terms([sympy.Integer(1), x], np.array([[0.0, 1 / 3]]))
    assert float(total.coeff(x)) == 1 / 3


def test_powers_are_those_of_the_monomials_and_unknown_for_others():
    library = PolynomialLibrary(2).fit(np.zeros((1, 2)))
    assert powers_of(library) == [[0, 0], [1, 0], [0, 1], [2, 0], [1, 1], [0, 2]]
    assert powers_of((PolynomialLibrary(1) + FourierLibrary()).fit(np.zeros((1, 2)))) is None


@pytest.mark.parametrize("units", [1e-6, 1e6])
def test_standard_errors_follow_the_units_of_the_terms(units):
    A, errors = RNG.normal(size=(30, 2)), RNG.normal(size=(30, 2))
    np.testing.assert_allclose(
        standard_errors(A * units, errors) * units, standard_errors(A, errors)
    )


@pytest.mark.parametrize("apart", [0.0, 1e-9])
def test_dependent_terms_are_named_and_their_errors_are_unbounded(apart):
    t = np.linspace(0, 20, 400)
    x, y = np.cos(t), np.sin(t)
    noise = apart * RNG.normal(size=400)
    A = np.stack([x, y, x**3, x * y**2 + noise], axis=1)  # x = x (x^2 + y^2)
    found = np.array([[True, True, True, True], [False, True, True, False]])
    errors = standard_errors(A, 1e-3 * RNG.normal(size=(400, 2)), found=found)
    assert (errors[0, [0, 2, 3]] > 1e3).all()
    assert np.isinf(errors[0, [0, 2, 3]]).all() == (apart == 0.0)
    assert 0 < errors[0, 1] < 1e-3
    assert errors[1, 1:3] == pytest.approx([1e-3 / np.sqrt(200)] * 2, rel=0.5)
    ((equation, terms, weights),) = dependent_terms(A, found)
    assert (equation, terms.tolist()) == (0, [0, 2, 3])
    np.testing.assert_allclose(weights / weights[0], [1, -1, -1], atol=1e-6)


def test_terms_that_data_tell_apart_are_no_combination():
    A = RNG.normal(size=(50, 3)) * [1e-6, 1.0, 1e6]
    assert dependent_terms(A, np.ones((2, 3), bool)) == []
