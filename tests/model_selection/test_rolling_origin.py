from itertools import pairwise

import numpy as np
import pytest
from sklearn import config_context
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from skdyn.model_selection._rolling_origin import RollingOriginSplit

ROWS = np.zeros((20, 2))
GROUPS = np.array(list("bbabcaacbdddecccaaab"))


def _splits(X=ROWS, groups=None, **parameters):
    splitter = RollingOriginSplit(**parameters)
    found = list(splitter.split(X, groups=groups))
    assert len(found) == splitter.get_n_splits()
    return found


@pytest.mark.parametrize("most", [None, 4])
@pytest.mark.parametrize("gap", [0, 2])
def test_it_is_scikit_learns_split_of_one_series_where_origins_are_a_horizon_apart(gap, most):
    ours = _splits(n_splits=3, horizon=4, gap=gap, max_train_size=most)
    theirs = TimeSeriesSplit(3, test_size=4, gap=gap, max_train_size=most).split(ROWS)
    for found, expected in zip(ours, theirs, strict=True):
        for part, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(part, other)


def test_origins_lie_a_step_apart_and_the_last_forecast_ends_with_the_data():
    tests = [test for _, test in _splits(n_splits=5, horizon=6, step=2)]
    assert tests[-1][-1] == 19
    for earlier, later in pairwise(tests):
        np.testing.assert_array_equal(later - earlier, 2)


def test_each_trajectory_has_its_own_past_and_future():
    for train, test in _splits(groups=GROUPS, n_splits=2, horizon=1, gap=1, max_train_size=2):
        for name in np.unique(GROUPS):
            past, future = (part[GROUPS[part] == name] for part in (train, test))
            assert len(past) <= 2
            assert len(future) <= 1
            assert not len(past) or past.max() < future.min()
    last = _splits(groups=GROUPS, n_splits=1, horizon=1)[0]
    ends = [np.flatnonzero(name == GROUPS)[-1] for name in np.unique(GROUPS)]
    np.testing.assert_array_equal(last[1], np.sort(ends))
    assert len(last[0]) == 20 - len(ends)


@pytest.mark.parametrize("X", [np.zeros((6, 2, 9)), [np.zeros((2, n)) for n in (3, 4, 5, 6, 7, 8)]])
def test_cases_count_as_recorded_one_after_the_other(X):
    train, test = _splits(X, n_splits=2, horizon=2)[0]
    np.testing.assert_array_equal(train, [0, 1])
    np.testing.assert_array_equal(test, [2, 3])
    groups = list("aabbcc")
    np.testing.assert_array_equal(_splits(X, groups, n_splits=1, horizon=1)[0][1], [4, 5])


@pytest.mark.parametrize(
    "parameters", [{"n_splits": 0}, {"horizon": 0}, {"gap": -1}, {"step": 0}, {"max_train_size": 0}]
)
def test_bad_parameters_are_shown(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"{name} must be an int"):
        _splits(**parameters)


def test_too_few_rows_say_how_many_are_needed():
    with pytest.raises(ValueError, match="need at least 21 rows of a trajectory; got 20"):
        _splits(n_splits=4, horizon=5)
    with pytest.raises(ValueError, match="need at least 3 cases; got 2"):
        _splits(np.zeros((2, 2, 30)), n_splits=1, horizon=2)


def test_scikit_learn_routes_groups_to_it():
    with config_context(enable_metadata_routing=True):
        scores = cross_val_score(
            DummyRegressor(), ROWS, np.arange(20.0), cv=RollingOriginSplit(2, horizon=1),
            params={"groups": GROUPS},
        )  # fmt: skip
    assert scores.shape == (2,)
