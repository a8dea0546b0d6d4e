import numpy as np
import pytest
from scipy.optimize import minimize

from skdyn.symbolic.optimizers._constraints import (
    InfeasibleError,
    LinearConstraints,
    nearest_fit,
    shortest,
)

EVERYWHERE = np.ones((2, 4), dtype=bool)


def problem(seed, n_constraints):
    rng = np.random.default_rng(seed)
    factors = [np.triu(rng.normal(size=(4, 4))) + 2 * np.eye(4) for _ in range(2)]
    targets = list(3 * rng.normal(size=(2, 4)))
    lhs = rng.normal(size=(n_constraints, 2, 4))
    rhs = np.tensordot(lhs, rng.normal(size=(2, 4)), 2)  # feasible
    return factors, targets, lhs, rhs


def squares(coef, factors, targets):
    return sum(np.sum((R @ w - c) ** 2) for R, w, c in zip(factors, coef, targets))


@pytest.mark.parametrize("n_equal", [0, 2, 5])
@pytest.mark.parametrize("seed", range(4))
def test_the_constrained_minimum_is_scipys(seed, n_equal):
    factors, targets, lhs, rhs = problem(seed, 5)
    equal = np.arange(5) < n_equal
    coef = nearest_fit(factors, targets, LinearConstraints(lhs, rhs, equal), EVERYWHERE)
    excess = np.tensordot(lhs, coef, 2) - rhs
    np.testing.assert_allclose(excess[equal], 0.0, atol=1e-12)
    assert (excess <= 1e-12).all()
    flat = lhs.reshape(5, -1)
    known = minimize(
        lambda w: squares(w.reshape(2, 4), factors, targets), np.zeros(8), method="SLSQP",
        constraints=[
            {"type": "eq", "fun": lambda w: (flat @ w - rhs)[equal]},
            {"type": "ineq", "fun": lambda w: (rhs - flat @ w)[~equal]},
        ],
        options={"ftol": 1e-12, "maxiter": 500},
    )  # fmt: skip
    np.testing.assert_allclose(squares(coef, factors, targets), known.fun, rtol=1e-6)


def test_idle_inequalities_leave_the_free_minimum():
    factors, targets, lhs, _ = problem(0, 3)
    free = np.stack([np.linalg.solve(R, c) for R, c in zip(factors, targets)])
    rhs = np.tensordot(lhs, free, 2) + 1.0
    coef = nearest_fit(
        factors, targets, LinearConstraints(lhs, rhs, np.zeros(3, dtype=bool)), EVERYWHERE
    )
    np.testing.assert_allclose(coef, free)


def test_repeated_constraints_change_nothing():
    factors, targets, lhs, rhs = problem(1, 2)
    once = LinearConstraints(lhs, rhs, np.array([True, False]))
    twice = LinearConstraints(*(np.concatenate([part, part]) for part in once))
    np.testing.assert_allclose(
        nearest_fit(factors, targets, twice, EVERYWHERE),
        nearest_fit(factors, targets, once, EVERYWHERE),
    )


@pytest.mark.parametrize("equal", [True, False])
def test_contradictions_are_found(equal):
    factors, targets, lhs, rhs = problem(2, 1)
    against = LinearConstraints(
        np.concatenate([lhs, -lhs]), np.concatenate([rhs, -rhs - 1]), np.full(2, equal)
    )
    with pytest.raises(InfeasibleError):
        nearest_fit(factors, targets, against, EVERYWHERE)


def test_an_empty_support_obeys_what_zeros_obey():
    nothing = np.zeros((2, 4), dtype=bool)
    empty = [np.zeros((0, 0))] * 2, [np.zeros(0)] * 2
    lhs = np.ones((1, 2, 4))
    obeyed = LinearConstraints(lhs, np.ones(1), np.zeros(1, dtype=bool))
    assert not nearest_fit(*empty, obeyed, nothing).any()
    with pytest.raises(InfeasibleError):
        nearest_fit(*empty, obeyed._replace(equal=np.ones(1, dtype=bool)), nothing)


def test_the_shortest_vector_beyond_a_plane_is_its_normal():
    np.testing.assert_allclose(shortest(np.array([[-3.0, -4.0]]), np.array([-10.0])), [1.2, 1.6])
    np.testing.assert_array_equal(shortest(np.eye(2), np.ones(2)), 0.0)
