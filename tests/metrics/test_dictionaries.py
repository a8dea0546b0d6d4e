"""Agreement of dictionaries against closed forms and brute force."""

from itertools import permutations

import numpy as np
import pytest
from scipy.sparse import csr_array

from skdyn.metrics import (
    dictionary_recall,
    feature_absorption,
    matched_cosine,
    mean_max_cosine,
)

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=(5, 7))

# Concept 0 has a component of its own, and one that is shared with concept 1 at 45 degrees.
DIRECTIONS = np.eye(3)
COMPONENTS = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
BOTH = np.ones((4, 1))


def absorption(codes, **options):
    return feature_absorption(codes, COMPONENTS, BOTH, DIRECTIONS[:1], **options)


@pytest.mark.parametrize("score", [mean_max_cosine, matched_cosine])
def test_order_and_positive_scales_do_not_matter_but_signs_do(score):
    assert score(TRUTH, 3.0 * TRUTH[::-1]) == pytest.approx(1.0)
    assert score(np.eye(3), -np.eye(3)) == 0.0
    assert score([[1.0, 2.0]], [[-1.0, -2.0]]) == pytest.approx(-1.0)


@pytest.mark.parametrize("score", [mean_max_cosine, matched_cosine])
def test_a_component_of_zeros_agrees_with_nothing(score):
    assert score(np.eye(2), [[1.0, 0.0], [0.0, 0.0]]) == pytest.approx(0.5)


def test_a_component_learned_twice_counts_once_when_matched():
    twice = np.array([[1.0, 0.0], [1.0, 0.0]])
    truth = np.array([[1.0, 0.0], [0.6, 0.8]])
    assert matched_cosine(truth, twice) == pytest.approx((1 + 0.6) / 2)
    assert mean_max_cosine(truth, [[1.0, 0.0], [0.0, 1.0]]) == pytest.approx((1 + 0.8) / 2)


def test_the_pairing_is_the_best_of_all():
    learned = RNG.normal(size=(5, 7))
    units = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (TRUTH, learned)]
    cosines = units[0] @ units[1].T
    best = max(cosines[range(5), list(order)].mean() for order in permutations(range(5)))
    assert matched_cosine(TRUTH, learned) == pytest.approx(best)
    assert matched_cosine(learned, TRUTH) == pytest.approx(best)


def test_only_as_many_as_the_smaller_has_are_paired():
    assert matched_cosine(np.eye(4), np.eye(4)[:2]) == pytest.approx(1.0)
    assert mean_max_cosine(np.eye(4), np.eye(4)[:2]) == pytest.approx(0.5)


def test_what_was_not_found_counts_in_the_recall():
    assert dictionary_recall(np.eye(8), np.eye(8)[:2]) == 2 / 8
    assert dictionary_recall(np.eye(2), np.eye(8)[:, :2]) == 1.0  # learned ones to spare
    assert dictionary_recall(np.eye(3), -2.0 * np.eye(3)) == 0.0
    assert dictionary_recall(np.eye(3), np.eye(3)[[0, 0, 0]]) == pytest.approx(1 / 3)
    half = [[1.0, 1.0, 0.0]]
    assert dictionary_recall(np.eye(3), half, min_cosine=0.7) == pytest.approx(1 / 3)
    assert dictionary_recall(np.eye(3), half, min_cosine=0.71) == 0.0


def test_as_many_as_can_be_are_found_even_where_the_best_pairs_are_fewer():
    angles = np.radians([0.0, 24.0, 48.0])
    truth = np.column_stack([np.cos(angles), np.sin(angles)])
    learned = truth[[1, 2]]  # the nearest of the second is itself; it may stand for the first
    assert dictionary_recall(truth, learned) == pytest.approx(2 / 3)
    crowd = truth[[0, 1]], truth[[1, 2]]
    assert dictionary_recall(*crowd) == 1.0


def test_chance_is_as_documented():
    unrelated = RNG.normal(size=(2, 256, 64))
    assert mean_max_cosine(*unrelated) == pytest.approx(0.35, abs=0.02)


def test_samples_where_another_component_stands_in_are_absorbed():
    codes = [[1.0, 0, 0], [0, 1.0, 0], [0, 2.0, 1.0], [1.0, 1.0, 0]]
    assert absorption(codes) == 0.5
    assert absorption(csr_array(codes)) == 0.5


def test_what_is_merely_missed_is_not_absorbed():
    assert absorption([[0.0, 0, 0], [0, 0, 5.0], [1.0, 0, 0], [1.0, 0, 0]]) == 0.0


def test_a_component_that_is_not_aligned_absorbs_nothing():
    codes = [[0.0, 1.0, 0]] * 4
    assert absorption(codes, min_cosine=0.7) == 1.0
    assert absorption(codes, min_cosine=0.71) == 0.0  # the cosine is the root of a half


def test_a_component_absorbs_only_with_its_share_of_the_reconstruction():
    components = np.vstack([COMPONENTS[0], np.tile(COMPONENTS[1], (4, 1))])
    codes = [[0.0, 1, 1, 1, 0], [0.0, 1, 1, 0, 0]]
    options = {"concepts": np.ones((2, 1)), "directions": DIRECTIONS[:1]}
    score = feature_absorption(codes, components, **options)
    assert score == 0.5, "a third is too little, a half is enough"
    assert feature_absorption(codes, components, min_share=0.3, **options) == 1.0


def test_concepts_are_averaged_and_those_that_do_not_occur_left_out():
    concepts = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    codes = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    assert feature_absorption(codes, COMPONENTS, concepts, DIRECTIONS) == 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: matched_cosine(np.eye(3), np.eye(2)), "number of features; got 3 and 2"),
        (lambda: dictionary_recall(np.eye(3), np.eye(2)), "number of features; got 3 and 2"),
        (lambda: mean_max_cosine(np.eye(3) * np.nan, np.eye(3)), "Input components contains NaN"),
        (lambda: absorption(np.ones((4, 2))), r"codes must have shape \(4, 3\) .* got \(4, 2\)"),
        (
            lambda: feature_absorption(np.eye(3), COMPONENTS, np.ones((3, 2)), DIRECTIONS),
            r"concepts must have shape \(3, 3\) .* got \(3, 2\)",
        ),
        (
            lambda: feature_absorption(np.eye(3), COMPONENTS, np.zeros((3, 3)), DIRECTIONS),
            "no sample has any concept",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
