import numpy as np
import pytest

from skdyn.symbolic.optimizers._constraints import InfeasibleError, LinearConstraints
from skdyn.symbolic.optimizers._relaxation import (
    checked_threshold,
    constrained_fit,
    constrained_relaxation,
    relax_and_split,
)
from skdyn.symbolic.optimizers._sparse_optimizer import SparseProblem, fit_support

SETTINGS = {"regularizer": "l0", "nu": 1.0, "tol": 1e-8, "max_iter": 50}


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(40, 4))
    B = A @ np.array([[2.0, 0, 0, -1], [0, 1, 0, 0]]).T + 0.1 * rng.normal(size=(40, 2))
    return A, B


def test_the_constrained_iteration_without_constraints_is_the_free_one(data):
    nothing = LinearConstraints(np.zeros((0, 2, 4)), np.zeros(0), np.zeros(0, dtype=bool))
    threshold = np.full((2, 4), 0.3)
    free = relax_and_split(*data, threshold=threshold, **SETTINGS)
    held = relax_and_split(*data, threshold=threshold, constraints=nothing, **SETTINGS)
    np.testing.assert_allclose(held.path, free.path, atol=1e-12)
    np.testing.assert_allclose(held.full, free.full, atol=1e-12)
    assert free.converged


def test_the_full_coefficients_obey_the_constraints(data):
    lhs = np.zeros((1, 2, 4))
    lhs[0, 0, 0] = lhs[0, 1, 1] = 1.0
    held = relax_and_split(
        *data, threshold=np.full((2, 4), 0.3),
        constraints=LinearConstraints(lhs, np.array([2.5]), np.array([True])), **SETTINGS,
    )  # fmt: skip
    np.testing.assert_allclose(held.full[0, 0] + held.full[1, 1], 2.5)


def test_terms_come_back_where_zeros_cannot_obey(data):
    A, B = data
    lhs = np.zeros((1, 2, 4))
    lhs[0, 1, 2] = 1.0
    coef, _, _ = constrained_relaxation(
        SparseProblem(A, B, np.ones(4), 40.0),
        LinearConstraints(lhs, np.array([0.2]), np.array([True])),
        threshold=np.full((2, 4), 0.3), **SETTINGS,
    )  # fmt: skip
    np.testing.assert_allclose(coef[1, 2], 0.2)
    np.testing.assert_array_equal(np.flatnonzero(coef), [0, 3, 5, 6])


def test_a_constrained_fit_without_constraints_is_least_squares(data):
    nothing = LinearConstraints(np.zeros((0, 2, 4)), np.zeros(0), np.zeros(0, dtype=bool))
    support = np.array([[1, 0, 0, 1], [1, 1, 1, 0]], dtype=bool)
    np.testing.assert_allclose(
        constrained_fit(*data, support, nothing), fit_support(*data, support), atol=1e-10
    )


def test_a_support_too_small_for_the_constraints_is_refused(data):
    lhs = np.zeros((1, 2, 4))
    lhs[0, 0, 1] = 1.0
    with pytest.raises(InfeasibleError):
        constrained_fit(
            *data, np.array([[1, 0, 0, 0], [0, 0, 0, 0]], dtype=bool),
            LinearConstraints(lhs, np.ones(1), np.array([True])),
        )  # fmt: skip


def test_an_unknown_regularizer_is_refused(data):
    with pytest.raises(ValueError, match="regularizer='l2'"):
        relax_and_split(*data, threshold=np.ones((2, 4)), **{**SETTINGS, "regularizer": "l2"})


def test_one_threshold_serves_all_coefficients():
    np.testing.assert_array_equal(checked_threshold(0.5, 2, 3), np.full((2, 3), 0.5))
    np.testing.assert_array_equal(checked_threshold([1, 2, 3], 1, 3), [[1.0, 2.0, 3.0]])
