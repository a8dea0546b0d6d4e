"""Corrections from neighborhoods: what they see, what they learn, what they may not know."""

import numpy as np
import pytest

from skdyn.operators._local_correction import Learning, learn_correction, neighborhoods


def problem(n=24, size=16, seed=0):
    rng = np.random.default_rng(seed)
    X, fields = rng.standard_normal((2, n, 1, size))
    # The error is a smooth function of the neighborhood.
    error = np.sin(np.roll(X, 1, axis=-1)) * 0.5 + 0.3 * (np.roll(fields, -1, axis=-1) - fields)
    return X, fields + error, fields


def learn(X, y, fields):
    how = Learning(radius=1, n_features=60, periodic=True)
    return learn_correction(X, y, fields, np.ones(len(X)), how, np.random.RandomState(0))


def test_a_neighborhood_holds_inputs_differences_and_the_field():
    X = np.array([[[1.0, 2, 3, 4]]])
    fields = np.array([[[10.0, 20, 40, 80]]])
    found = neighborhoods(X, fields, 1, periodic=True)[0]
    np.testing.assert_array_equal(found[0], [4, 1, 2, 70, 10, 10])
    np.testing.assert_array_equal(found[2], [2, 3, 4, -20, 40, 40])


def test_a_neighborhood_ends_at_an_edge_and_knows_where_it_is():
    fields = np.array([[[10.0, 20, 40]]])
    found = neighborhoods(fields, fields, 1, periodic=False)[0]
    np.testing.assert_array_equal(found[0], [10, 10, 20, 0, 10, 10, -1])
    np.testing.assert_array_equal(found[2], [20, 40, 40, -20, 0, 40, 1])


@pytest.mark.parametrize("grid", [(5,), (4, 6), (3, 4, 3)])
def test_neighborhoods_of_all_dimensions_are_those_of_shifted_fields(grid):
    X, fields = np.random.default_rng(0).standard_normal((2, 2, 2, *grid))
    near = neighborhoods(X, fields, 1, periodic=True)
    n_around = 3 ** len(grid)
    assert near.shape == (2, np.prod(grid), 2 * n_around + 2 * (n_around - 1) + 2)
    axes = tuple(range(1, 1 + len(grid)))
    expected = np.roll(X[:, 1], 1, axis=axes).reshape(2, -1)
    np.testing.assert_array_equal(near[..., n_around], expected)


def test_a_local_error_is_learnt_and_corrected_where_it_was_not_seen():
    correction, corrected = learn(*problem())
    X, y, fields = problem(seed=1)
    before, after = (np.square(f - y).mean() for f in (fields, correction(X, fields)))
    assert after < 0.1 * before
    assert np.square(corrected - problem()[1]).mean() < 0.1 * before


def test_corrections_commute_with_shifts_where_periodic():
    correction, _ = learn(*problem())
    X, _, fields = problem(seed=1)
    shifted = correction(np.roll(X, 3, axis=-1), np.roll(fields, 3, axis=-1))
    np.testing.assert_allclose(shifted, np.roll(correction(X, fields), 3, axis=-1), atol=1e-6)


def test_a_sample_is_corrected_without_its_own_truth():
    X, y, fields = problem()
    _, corrected = learn(X, y, fields)
    changed = y.copy()
    changed[5] += 100.0  # the folds' own penalty may change, but not by what one fold says
    _, again = learn(X, changed, fields)
    np.testing.assert_array_less(np.abs(again[5] - corrected[5]), 1.0)
    assert np.abs(again[4] - corrected[4]).max() > 1.0


def test_pure_noise_is_left_nearly_alone():
    rng = np.random.default_rng(0)
    X, fields, noise = rng.standard_normal((3, 40, 1, 16))
    _, corrected = learn(X, fields + noise, fields)
    assert np.square(corrected - fields).mean() < 0.3
