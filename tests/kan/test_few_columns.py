"""Wide tables: all columns are read, or the few that say most."""

import numpy as np
import pytest

from skdyn import KANClassifier, KANRegressor
from skdyn.kan import _plan
from skdyn.kan._few_columns import _ranked, few_columns


@pytest.fixture(scope="module")
def wide():
    return np.random.default_rng(0).uniform(-1, 1, (100, 40))


def test_columns_that_bend_are_found_and_ties_say_nothing(wide):
    goals = (np.abs(wide[:, 7]) + np.sin(3 * wide[:, 20]))[:, None]
    assert set(_ranked(wide, goals)[:2]) == {7, 20}
    labels = np.sort(wide[:, :1] > 0, axis=0).astype(float)  # in the order of the rows
    other = np.c_[wide[:, 0] > 0, np.zeros(100), labels[:, 0]].astype(float)
    assert list(_ranked(other, labels)) == [2, 0, 1]


def test_few_columns_are_read_where_these_bend_and_all_where_all_count(wide):
    model = KANRegressor((), random_state=0, max_iter=3)
    few = few_columns(model, wide, 3 * np.abs(wide[:, 7]) + np.sin(3 * wide[:, 20]), None)
    assert {7, 20} <= set(few)
    assert len(few) <= 16
    assert few_columns(model, wide, wide @ np.linspace(1, 2, 40), np.ones(100)) is None


def test_what_is_not_read_has_no_part_in_the_network(wide, monkeypatch):
    monkeypatch.setattr(_plan, "few_columns", lambda *table: np.array([3, 8]))
    X = np.tile(wide, 4)
    y = (X[:, 3] > 0).astype(int)
    model = KANClassifier(random_state=0, max_iter=10, tol=0.1, grid_sizes=3).fit(X, y)
    assert model.optimizer_ == "lm"
    assert set(np.flatnonzero(model.feature_importances_)) <= {3, 8}
    assert model.score(X, y) > 0.9
    X[:, 9] = 5.0
    assert model.score(X, y) > 0.9
    assert KANClassifier((), optimizer="adam", max_iter=1).fit(X, y).optimizer_ == "adam"
