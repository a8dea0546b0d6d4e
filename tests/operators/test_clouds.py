"""Clouds as estimators read them."""

import numpy as np
import pytest

from skdyn.datasets import FieldData
from skdyn.operators._clouds import Clouds, cloud_r2_score, read_places, shares_of


def two_cases():
    values = np.array([0.0, 2.0, 1.0, 3.0, 5.0])
    return FieldData(np.arange(5.0), values, [0, 2, 5], weights=[1, 3, 2, 2, 2])


def test_what_is_known_of_points_goes_with_their_cases():
    clouds = Clouds(two_cases(), 1, features=np.arange(5.0)[:, None])
    for rows in ([1], np.array([False, True]), slice(1, 2)):
        assert clouds[rows].features.ravel().tolist() == [2, 3, 4]
    assert clouds[[1, 0]].features.ravel().tolist() == [2, 3, 4, 0, 1]


def test_shares_sum_to_one_in_each_case():
    np.testing.assert_allclose(shares_of(two_cases()), [0.25, 0.75, 1 / 3, 1 / 3, 1 / 3])


def test_scores_count_points_by_their_shares_and_cases_by_their_weights():
    y = two_cases()
    of_points = shares_of(y) * [2, 2, 1, 1, 1]
    mean = np.average(y.values[:, 0], weights=of_points)
    assert cloud_r2_score(y, np.full((5, 1), mean), np.array([2.0, 1.0])) == pytest.approx(0)
    assert cloud_r2_score(y, y.values) == 1
    assert cloud_r2_score(y.with_values(y.values * 1e-200), y.values * 0) < 0


def test_places_for_all_cases_come_as_one_array():
    places = read_places(two_cases(), [[0.5], [0.7]])
    assert places.sizes.tolist() == [2, 2]
    with pytest.raises(ValueError, match="places of 1 axes for each of the 2 cases"):
        read_places(two_cases(), places[:1])
