"""Windows: they cover every observation, keep the times, and grow."""

import numpy as np
import pytest

from skdyn._trajectories import Trajectories
from skdyn.neural_ode._windows import cut_windows, padded_times, window_lengths


def trajectories(n_points=(11, 7)):
    width = max(n_points)
    values, times = (
        np.full((len(n_points), width, 2), np.nan),
        np.full((len(n_points), width), np.nan),
    )
    for case, n in enumerate(n_points):
        times[case, :n] = np.arange(n) * 0.5 + 100 * case
        values[case, :n] = np.stack([times[case, :n], -times[case, :n]], axis=1)
    return Trajectories(values, times, np.array(n_points))


@pytest.mark.parametrize("length", [1, 2, 3, 4, 6, 10])
def test_windows_cover_every_observation_and_keep_its_time(length):
    data = trajectories()
    windows = cut_windows(data, np.nan_to_num(data.values), length)
    seen = windows.weights[:, :, 0] > 0
    # The first channel is the time itself, so each target tells where it came from.
    clock = windows.starts[:, :1] + windows.times
    np.testing.assert_allclose(windows.targets[:, :, 0][seen], clock[seen])
    assert set(np.unique(windows.targets[:, :, 0][seen])) == set(data.times[~np.isnan(data.times)])
    assert (np.diff(windows.times, axis=1) > 0).all()


def test_a_weighted_mean_of_squares_is_the_mean_over_the_observations():
    data = trajectories()
    data.values[0, ::2, 1] = np.nan
    windows = cut_windows(data, np.zeros_like(data.values), 20)
    squares = np.mean(windows.targets**2 * windows.weights)
    np.testing.assert_allclose(squares, np.nanmean(data.values**2))


def test_without_overlap_there_is_one_window_a_case_from_its_start():
    data = trajectories()
    windows = cut_windows(data, data.values, 4, overlap=False)
    np.testing.assert_array_equal(windows.starts[:, 0], [0.0, 100.0])


def test_windows_that_saw_nothing_are_left_out():
    data = trajectories((11,))
    data.values[0, 4:7] = np.nan
    windows = cut_windows(data, np.zeros_like(data.values), 2)
    assert (windows.weights.sum(axis=(1, 2)) > 0).all()
    assert len(windows.first) == len(windows.batch_arrays[0]) < 9


def test_window_lengths_grow_to_the_whole_trajectory():
    lengths = window_lengths("auto", 99, 4.0)
    assert lengths == [8, 24, 99]
    assert window_lengths("auto", 5, 4.0) == [5]
    assert window_lengths("auto", 100_000, 4.0)[-1] == 512
    assert window_lengths(None, 99, 4.0) == [99]
    assert window_lengths(7, 99, 4.0) == [7]
    assert window_lengths(700, 99, 4.0) == [99]


@pytest.mark.parametrize("direction", [1, -1])
def test_padded_times_are_strictly_monotonic_and_hardly_move(direction):
    times = direction * np.array([[3.0, 4.0, 6.0, 6.0, 6.0], [1.0, 1.0, 1.0, 1.0, 1.0]])
    inside = np.array([[True, True, True, False, False], [True, False, False, False, False]])
    padded = padded_times(times, inside)
    assert (np.diff(padded, axis=1) * direction > 0).all()
    np.testing.assert_array_equal(padded[0, :3], direction * np.array([0.0, 1.0, 3.0]))
    assert abs(padded[1, -1]) < 0.01
