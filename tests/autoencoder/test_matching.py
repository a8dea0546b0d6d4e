import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skdyn.autoencoder._matching import convergent_learning, match_dictionaries
from skdyn.metrics import matched_cosine


def atoms(n_components, n_features=8, seed=0):
    return np.random.default_rng(seed).normal(size=(n_components, n_features))


# -- laws ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_a", "n_b"), [(12, 12), (12, 7), (7, 12)])
def test_matching_is_symmetric(n_a, n_b):
    a, b = atoms(n_a), atoms(n_b, seed=1)
    there, back = match_dictionaries(a, b), match_dictionaries(b, a)
    assert len(there.first) == min(n_a, n_b)
    pairs = sorted(zip(there.first, there.second, there.cosine))
    assert_allclose(pairs, sorted(zip(back.second, back.first, back.cosine)))


def test_permuting_a_dictionary_permutes_the_matches_and_nothing_else():
    a, b = atoms(12), atoms(12, seed=1)
    order = np.random.default_rng(2).permutation(12)
    plain, permuted = match_dictionaries(a, b), match_dictionaries(a, b[order])
    assert_array_equal(order[permuted.second], plain.second)
    assert_allclose(permuted.cosine, plain.cosine)
    again = match_dictionaries(a[order], b)
    assert_array_equal(again.second, plain.second[order])


def test_lengths_of_atoms_do_not_matter_and_signs_do():
    a, b = atoms(6), atoms(6, seed=1)
    scale = np.arange(1.0, 7.0)[:, None]
    plain, scaled = match_dictionaries(a, b), match_dictionaries(scale * a, b / scale)
    assert_array_equal(plain.second, scaled.second)
    assert_allclose(plain.cosine, scaled.cosine)
    assert_allclose(match_dictionaries(np.eye(2), -np.eye(2)).cosine, 0.0)


def test_a_permuted_and_noisy_dictionary_is_matched_exactly():
    rng = np.random.default_rng(0)
    a = atoms(100, 64)
    order = rng.permutation(100)
    match = match_dictionaries(a, a[order] + 0.3 * rng.normal(size=(100, 64)))
    assert_array_equal(order[match.second], np.arange(100))
    assert match.cosine.min() > 0.8


def test_copies_that_are_permuted_are_found_again_wherever_they_are():
    a = atoms(10)
    rng = np.random.default_rng(0)
    scores = convergent_learning([a[rng.permutation(10)] for _ in range(3)])
    assert_allclose(scores, 1.0)


def test_scores_do_not_depend_on_the_order_of_the_dictionaries():
    three = [atoms(9, seed=seed) for seed in range(3)]
    forth, back = convergent_learning(three), convergent_learning(three[::-1])
    for i in range(3):
        assert_allclose(forth.loc[i], back.loc[2 - i])


# -- known equals -------------------------------------------------------------------------------


def test_the_mean_cosine_is_that_of_the_metric():
    a, b = atoms(12), atoms(9, seed=1)
    assert_allclose(match_dictionaries(a, b).cosine.mean(), matched_cosine(a, b))


def test_the_best_of_all_pairings_is_found():
    a, b = atoms(6), atoms(6, seed=1)
    unit_a, unit_b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    sums = {p: (unit_a * unit_b[list(p)]).sum() for p in itertools.permutations(range(6))}
    match = match_dictionaries(a, b)
    assert tuple(match.second) == max(sums, key=sums.get)
    assert_allclose(match.cosine.sum(), max(sums.values()))


def test_scores_of_a_feature_that_one_seed_lacks():
    whole, other = np.eye(4)[:3], np.eye(4)[[3, 1, 0]]  # without the third, with a fourth
    scores = convergent_learning([whole, whole, other])
    assert scores.index.names == ["dictionary", "feature"]
    assert_allclose(scores.loc[0, "cosine"], [1.0, 1.0, 0.5])
    assert_allclose(scores.loc[2, "found"], [0.0, 1.0, 1.0])


def test_features_beyond_a_smaller_dictionary_count_as_not_found():
    scores = convergent_learning([np.eye(3), np.eye(3)[:1]])
    assert_allclose(scores.loc[0, "cosine"], [1.0, 0.0, 0.0])
    assert_allclose(scores.loc[1, "cosine"], [1.0])


def test_the_threshold_decides_what_counts_as_the_same():
    near = np.array([[1.0, 0.0], [0.6, 0.8]])
    found = [
        convergent_learning([np.eye(2), near], threshold=t).loc[0, "found"].tolist()
        for t in (0.75, 0.85)
    ]
    assert found == [[1.0, 1.0], [1.0, 0.0]]


# -- what may come ------------------------------------------------------------------------------


def test_estimators_are_read_by_their_components():
    a, b = atoms(5), atoms(5, seed=1)
    match = match_dictionaries(SimpleNamespace(components_=a), b)
    assert_array_equal(match.second, match_dictionaries(a, b).second)


def test_an_atom_of_zeros_is_like_nothing():
    dead = np.array([[0.0, 0.0], [0.0, 1.0]])
    assert_allclose(match_dictionaries(dead, np.eye(2)).cosine, [0.0, 1.0])


def test_dictionaries_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match="same number of features; got 8 and 5"):
        match_dictionaries(atoms(3), atoms(3, 5))
    with pytest.raises(ValueError, match="at least two dictionaries; got 1"):
        convergent_learning([atoms(3)])
    with pytest.raises(ValueError, match="contains NaN"):
        match_dictionaries(np.array([[np.nan, 1.0]]), np.eye(2))
