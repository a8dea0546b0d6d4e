from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score

from skdyn.model_selection._trajectory_split import TrajectorySplit

ROWS = np.zeros((23, 2))
CASES = np.zeros((7, 2, 11))
RAGGED = [np.zeros((2, length)) for length in (5, 9, 4, 6)]
GROUPS = np.array(list("bbabcaacbddde" + "e" * 10))


class Witness(BaseEstimator):
    """Notes what it is given; scores the number of test cases."""

    def fit(self, X, y=None, *, t=None, groups=None):
        self.seen_ = X
        self.t_ = t
        assert t is None or len(t) == len(X) or np.ndim(X) == 3
        assert groups is None or len(groups) == len(X)
        return self

    def score(self, X, y=None):
        return float(len(X))


@pytest.mark.parametrize(
    ("X", "groups"),
    [(ROWS, None), (ROWS, GROUPS), (CASES, None), (RAGGED, None), (CASES, list("aabbccd"))],
    ids=["rows", "groups", "cases", "ragged", "grouped cases"],
)
@pytest.mark.parametrize("n_splits", [2, 4])
def test_test_sets_partition_the_data_and_the_rest_trains(X, groups, n_splits):
    splits = list(TrajectorySplit(n_splits).split(X, groups=groups))
    assert len(splits) == TrajectorySplit(n_splits).get_n_splits() == n_splits
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(len(X)))
    for train, test in splits:
        assert sorted([*train, *test]) == list(range(len(X)))
        assert (np.diff(train) > 0).all()
        assert (np.diff(test) > 0).all()


def test_training_and_test_set_share_no_trajectory():
    for strategy in ("blocks", "forward"):
        for train, test in TrajectorySplit(3, strategy=strategy).split(ROWS, groups=GROUPS):
            assert not set(GROUPS[train]) & set(GROUPS[test])


@pytest.mark.parametrize("groups", [None, np.full(23, 5)])
@pytest.mark.parametrize("gap", [0, 2])
def test_one_trajectory_is_cut_into_blocks_of_time_with_a_gap_around(groups, gap):
    for train, test in TrajectorySplit(4, gap=gap).split(ROWS, groups=groups):
        assert (np.diff(test) == 1).all()
        distance = np.abs(train[:, None] - test).min(axis=1)
        assert distance.min() == gap + 1
        left_out = set(range(23)) - {*train, *test}
        assert len(left_out) == gap * (int(test[0] > 0) + int(test[-1] < 22))


def test_blocks_and_sets_of_trajectories_are_of_equal_size_within_one():
    for X in (ROWS, CASES):
        sizes = [len(test) for _, test in TrajectorySplit(4).split(X)]
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("gap", [0, 3])
def test_forward_only_the_past_trains(gap):
    splits = list(TrajectorySplit(3, gap=gap, strategy="forward").split(ROWS))
    assert len(splits) == 3
    for train, test in splits:
        assert list(train) == list(range(test[0] - gap))
    assert splits[-1][1][-1] == 22
    assert all(a[1][-1] + 1 == b[1][0] for a, b in pairwise(splits))


def test_forward_takes_trajectories_in_the_order_they_appear():
    splits = list(TrajectorySplit(4, strategy="forward").split(ROWS, groups=GROUPS))
    assert [sorted(set(GROUPS[test])) for _, test in splits] == [["a"], ["c"], ["d"], ["e"]]
    assert [sorted(set(GROUPS[train])) for train, _ in splits[:2]] == [["b"], ["a", "b"]]


def test_a_gap_does_not_touch_whole_trajectories():
    wanted = list(TrajectorySplit(3).split(CASES))
    for (train, test), (a, b) in zip(TrajectorySplit(3, gap=5).split(CASES), wanted, strict=True):
        assert (list(train), list(test)) == (list(a), list(b))


@pytest.mark.parametrize(
    ("options", "X", "groups", "message"),
    [
        ({"n_splits": 24}, ROWS, None, "n_splits=24 .* needs at least 24 rows; got 23"),
        ({"n_splits": 6}, ROWS, GROUPS, "needs at least 6 trajectories; got 5. Lower"),
        ({"n_splits": 5, "strategy": "forward"}, ROWS, GROUPS, "'forward' needs at least 6"),
        ({"n_splits": 2}, CASES[:1], None, "got 1. Lower n_splits, or pass one trajectory as"),
        ({"n_splits": 2}, CASES, np.zeros(7), "needs at least 2 trajectories; got 1"),
        ({"n_splits": 2}, ROWS[:0], None, "at least 2 rows; got 0"),
        ({"n_splits": 1}, ROWS, None, "n_splits must be an int of at least 2; got 1"),
        ({"n_splits": 2.0}, ROWS, None, "n_splits must be an int"),
        ({"gap": -1}, ROWS, None, "gap must be an int of at least 0; got -1"),
        ({"strategy": "shuffle"}, ROWS, None, "'blocks' or 'forward'; got 'shuffle'"),
        ({"n_splits": 2, "gap": 12}, ROWS, None, "gap=12 leaves no rows to train on"),
        ({"n_splits": 2}, ROWS, GROUPS[:-1], "inconsistent numbers of samples"),
    ],
)
def test_what_cannot_be_split_is_named(options, X, groups, message):
    with pytest.raises(ValueError, match=message):
        list(TrajectorySplit(**options).split(X, groups=groups))


@pytest.mark.parametrize("X", [ROWS, pd.DataFrame(ROWS), CASES, RAGGED, ROWS.tolist()])
def test_it_serves_cross_validation_in_every_layout(X):
    scores = cross_val_score(Witness(), X, cv=TrajectorySplit(4))
    assert sum(scores) == len(X)


def test_times_and_ids_go_along_with_the_rows():
    t = np.arange(23.0)
    X = np.stack([t, t], axis=1)
    scores = cross_val_score(
        Witness(), X, groups=GROUPS, params={"t": t, "groups": GROUPS}, cv=TrajectorySplit(5)
    )
    assert scores.tolist() == [4.0, 3.0, 2.0, 3.0, 11.0]
    search = GridSearchCV(Witness(), {}, cv=TrajectorySplit(2), refit=True)
    search.fit(X, t=t)
    np.testing.assert_array_equal(search.best_estimator_.t_, t)


def test_ids_are_routed_to_it_without_a_request():
    model = Witness()
    with config_context(enable_metadata_routing=True):
        model.set_fit_request(groups=True, t=True)
        scores = cross_val_score(
            model, ROWS, params={"groups": GROUPS, "t": np.arange(23.0)}, cv=TrajectorySplit(5)
        )
    assert scores.tolist() == [4.0, 3.0, 2.0, 3.0, 11.0]
    whole = cross_val_score(DummyRegressor(), ROWS, np.arange(23.0), cv=TrajectorySplit(5))
    assert len(whole) == 5


def test_it_shows_its_parameters():
    assert (
        repr(TrajectorySplit(3, gap=2)) == "TrajectorySplit(gap=2, n_splits=3, strategy='blocks')"
    )
