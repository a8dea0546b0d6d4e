import numpy as np

from skdyn.hopfield._fixed_points import fixed_points, overlaps_above_chance, weights_that_matter


def test_the_fewest_patterns_with_nine_tenths_of_the_weight_matter():
    np.testing.assert_array_equal(weights_that_matter(np.array([0.02, 0.95, 0.03])), [1])
    np.testing.assert_array_equal(weights_that_matter(np.array([0.3, 0.05, 0.65])), [2, 0])
    assert len(weights_that_matter(np.full(20, 0.05))) in (18, 19)


def test_a_state_that_is_a_pattern_or_its_negative_is_that_alone():
    np.testing.assert_array_equal(overlaps_above_chance(np.array([0.9, -1.0, 0.5]), 10), [1])


def test_overlaps_that_chance_gives_do_not_count():
    overlaps = np.array([0.5, 0.1, -0.45, 0.4, -0.2])
    np.testing.assert_array_equal(overlaps_above_chance(overlaps, 100), [0, 2, 3])
    assert len(overlaps_above_chance(np.array([0.1, -0.15]), 100)) == 0


def test_states_are_grouped_and_the_most_frequent_comes_first():
    states = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0 + 1e-9], [0.5, 0.5]])
    weights = {0.0: [1.0, 0.0, 0, 0, 0], 1.0: [0.5, 0.5, 0, 0, 0], 0.5: [0.2] * 5}
    found = fixed_points(
        states, 1e-6, lambda state: np.array(weights[state[0]]), np.arange(5) * 10, bits=False
    )
    assert [point.kind for point in found] == ["metastable", "single pattern", "global average"]
    np.testing.assert_array_equal(found[0].queries, [1, 2])
    np.testing.assert_array_equal(found[0].patterns, [0, 10])
    np.testing.assert_array_equal(found[0].weights, [0.5, 0.5])
    np.testing.assert_array_equal(found[1].state, [0.0, 0.0])
