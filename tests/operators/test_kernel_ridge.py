"""Kernel regression: closed forms against their definitions."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, Matern, RationalQuadratic
from sklearn.kernel_ridge import KernelRidge

from skdyn.operators import _kernel_ridge
from skdyn.operators._kernel_ridge import (
    KERNELS,
    errors_without,
    evaluate,
    fit_kernel,
    leave_one_out,
    merge_copies,
    summary,
)

ORACLES = {
    "matern12": Matern(2.0, nu=0.5),
    "matern32": Matern(2.0, nu=1.5),
    "matern52": Matern(2.0, nu=2.5),
    "rbf": RBF(2.0),
    "rational_quadratic": RationalQuadratic(2.0, alpha=1.0),
}


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 3))
    return X, np.sin(X[:, :2]), rng.uniform(0.5, 2, 12)


@pytest.mark.parametrize("name", ORACLES)
def test_kernels_are_those_of_scikit_learn(name, problem):
    X = problem[0]
    np.testing.assert_allclose(evaluate(name, X, X[:4], 2.0), ORACLES[name](X, X[:4]), atol=1e-7)


def test_every_kernel_has_an_oracle():
    assert set(KERNELS) == {*ORACLES, "linear"}


def test_the_linear_kernel_is_a_scalar_product(problem):
    X = problem[0]
    np.testing.assert_allclose(evaluate("linear", X, X, 2.0), X @ X.T / 4)


def test_blocks_of_rows_give_the_whole_kernel(problem, monkeypatch):
    X, _, _ = problem
    whole = evaluate("matern32", X, X[:5], 1.0)
    monkeypatch.setattr(_kernel_ridge, "_ENTRIES", 15)
    np.testing.assert_allclose(evaluate("matern32", X, X[:5], 1.0), whole, rtol=1e-14)


def test_the_fit_is_weighted_kernel_ridge(problem):
    X, y, weight = problem
    K = evaluate("rbf", X, X, 1.0)
    oracle = KernelRidge(alpha=0.3, kernel="precomputed").fit(K, y, sample_weight=weight)
    fit = fit_kernel(K.copy(), y, weight, 0.3)
    np.testing.assert_allclose(K @ fit.coefficients, oracle.predict(K), atol=1e-10)


def left_out_by_hand(K, y, weight, noise):
    found = np.empty_like(y)
    for i in range(len(y)):
        rest = np.delete(np.arange(len(y)), i)
        system = K[np.ix_(rest, rest)] + np.diag(noise / weight[rest])
        found[i] = K[i, rest] @ np.linalg.solve(system, y[rest])
    return found


def test_each_sample_is_left_out_as_if_by_hand(problem):
    X, y, weight = problem
    K = evaluate("matern52", X, X, 1.0)
    expected = left_out_by_hand(K, y, weight, 0.2)
    np.testing.assert_allclose(fit_kernel(K.copy(), y, weight, 0.2).left_out, expected, atol=1e-10)


def test_the_noise_is_that_of_least_error_on_samples_left_out(problem):
    X, y, weight = problem
    K = evaluate("rbf", X, X, 1.0)

    def error(noise):
        squares = (left_out_by_hand(K, y, weight, noise) - y) ** 2
        return weight @ squares.sum(axis=1) / weight.sum()

    least, noise = leave_one_out(K, y, weight)
    assert least == pytest.approx(error(noise))
    assert least <= min(error(noise * factor) for factor in (0.1, 10.0)) * (1 + 1e-6)


def test_the_variance_makes_errors_on_samples_left_out_as_large_as_expected(problem):
    X, y, _ = problem
    K = evaluate("matern52", X, X, 1.0)
    fit = fit_kernel(K.copy(), y, np.ones(12), 0.1)
    # The expected square error of each sample, for a kernel of scale one.
    expected = [
        K[i, i] + 0.1 - np.delete(K[i], i) @ np.linalg.solve(
            np.delete(np.delete(K, i, 0), i, 1) + 0.1 * np.eye(11), np.delete(K[:, i], i)
        )
        for i in range(12)
    ]  # fmt: skip
    ratio = np.mean((y - fit.left_out) ** 2 / np.array(expected)[:, None], axis=0)
    np.testing.assert_allclose(fit.variance, ratio, rtol=1e-8)


@pytest.mark.parametrize("n_copies", [1, 3])
def test_errors_without_some_samples_are_those_of_a_fit_without_them(problem, n_copies):
    X, y, weight = problem
    K = evaluate("matern52", X, X, 1.0)
    held = np.isin(np.arange(12 // n_copies), [0, 2])
    motion = np.arange(len(held)) % n_copies
    rest = ~held.repeat(n_copies)
    alone = fit_kernel(K[np.ix_(rest, rest)], y[rest], weight[rest], 0.2, n_copies)
    asked = np.arange(0, rest.sum(), n_copies) + motion[~held]
    found = errors_without(fit_kernel(K.copy(), y, weight, 0.2, n_copies), held, motion)
    np.testing.assert_allclose(found, (y[rest] - alone.left_out)[asked], atol=1e-10)


def test_rows_of_one_sample_are_left_out_together(problem):
    X, y, weight = problem
    K = evaluate("rbf", X, X, 1.0)
    found = fit_kernel(K.copy(), y, weight, 0.2, n_copies=3).left_out
    for rows in np.arange(12).reshape(4, 3):
        rest = np.setdiff1d(np.arange(12), rows)
        system = K[np.ix_(rest, rest)] + np.diag(0.2 / weight[rest])
        expected = K[np.ix_(rows, rest)] @ np.linalg.solve(system, y[rest])
        np.testing.assert_allclose(found[rows], expected, atol=1e-10)


def test_copies_become_one_sample_of_their_weight_and_rows_without_weight_none():
    X = np.array([[1.0, 2], [3, 4], [1, 2], [5, 6]])
    rows, y, weight = merge_copies(X, X[:, :1], np.array([1.0, 1, 2, 0]))
    np.testing.assert_array_equal(rows, X[:2])
    np.testing.assert_array_equal(y, X[:2, :1])
    np.testing.assert_allclose(weight, [1.5, 0.5])


def test_a_summary_keeps_the_distances_of_rows():
    rng = np.random.default_rng(0)
    targets = rng.normal(size=(20, 5)) @ rng.normal(size=(5, 200))
    few = summary(targets)
    assert few.shape[1] < 200
    np.testing.assert_allclose(few @ few.T, targets @ targets.T, atol=1e-9)
