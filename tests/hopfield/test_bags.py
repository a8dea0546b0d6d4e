import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from skdyn.hopfield._bags import Bags, check_bags

rng = np.random.default_rng(0)
BAGS = [rng.normal(size=(n, 3)) for n in (2, 4, 1)]


def checked(X, reset=True):
    return check_bags(BaseEstimator(), X, reset=reset)


def padded(bags, size=6):
    array = np.full((len(bags), size, bags[0].shape[1]), np.nan)
    for row, values in zip(array, bags):
        row[1 : 1 + len(values)] = values  # padding may come first, too
    return array


def test_all_layouts_are_laid_out_alike():
    as_objects = np.empty(3, dtype=object)
    as_objects[:] = BAGS
    lists = [bag.tolist() for bag in BAGS]
    for X in (BAGS, tuple(BAGS), lists, padded(BAGS), as_objects, checked(BAGS)):
        found = checked(X)
        np.testing.assert_array_equal(found.instances, np.concatenate(BAGS))
        assert found.sizes.tolist() == [2, 4, 1]
    assert found.shape == (3, 4, 3)


def test_a_table_is_bags_of_one_instance():
    found = checked(BAGS[1])
    np.testing.assert_array_equal(found.instances, BAGS[1])
    assert found.sizes.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("rows", [slice(1, 3), slice(0, 0), [2, 0], np.array([True, False, True])])
def test_some_of_the_bags_keep_their_instances(rows):
    some = checked(BAGS)[rows]
    expected = [BAGS[i] for i in np.arange(3)[rows]]
    assert some.sizes.tolist() == [len(bag) for bag in expected]
    np.testing.assert_array_equal(some.instances, np.concatenate([np.empty((0, 3)), *expected]))


def test_chunks_hold_all_bags_in_turn():
    bags = Bags(np.zeros((20, 1)), [3, 3, 9, 1, 1, 1, 2])
    chunks = [(chunk.start, chunk.stop) for chunk in bags.chunks(6)]
    assert chunks == [(0, 2), (2, 3), (3, 7)]


def test_whole_numbers_become_floats_and_float32_stays():
    assert checked([np.ones((2, 2), dtype=int)]).dtype == np.float64
    assert checked(np.ones((2, 2, 2), dtype=int)).dtype == np.float64
    assert checked([bag.astype(np.float32) for bag in BAGS]).dtype == np.float32


def test_names_of_features_are_kept():
    estimator = BaseEstimator()
    frames = [pd.DataFrame(bag, columns=list("abc")) for bag in BAGS]
    check_bags(estimator, frames, reset=True)
    assert list(estimator.feature_names_in_) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names should match"):
        check_bags(estimator, [frame.rename(columns={"a": "z"}) for frame in frames], reset=False)
    turned = [*frames[:-1], frames[-1][["c", "b", "a"]]]
    with pytest.raises(ValueError, match=r"has the columns \['c', 'b', 'a'\], bag 0 has"):
        check_bags(estimator, turned, reset=False)


def spoilt(value):
    bags = [bag.copy() for bag in BAGS]
    bags[1][2, 0] = value
    return bags


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([BAGS[0], BAGS[1][:0]], "Bag 1 of X is empty"),
        ([BAGS[0], []], "Bag 1 of X is empty"),
        (np.stack([BAGS[0], np.full((2, 3), np.nan)]), "Bag 1 of X is empty"),
        (np.zeros((2, 0, 3)), "Bag 0 of X is empty"),
        ([BAGS[0], BAGS[1][:, :2]], r"\(n_instances, 3\).*bag 1 has shape \(4, 2\)"),
        ([BAGS[0], BAGS[1][0]], r"bag 1 has shape \(3,\)"),
        ([BAGS[0][0], BAGS[1][0, :2]], r"The bags of X are 1-D.*bag\[None, :\]"),
        (spoilt(np.nan), "Instance 2 of bag 1 of X contains NaN"),
        (spoilt(np.inf), "Instance 2 of bag 1 of X contains infinity"),
        (padded(spoilt(np.nan)), "Instance 2 of bag 1 of X contains NaN"),
        ({"a": BAGS[0]}, "dict, which is no layout of bags.*groups="),
        (pd.DataFrame({"a": [0, 0, 1], "b": 1.0}).groupby("a"), "GroupBy.*bags_from_table"),
        ([[[1.0, 2.0], [3.0]]], "Bag 0 of X is a list whose parts differ in length.*groups="),
        (np.zeros((0, 2, 3)), "0 sample"),
        ([], "Expected 2D array"),
        (np.zeros((1, 2, 3, 4)), "dim 4"),
        ([np.zeros((2, 0))], "0 feature"),
    ],
)
def test_bags_that_cannot_be_used_are_named(X, message):
    with pytest.raises(ValueError, match=message):
        checked(X)
