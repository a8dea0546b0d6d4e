from itertools import combinations

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skdyn.symbolic.optimizers import FROLS, MIOSR, SSR


def objective(A, b, columns, alpha):
    A = A[:, list(columns)]
    coef = np.linalg.solve(A.T @ A + alpha * np.eye(A.shape[1]), A.T @ b)
    return np.sum((b - A @ coef) ** 2) + alpha * coef @ coef


def correlated(seed, n_features=9):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(25, n_features)) + 1.5 * rng.normal(size=(25, 1))
    return A, rng.normal(size=25)


@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("n_terms", [1, 2, 4])
@pytest.mark.parametrize("seed", range(5))
def test_no_other_subset_is_better(seed, n_terms, alpha):
    A, b = correlated(seed)
    model = MIOSR(n_terms, alpha=alpha).fit(A, b)
    best = min(combinations(range(9), n_terms), key=lambda S: objective(A, b, S, alpha))
    np.testing.assert_array_equal(np.flatnonzero(model.coef_), best)
    np.testing.assert_array_equal(model.gap_, 0.0)


def test_it_finds_what_greedy_steps_miss():
    # The sum of two terms looks better than either: forward steps take it first.
    rng = np.random.default_rng(0)
    A = rng.normal(size=(50, 5))
    A[:, 2] = A[:, 0] + A[:, 1] + 0.3 * rng.normal(size=50)
    A[:, 3] = A[:, 0] - A[:, 1] + 0.3 * rng.normal(size=50)
    b = A[:, 0] + A[:, 1]
    assert set(np.flatnonzero(FROLS(n_terms=2).fit(A, b).coef_)) != {0, 1}
    np.testing.assert_array_equal(np.flatnonzero(MIOSR(2).fit(A, b).coef_), [0, 1])


def test_it_is_never_worse_than_greedy():
    better = 0
    for seed in range(10):
        A, b = correlated(seed, 20)
        scores = [model.fit(A, b).score(A, b) for model in (MIOSR(4), FROLS(4), SSR(4))]
        assert scores[0] >= max(scores[1:]) - 1e-12
        better += scores[0] > max(scores[1:]) + 1e-12
    assert better > 0


def test_exact_data_need_no_more_than_their_terms():
    rng = np.random.default_rng(1)
    A = rng.normal(size=(60, 30))
    coef = MIOSR(n_terms=6).fit(A, A[:, [3, 17]] @ [1.0, 2.0]).coef_
    np.testing.assert_array_equal(np.flatnonzero(coef), [3, 17])
    np.testing.assert_allclose(coef[[3, 17]], [1.0, 2.0])


def test_equations_are_searched_one_by_one():
    A, b = correlated(0)
    other = correlated(1)[1]
    both = MIOSR(3).fit(A, np.column_stack([b, other]))
    np.testing.assert_allclose(both.coef_[0], MIOSR(3).fit(A, b).coef_)
    np.testing.assert_allclose(both.coef_[1], MIOSR(3).fit(A, other).coef_)
    assert both.gap_.shape == (2,)


def test_a_search_cut_short_tells_how_much_may_be_missing():
    A, b = correlated(3, 20)
    proven = MIOSR(5).fit(A, b)
    assert proven.n_iter_ > 5
    with pytest.warns(ConvergenceWarning, match="not excluded after max_iter=2 "):
        cut = MIOSR(5, max_iter=2).fit(A, b)
    error, best = (np.sum((b - model.predict(A)) ** 2) for model in (cut, proven))
    assert 0 < cut.gap_[0] < 1
    assert best >= error * (1 - cut.gap_[0])
    assert cut.n_iter_ == 2
