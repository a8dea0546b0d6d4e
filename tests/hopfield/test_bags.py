import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator

from skdyn.hopfield._bags import check_bags, pad, present, statistics

rng = np.random.default_rng(0)
BAGS = [rng.normal(size=(n, 3)) for n in (2, 4, 1)]


def checked(X, reset=True):
    return check_bags(BaseEstimator(), X, reset=reset)


def test_all_layouts_are_laid_out_alike():
    padded = np.full((3, 6, 3), np.nan)
    for bag, values in zip(padded, BAGS):
        bag[1 : 1 + len(values)] = values  # padding may come first, too
    as_objects = np.empty(3, dtype=object)
    as_objects[:] = BAGS
    expected = pad(np.concatenate(BAGS), [2, 4, 1])
    for X in (BAGS, tuple(BAGS), [bag.tolist() for bag in BAGS], padded, as_objects):
        np.testing.assert_array_equal(checked(X), expected)
    assert expected.shape == (3, 4, 3)


def test_a_table_is_bags_of_one_instance():
    np.testing.assert_array_equal(checked(BAGS[1]), BAGS[1][:, None])


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


@pytest.mark.parametrize("as_type", [np.asarray, torch.from_numpy])
def test_instances_are_told_from_padding(as_type):
    here = present(as_type(pad(np.concatenate(BAGS), [2, 4, 1])))
    assert here.sum(axis=1).tolist() == [2, 4, 1]
    assert here[0].tolist() == [True, True, False, False]


def test_statistics_are_those_of_each_bag():
    found = statistics(np.concatenate(BAGS), np.array([2, 4, 1]))
    expected = [np.r_[bag.min(axis=0), bag.mean(axis=0), bag.max(axis=0)] for bag in BAGS]
    np.testing.assert_allclose(found, expected)


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
        (pad(np.concatenate(spoilt(np.nan)), [2, 4, 1]), "Instance 2 of bag 1 of X contains NaN"),
        (np.zeros((0, 2, 3)), "0 sample"),
        ([], "Expected 2D array"),
        (np.zeros((1, 2, 3, 4)), "dim 4"),
        ([np.zeros((2, 0))], "0 feature"),
    ],
)
def test_bags_that_cannot_be_used_are_named(X, message):
    with pytest.raises(ValueError, match=message):
        checked(X)
