"""How many units of a layer say what no other says."""

import numpy as np
import pytest

from skdyn.metrics import feature_complexity
from skdyn.metrics._complexity import distinct_units

X = np.random.default_rng(0).normal(size=(200, 4)) + 5.0


def test_multiples_and_shifted_ones_count_once_and_still_ones_never():
    still = np.full((200, 1), 0.1)
    layer = np.hstack([X, -3.0 * X[:, :2] + 1.0, still, np.zeros((200, 1))])
    assert feature_complexity(X) == 1.0
    assert feature_complexity(layer) == 4 / 8
    assert feature_complexity(layer.astype("f"), tolerance=1e-9) == 4 / 8
    assert feature_complexity(np.hstack([still, still])) == 0.0


def test_each_unit_is_told_by_the_one_that_stands_for_it():
    layer = np.hstack([X, -3.0 * X[:, :2] + 1.0, np.full((200, 1), 0.1)])
    found = distinct_units(layer, 1e-9)
    assert found.stands_for.tolist() == [4, 5, 2, 3, 4, 5, -1]
    told = layer[:, np.maximum(found.stands_for, 0)] * found.slope + found.offset
    np.testing.assert_allclose(told, layer, atol=1e-9)


def test_the_tolerance_is_a_share_of_the_variance():
    noise = np.random.default_rng(1).normal(size=(200, 1))
    layer = np.hstack([X[:, :1], X[:, :1] + 0.2 * noise])
    assert feature_complexity(layer, tolerance=0.02) == 1.0
    assert feature_complexity(layer, tolerance=0.08) == 0.5


def test_one_row_and_a_tolerance_beyond_one_are_refused():
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        feature_complexity(X[:1])
    with pytest.raises(ValueError, match=r"tolerance == 1\.5, must be <= 1"):
        feature_complexity(X, tolerance=1.5)
