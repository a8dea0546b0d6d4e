import numpy as np
import pytest

from skdyn.hopfield._capacity import (
    beta_for_separation,
    separations,
    sphere_capacity,
    well_separated,
)

X = np.random.default_rng(0).normal(size=(30, 5)) + 2


@pytest.mark.parametrize("similarity", ["euclidean", "dot"])
def test_separation_is_the_lead_of_the_own_score(similarity):
    scores = X @ X.T
    if similarity == "euclidean":
        scores = scores - (X**2).sum(axis=1) / 2
    own = np.diag(scores).copy()
    np.fill_diagonal(scores, -np.inf)
    expected = own - scores.max(axis=1)
    np.testing.assert_allclose(separations(X, similarity=similarity), expected, atol=1e-12)
    few = separations(X, np.array([4, 20]), similarity)
    np.testing.assert_allclose(few, expected[[4, 20]], atol=1e-12)


def test_copies_are_no_others():
    np.testing.assert_allclose(
        separations(np.concatenate([X, X[:3]])), np.concatenate([separations(X)] * 2)[:33]
    )
    assert (separations(np.ones((4, 2))) == np.inf).all()


def test_beta_is_the_smallest_at_which_a_separation_suffices():
    beta = beta_for_separation(gap=0.7, n_patterns=30, norm=5.0)
    gaps = np.full(30, 0.7)
    assert well_separated(gaps, beta * (1 + 1e-9), 5.0, 30).all()
    assert not well_separated(gaps, beta * (1 - 1e-6), 5.0, 30).any()


def test_a_beta_that_cannot_tell_patterns_apart_does_not_count():
    assert not well_separated(np.full(30, 0.7), 1e-9, 5.0, 30).any()


def test_one_pattern_is_well_separated():
    assert well_separated(np.array([np.inf]), 1.0, 0.0, 1).all()


@pytest.mark.parametrize(("d", "radius", "c"), [(20, 3.0, 3.1546), (75, 1.0, 1.3718)])
def test_capacity_on_a_sphere_is_that_of_the_papers_examples(d, radius, c):
    expected = np.sqrt(0.001) * c ** ((d - 1) / 4)
    found = sphere_capacity(d, beta=1.0, norm=radius * np.sqrt(d - 1), failure=0.001)
    assert found == pytest.approx(expected, rel=2e-3)


def test_capacity_on_a_sphere_is_defined_where_the_theorem_is_silent():
    assert sphere_capacity(1, 1.0, 1.0) == 1.0
    assert sphere_capacity(5, 1.0, 0.0) == 1.0
    assert sphere_capacity(5, 1e-300, 1.0) == 1.0
    assert sphere_capacity(10**6, 1e3, 1e6) == np.inf
