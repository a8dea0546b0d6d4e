"""Layouts of trajectories: what is accepted, and what every refusal says."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from skdyn._trajectories import (
    check_initial_states,
    check_states,
    check_trajectories,
    check_validation_set,
    hold_out,
    is_trajectories,
)


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(3, 2, 5))


def check(X, t=None, **options):
    return check_trajectories(BaseEstimator(), X, t, reset=True, **options)


def test_all_layouts_of_the_same_data_agree(X):
    t = np.array([0.0, 0.5, 1.5, 1.75, 4.0])
    expected = check(X, t)
    with_time = np.concatenate([X, np.broadcast_to(t, (3, 1, 5))], axis=1)
    for other in (
        check(X, np.tile(t, (3, 1))),
        check(list(X), [t, t, t]),
        check(with_time, time_channel=2),
        check(with_time, time_channel=-1),
        check(list(with_time), time_channel=2),
    ):
        for mine, theirs in zip(expected, other, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    assert expected.values.shape == (3, 5, 2)
    np.testing.assert_array_equal(expected.values, X.transpose(0, 2, 1))


def test_a_frame_with_an_uneven_index_is_not_counted_unless_times_come(X):
    t = np.array([0.0, 0.5, 1.5, 1.75, 4.0])
    frame = pd.DataFrame(X[0].T, index=t)
    with pytest.raises(ValueError, match="X_val holds times at uneven steps, but t_val"):
        check(frame, name="X_val")
    np.testing.assert_array_equal(check(frame, frame.index).times, [t])


def test_exchanged_axes_are_suspected_where_channels_are_many_and_times_few(X):
    with pytest.warns(UserWarning, match="read as 10 channels at 2 time points. Are its axes"):
        check(np.zeros((3, 10, 2)))
    with warnings.catch_warnings(action="error"):
        check(np.zeros((3, 9, 2)))
        check(X[0])


def test_two_axes_are_one_trajectory_of_rows_in_time(X):
    one = check(X[0].T)
    np.testing.assert_array_equal(one.values, X[:1].transpose(0, 2, 1))
    np.testing.assert_array_equal(one.times, [[0, 1, 2, 3, 4]])


def test_a_list_of_unequal_lengths_equals_an_array_padded_with_nan(X):
    t = np.arange(5.0)
    ragged = check([X[0], X[1, :, :3], X[2]], [t, t[:3], t])
    padded_X, padded_t = X.copy(), np.tile(t, (3, 1))
    padded_X[1, :, 3:], padded_t[1, 3:] = np.nan, np.nan
    padded = check(padded_X, padded_t)
    for mine, theirs in zip(ragged, padded, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(ragged.n_points, [5, 3, 5])
    assert len(ragged.intervals) == 4 + 2 + 4


def test_missing_values_stay_missing_and_rows_may_be_missing_whole(X):
    X[0, 1, 2] = np.nan
    X[1, :, 0] = np.nan
    observed = check(X).observed
    assert not observed[0, 2, 1]
    assert not observed[1, 0].any()
    assert observed.sum() == 30 - 3


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X: X[None], "2 or 3 axes.*got 4 axes"),
        (lambda X: X[:, :, :1], "Case 0 of X has n_samples = 1 time points"),
        (lambda X: [X[0], X[1, :1]], "same n_channels.*case 0 has 2, case 1 has 1"),
        (lambda X: np.where(np.isin(X, X[1, 0, 3]), np.inf, X), r"infinity(.|\n)*X\[1, 0, 3\]"),
        (
            lambda X: [X[0], np.where(X[1] == X[1, 1, 2], -np.inf, X[1])[:, :4]],
            "infinity in case 1, channel 1, index 2",
        ),
        (lambda X: np.where(np.arange(3)[:, None, None] == 2, np.nan, X), "Channel 0 of case 2"),
        (lambda X: X[0, 0], "Reshape your data"),
        (lambda X: X[:0], "0 sample"),
    ],
)
def test_bad_values_are_refused_with_the_place(X, spoil, message):
    with pytest.raises(ValueError, match=message):
        check(spoil(X))


@pytest.mark.parametrize(
    ("t", "message"),
    [
        ([0, 1, 2, 2, 3], r"strictly increase, but in case 0 t\[2\]=2 is followed by t\[3\]=2"),
        ([[0, 1, 2, 3, 4], [0, 3, 2, 4, 5], [0, 1, 2, 3, 4]], r"in case 1 t\[1\]=3"),
        ([0, 1, np.nan, 3, 4], "times of case 0 are NaN at index 2"),
        ([0, 1, 2, 3, np.inf], "times of case 0 contain infinity"),
        ([0, 1, 2], "t has 3 times for case 0, whose series has 5"),
        ([[0, 1, 2, 3, 4]] * 2, "one row for each of the 3 cases; got 2"),
        (np.zeros((1, 1, 5)), "t must be 1-D"),
        ([0, 1, 2, 3, np.nan], "Case 0 of X has values after its last time"),
    ],
)
def test_bad_times_are_refused_with_the_case(X, t, message):
    with pytest.raises(ValueError, match=message):
        check(X, t)


def test_times_from_two_places_or_from_a_channel_that_is_not_there_are_refused(X):
    with pytest.raises(ValueError, match="Times came twice"):
        check(X, np.arange(5), time_channel=0)
    with pytest.raises(ValueError, match=r"time_channel=2 does not leave.*has 2 channels"):
        check(X, time_channel=2)
    with pytest.raises(ValueError, match="does not leave a channel beside it"):
        check(X[:, :1], time_channel=0)


def test_the_channel_axis_is_compared_with_the_fit(X):
    estimator = BaseEstimator()
    check_trajectories(estimator, X, reset=True)
    assert estimator.n_features_in_ == 2
    for other in (X[:, :1], [X[0, :1]]):
        with pytest.raises(ValueError, match="X has 1 features"):
            check_trajectories(estimator, other, reset=False)


def test_initial_states_leave_out_their_time_and_must_be_complete():
    estimator = BaseEstimator()
    estimator.n_features_in_ = 3
    states, t0 = check_initial_states(estimator, [[1.0, 5.0, 2.0]], time_channel=1)
    np.testing.assert_array_equal(states, [[1.0, 2.0]])
    np.testing.assert_array_equal(t0, [5.0])
    with pytest.raises(ValueError, match="Row 1 of X contains NaN"):
        check_initial_states(estimator, [[1.0, 5.0, 2.0], [1.0, np.nan, 2.0]])


def test_three_axes_and_lists_of_tables_are_trajectories(X):
    assert is_trajectories(X)
    assert is_trajectories([X[0], X[1, :, :2]])
    assert not is_trajectories(X[0])
    assert not is_trajectories([[1.0, 2.0], [3.0, 4.0]])


def test_held_out_cases_are_disjoint_and_complete(X):
    data = check(X)
    training, validation = hold_out(data, 0.3, np.random.RandomState(0))
    assert len(training.values) == 2
    together = np.concatenate([training.values, validation.values])
    assert sorted(together[:, 0, 0]) == sorted(data.values[:, 0, 0])


def test_the_seed_chooses_the_cases_that_are_held_out():
    data = check(np.arange(80.0).reshape(8, 2, 5))

    def held_out(seed):
        return hold_out(data, 0.25, np.random.RandomState(seed))[1].values[:, 0, 0].tolist()

    assert held_out(0) == held_out(0)
    assert len({tuple(held_out(seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize(("fraction", "n_held_out"), [(0.01, 1), (0.5, 4), (0.99, 7)])
def test_both_parts_have_a_case_whatever_the_fraction(fraction, n_held_out):
    data = check(np.arange(80.0).reshape(8, 2, 5))
    training, validation = hold_out(data, fraction, np.random.RandomState(0))
    assert (len(training.values), len(validation.values)) == (8 - n_held_out, n_held_out)


def test_of_one_trajectory_the_end_is_held_out(X):
    training, validation = hold_out(check(X[0].T), 0.1, np.random.RandomState(0))
    assert training.times.max() < validation.times.min()
    assert validation.n_points == 2
    short = check(X[0].T[:3])
    with pytest.warns(UserWarning, match=r"the last 2 of 3 time points.*validation_fraction"):
        training, validation = hold_out(short, 0.1, np.random.RandomState(0))
    assert training is short
    assert validation is None


def test_states_are_complete_and_of_the_models_size():
    states = np.ones((3, 2))
    assert check_states(states, 2, "x0") is states
    with pytest.raises(ValueError, match=r"x0 must hold states of 3 channels.*got shape \(3, 2\)"):
        check_states(states, 3, "x0")
    with pytest.raises(ValueError, match="x0 contains NaN or infinity"):
        check_states(states * np.nan, 2, "x0")


def test_a_validation_set_is_whole_and_wanted():
    check_validation_set(None, None, early_stopping=False)
    check_validation_set([[1.0]], None, early_stopping=True)
    with pytest.raises(ValueError, match="t_val was passed to fit without X_val"):
        check_validation_set(None, [1.0], early_stopping=True)
    with pytest.raises(ValueError, match="early_stopping=False, so it would be ignored"):
        check_validation_set([[1.0]], None, early_stopping=False)
