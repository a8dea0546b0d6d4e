"""Layouts of labeled series: what is read alike, and what every refusal says."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from skdyn._series import check_series, laid_paths, reads_series


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(3, 2, 5))


def check(X, t=None, **options):
    return check_series(BaseEstimator(), X, t, reset=True, **options)


def test_a_table_holds_series_of_one_channel(X):
    table, model = X[:, 0], BaseEstimator()
    found = check_series(model, table, reset=True)
    assert model.n_features_in_ == 5
    for mine, theirs in zip(found, check(table[:, None]), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(ValueError, match="4 features"):
        check_series(model, table[:, :4], reset=False)


def test_times_at_which_nothing_was_seen_are_no_points(X):
    t = np.array([0.0, 1.0, 2.5, 3.0, 7.0])
    gaps = X.copy()
    gaps[0, :, 1], gaps[1, :, 3:], gaps[2, 0, 2] = np.nan, np.nan, np.nan
    found = check(gaps, t)
    assert found.n_points.tolist() == [4, 3, 5]
    lists = check([gaps[0][:, [0, 2, 3, 4]], gaps[1][:, :3], gaps[2]], [t[[0, 2, 3, 4]], t[:3], t])
    for mine, theirs in zip(found, lists, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    padded = np.tile(t, (3, 1))
    padded[1, 3:] = np.nan
    np.testing.assert_array_equal(check(gaps, padded).times, found.times)


def test_paths_are_straight_lines_in_time_held_at_the_ends_and_after_them(X):
    t = np.array([0.0, 1.0, 2.5, 3.0, 7.0])
    X[0, 0] = [np.nan, 1.0, np.nan, np.nan, 7.0]
    X[1, 1] = np.nan
    X[2, :, 3:] = np.nan
    series = check(X, t)
    paths = laid_paths(series, np.array([50.0, 60.0]))
    np.testing.assert_allclose(paths.values[0, :, 0], [1.0, 1.0, 2.5, 3.0, 7.0])
    np.testing.assert_array_equal(paths.values[1, :, 1], 60.0)
    np.testing.assert_array_equal(paths.values[2, 2:], paths.values[2, [2, 2, 2]])
    assert paths.times[2].tolist() == [0.0, 1.0, 2.5, 2.5, 2.5]
    assert paths.seen[0, :, 0].tolist() == [False, True, False, False, True]
    assert np.isnan(series.values[0, 0, 0])  # nothing was filled in place
    for mine, part in zip(paths, paths.select(slice(1, 3)), strict=True):
        np.testing.assert_array_equal(part, mine[1:])


def test_columns_named_by_uneven_times_are_not_counted(X):
    t = [0.0, 1.0, 2.5, 3.0, 7.0]
    frame = pd.DataFrame(X[:, 0], columns=t)
    with pytest.raises(ValueError, match=r"columns of X are named by times .*t=X.columns"):
        check(frame)
    np.testing.assert_array_equal(check(frame, frame.columns).times[0], t)
    check(pd.DataFrame(X[:, 0], columns=np.arange(5) / 4))
    with pytest.raises(ValueError, match="columns of X are named"):
        check([pd.DataFrame(case, columns=t) for case in X])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros((4, 1)), "n_features = 1"),
        (np.zeros((2, 3, 4, 5)), "X has 4 axes"),
        ([np.zeros((2, 4)), np.zeros((2, 1))], "Case 1 of X has 1 time point, but"),
        ([np.zeros((2, 4)), np.zeros((3, 4))], "same n_channels"),
        ([np.zeros((2, 4)), np.zeros(4)], "different numbers of axes"),
        ([[1.0, 2.0], [1.0, 2.0, 3.0]], r"case\[None\]"),
        (np.full((2, 2, 3), np.nan), "Case 0 of X has no value"),
        (np.stack([np.zeros((2, 4)), np.full((2, 4), np.nan)], axis=1), "Channel 1 of X"),
        (pd.DataFrame({"a": [pd.Series([1.0, 2.0])]}), "series_from_frame"),
        (pd.DataFrame({"a": [1.0, 2.0]}, pd.MultiIndex.from_tuples([(0, 0), (0, 1)])), "levels"),
    ],
)
def test_what_is_no_series_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        check(given)


@pytest.mark.parametrize(
    ("t", "words"),
    [
        ([0, 1, 1, 2, 3], "case 0 of t 1 is followed by 1"),
        ([0, 2, 1, 3, 4], "case 0 of t 2 is followed by 1"),
        ([0, 1, np.nan, 3, 4], "Case 0 of X has a value at index 2, whose time is NaN"),
        ([0, 1, 2, 3, np.inf], "case 0 contain infinity"),
        ([0, 1, 2, 3, 1e90], "of t, from a case's first time on,"),
        ([0, 1, 2], "t has 3 times for case 0"),
    ],
)
def test_what_are_no_times_is_refused(X, t, words):
    with pytest.raises(ValueError, match=words):
        check(X, t)


def test_times_that_come_twice_are_refused(X):
    with pytest.raises(ValueError, match="Times came twice"):
        check(X, np.arange(5.0), time_channel=0)


def test_exchanged_axes_are_suspected():
    with pytest.warns(UserWarning, match="10 channels at 2 time points. Are its axes exchanged"):
        check(np.random.default_rng(0).normal(size=(3, 10, 2)))


def test_an_estimator_says_that_it_reads_series():
    class Reader(BaseEstimator):
        _reads_series = True

    assert reads_series(Reader())
    assert not reads_series(BaseEstimator())
