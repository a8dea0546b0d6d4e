"""Times that went astray."""

import warnings

import numpy as np
import pandas as pd
import pytest

from skdyn import NeuralODE
from skdyn._time_units import read_times
from skdyn._times import refuse_times_as_y, refuse_uneven_index
from skdyn._trajectories import Trajectories


def test_times_passed_as_y_are_noticed():
    X, t = np.zeros((3, 2, 5)), np.arange(5.0)
    several = Trajectories(X.transpose(0, 2, 1), np.tile(t, (3, 1)), np.full(3, 5))
    with pytest.raises(ValueError, match=r"fit\(X, t=\.\.\.\)"):
        refuse_times_as_y(t, None, several)
    with pytest.warns(UserWarning, match="increase like times"):
        refuse_times_as_y(t, None, several.select([0]))


@pytest.mark.parametrize("y", [None, [1, 0, 2, 3, 4], [0, 1, 2], list("abcde"), np.eye(5)])
def test_a_y_that_is_no_row_of_times_is_ignored(y):
    one = Trajectories(np.zeros((3, 5, 2)), np.tile(np.arange(5.0), (3, 1)), np.full(3, 5))
    with warnings.catch_warnings(action="error"):
        refuse_times_as_y(y, None, one)
        refuse_times_as_y(np.arange(5), np.arange(5), one)


DAYS = np.array([0.0, 1.0, 2.5, 3.0, 7.0])
START = pd.Timestamp("2020-01-01")


@pytest.mark.parametrize(
    "index",
    [START + pd.to_timedelta(DAYS, "D"), pd.to_timedelta(DAYS, "D"), pd.Index(DAYS)],
    ids=["dates", "durations", "numbers"],
)
def test_an_uneven_index_is_refused_with_times_to_pass(index):
    X = pd.DataFrame({"x": DAYS}, index=index)
    with pytest.raises(ValueError, match=r"index of X holds times at .*Pass t=X\.index;"):
        refuse_uneven_index(X, "X", "t")
    t = read_times(NeuralODE(), X.index, reset=True)
    assert sorted(t) == DAYS.tolist()


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range(START, periods=5)[::-1],  # even, newest first, as many tables come
        pd.date_range(START, periods=5, freq="MS")[::-1],
        pd.Index(DAYS[::-1]),
    ],
    ids=["days", "months", "numbers"],
)
def test_an_index_that_runs_backwards_is_refused(index):
    X = pd.DataFrame({"x": DAYS}, index=index)
    for rows in (X, X[:2]):
        with pytest.raises(ValueError, match=r"backwards in time.*X.sort_index\(\)"):
            refuse_uneven_index(rows, "X", "t")
    refuse_uneven_index(X.sort_index().iloc[[0, 0]], "X", "t")  # one time twice: no direction


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range(START, periods=5, freq="h"),
        pd.DatetimeIndex(pd.date_range(START, periods=5, freq="MS").to_numpy()),
        pd.Index(np.linspace(0.0, 0.4, 5)),
        pd.Index([0, 5, 10, 15, 20]),
        pd.Index(list("abcde")),
        pd.MultiIndex.from_product([["a"], range(5)]),
    ],
    ids=["hours", "months", "floats", "row numbers", "names", "levels"],
)
def test_rows_at_even_steps_or_with_other_labels_are_counted(index):
    refuse_uneven_index(pd.DataFrame({"x": DAYS}, index=index), "X", "t")
    refuse_uneven_index(DAYS[:, None], "X", "t")


@pytest.fixture(scope="module")
def data():
    t = np.linspace(0.0, 1.0, 6)
    return np.exp(-np.array([[[1.0]], [[2.0]]]) * t), t


@pytest.fixture(scope="module")
def timed(data):
    X, t = data
    return NeuralODE((4,), max_iter=1, window=2, random_state=0).fit(X, t=t)


def test_a_model_fitted_with_times_follows_no_trajectories_without(data, timed):
    X, t = data
    for ask in (timed.score, timed.predict):
        with pytest.raises(ValueError, match=r"t is missing.*set_score_request.*time_channel"):
            ask(X)
    assert timed.predict(X, t).shape == X.shape
    assert timed.predict(X[:, :, 0]).shape == (2, 1)  # one interval on: no times are needed
    with pytest.raises(ValueError, match="t_val is missing"):
        NeuralODE(early_stopping=True).fit(X, t=t, X_val=X)


def test_times_that_are_counted_anyway_or_are_a_channel_are_not_missed(data):
    X, t = data
    counted = NeuralODE((4,), max_iter=1, window=2, random_state=0).fit(X, t=5.0 + np.arange(6))
    assert counted.score(X) == counted.score(X, t=np.arange(6))
    Z = np.concatenate([X, np.broadcast_to(t, (2, 1, 6))], axis=1)
    inside = NeuralODE((4,), max_iter=1, window=2, random_state=0, time_channel=1).fit(Z)
    assert np.isfinite(inside.score(Z))


@pytest.mark.parametrize("step", [1, 5])
def test_rows_that_were_dropped_from_a_numbered_frame_are_told(step):
    frame = pd.DataFrame({"x": np.sin(np.arange(12.0))}, index=np.arange(12) * step)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refuse_uneven_index(frame, "X", "t")
        refuse_uneven_index(frame.iloc[::-1], "X", "t")
        refuse_uneven_index(frame.iloc[[3, 1, 7]], "X", "t")  # shuffled: rows, not times
    with pytest.warns(UserWarning, match=f"from {3 * step} to {6 * step} .*t=X.index if"):
        refuse_uneven_index(frame.drop([4 * step, 5 * step]), "X", "t")
