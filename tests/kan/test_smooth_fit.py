"""Smooth fits of sums and products: exact for polynomials, with the parts that they are made of."""

import numpy as np
import pytest

from skdyn.kan._smooth_fit import Basis, held_out, product_of, smooth, sum_of


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).uniform(-1, 2, (200, 2))


def test_a_polynomial_is_fitted_up_to_rounding(X):
    y = X[:, 0] ** 3 - X[:, 0] * X[:, 1]
    assert smooth(Basis(X), y).error < 1e-9
    assert smooth(Basis(X, 1), y).error > 1e-3


def test_slopes_are_those_of_the_function(X):
    basis = Basis(X)
    (weights,) = smooth(basis, X[:, 0] ** 3 * X[:, 1]).parts
    np.testing.assert_allclose(
        basis.slopes(0) @ weights, 3 * X[:, 0] ** 2 * X[:, 1], atol=1e-2
    )  # fmt: skip


def test_a_sum_gives_its_parts_and_the_constant(X):
    y = np.exp(X[:, 0]) + X[:, 1] ** 2 + 5
    fit = sum_of([Basis(X[:, :1]), Basis(X[:, 1:])], y)
    left, right, constant = fit.parts
    assert fit.error < 1e-9
    np.testing.assert_allclose(left + right + constant, y, atol=1e-3)
    np.testing.assert_allclose(np.ptp(left - np.exp(X[:, 0])), 0, atol=1e-3)


def test_a_product_gives_its_factors_up_to_scale(X):
    y = 2 + np.sin(X[:, 0]) * np.exp(X[:, 1])
    fit = product_of(Basis(X[:, :1]), Basis(X[:, 1:]), y)
    assert fit.error < 1e-8 * np.var(y)
    assert abs(np.corrcoef(fit.parts[1], np.exp(X[:, 1]))[0, 1]) > 1 - 1e-6


def test_what_is_no_sum_is_told_by_rows_held_out(X):
    y = X[:, 0] * X[:, 1]
    fit = sum_of([Basis(X[:, :1]), Basis(X[:, 1:])], y)
    assert fit.error > 0.1 * np.var(y)
    assert held_out(8).sum() == 2
