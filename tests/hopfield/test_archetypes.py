import numpy as np
import pytest
from sklearn import config_context

from skdyn.hopfield import _archetypes
from skdyn.hopfield._archetypes import Moments, find_archetypes, to_unit_size

rng = np.random.default_rng(0)
ROWS = rng.normal(size=(60, 8)) + rng.normal(size=(3, 8))[rng.integers(3, size=60)] * 2
LABELS = rng.integers(3, size=60)
WEIGHTS = rng.uniform(size=60)


def membership(labels, weights):
    return weights[:, None] * (labels[:, None] == np.arange(3))


def noisy_copies(patterns, n_each, quality, random_state=0):
    """Examples of patterns, each bit right with probability (1 + quality) / 2."""
    rng = np.random.default_rng(random_state)
    right = rng.random((len(patterns) * n_each, patterns.shape[1])) < (1 + quality) / 2
    return np.repeat(patterns, n_each, axis=0) * np.where(right, 1.0, -1.0)


# -- moments -------------------------------------------------------------------------------------


def test_moments_are_weighted_means_and_variances():
    moments = Moments.of_nothing(8, 3).joined(ROWS, membership(LABELS, WEIGHTS))
    np.testing.assert_allclose(moments.mean, np.average(ROWS, axis=0, weights=WEIGHTS))
    variance = np.average((ROWS - moments.mean) ** 2, axis=0, weights=WEIGHTS)
    np.testing.assert_allclose(moments.scale(), np.sqrt(variance))
    for label in range(3):
        own = label == LABELS
        mean = np.average(ROWS[own], axis=0, weights=WEIGHTS[own])
        np.testing.assert_allclose(moments.class_means[label], mean)


def test_moments_of_batches_in_any_order_are_those_of_the_whole():
    whole = Moments.of_nothing(8, 3).joined(ROWS, membership(LABELS, WEIGHTS))
    batches = np.array_split(rng.permutation(60), 7)
    moments = Moments.of_nothing(8, 3)
    for batch in batches:
        moments = moments.joined(ROWS[batch], membership(LABELS[batch], WEIGHTS[batch]))
    for one, other in zip(whole, moments, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_moments_keep_their_digits_far_from_zero():
    moments = Moments.of_nothing(8, 3)
    for batch in np.array_split(np.arange(60), 5):
        moments = moments.joined(ROWS[batch] + 1e8, membership(LABELS[batch], WEIGHTS[batch]))
    near = Moments.of_nothing(8, 3).joined(ROWS, membership(LABELS, WEIGHTS))
    np.testing.assert_allclose(moments.scale(), near.scale(), rtol=1e-6)


def test_a_constant_feature_has_scale_one():
    rows = np.where(np.arange(8) == 2, 0.1, ROWS)
    assert Moments.of_nothing(8, 3).joined(rows, membership(LABELS, WEIGHTS)).scale()[2] == 1


# -- states at rest ------------------------------------------------------------------------------


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("order", [2, 3, 8])
def test_energy_never_rises(order, binary):
    examples = np.sign(ROWS) if binary else to_unit_size(ROWS)
    states, energies = examples, []
    for _ in range(30):
        states, energy = _archetypes._update(states, examples, WEIGHTS, order, binary)
        energies.append(energy)
    assert (np.diff(energies, axis=0) <= 1e-12 * np.abs(energies[:-1])).all()
    expected = np.maximum(examples @ examples.T / 8, 0) ** order @ WEIGHTS
    np.testing.assert_allclose(energies[0], -expected)


def test_archetypes_are_found_in_noisy_examples():
    archetypes = rng.choice([-1.0, 1.0], size=(4, 200))
    examples = noisy_copies(archetypes, 30, quality=0.6)
    found = find_archetypes(examples, np.ones(120), 3, binary=True, max_iter=50, tol=0.0)
    assert found.converged
    overlaps = found.states @ archetypes.T / 200
    assert len(found.states) == 4
    assert (overlaps.max(axis=0) > 0.97).all()  # a single example has 0.6


def test_more_examples_make_better_archetypes():
    archetypes = rng.choice([-1.0, 1.0], size=(3, 300))
    means = []
    for n_each in (1, 10, 40):
        examples = noisy_copies(archetypes, n_each, quality=0.4)
        found = find_archetypes(
            examples, np.ones(len(examples)), 2, binary=True, max_iter=50, tol=0.0
        )
        means.append((found.states @ archetypes.T / 300).max(axis=0).mean())
    assert means[0] < 0.5 < means[1] < 0.9 < means[2]


def test_order_two_of_real_states_is_the_leading_direction():
    examples = to_unit_size(ROWS + 3)
    found = find_archetypes(examples, WEIGHTS, 2, binary=False, max_iter=500, tol=1e-14)
    _, vectors = np.linalg.eigh((examples * WEIGHTS[:, None]).T @ examples)
    cosine = found.states @ vectors[:, -1] / np.sqrt(8)
    np.testing.assert_allclose(np.abs(cosine), 1, atol=1e-9)


def test_high_orders_keep_every_example_apart():
    examples = to_unit_size(rng.normal(size=(40, 30)))
    found = find_archetypes(examples, np.ones(40), 300, binary=False, max_iter=50, tol=1e-9)
    assert len(found.states) == 40
    np.testing.assert_allclose(np.sort(found.states @ examples.T / 30, axis=0)[-1], 1, atol=1e-6)


def test_weights_count_as_repetitions():
    examples = to_unit_size(ROWS)
    counts = rng.integers(0, 3, size=60)
    how = {"order": 6, "binary": False, "max_iter": 500, "tol": 1e-12}
    weighted = find_archetypes(examples, counts, **how).states
    repeated = np.repeat(examples, counts, axis=0)
    expected = find_archetypes(repeated, np.ones(len(repeated)), **how).states
    np.testing.assert_allclose(weighted, expected, atol=1e-5)


def test_chunks_change_nothing():
    examples = to_unit_size(ROWS)
    how = {"weight": WEIGHTS, "order": 6, "binary": False, "max_iter": 100, "tol": 1e-9}
    expected = find_archetypes(examples, **how)
    with config_context(working_memory=0.01):
        found = find_archetypes(examples, **how)
    np.testing.assert_allclose(found.states, expected.states, atol=1e-9)


def test_nothing_but_zeros_has_a_defined_result():
    found = find_archetypes(np.zeros((5, 3)), np.ones(5), 4, binary=False, max_iter=10, tol=1e-6)
    np.testing.assert_array_equal(found.states, np.zeros((1, 3)))
