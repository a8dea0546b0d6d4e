import numpy as np
import pytest

from skdyn._spikes import without_spikes
from skdyn._trajectories import Trajectories

VALUES = np.random.default_rng(0).normal(size=(3, 40, 2))


def trajectories(values):
    times = np.broadcast_to(np.arange(40.0), (3, 40))
    return Trajectories(values, times, np.full(3, 40))


def spiked(case, points, channel=1, value=1e4):
    values = VALUES.copy()
    values[case, points, channel] = value
    return trajectories(values)


@pytest.mark.parametrize("points", [[30], [0], [38, 39], [3, 17]])
def test_a_moment_far_from_all_else_becomes_missing_and_its_place_is_told(points):
    with pytest.warns(UserWarning, match=f"case 2 channel 1 index {points[0]}.*1e\\+04"):
        cleaned = without_spikes(spiked(2, points), "X")
    missing = np.argwhere(np.isnan(cleaned.values))
    assert missing.tolist() == [[2, k, 1] for k in points]
    seen = ~np.isnan(cleaned.values)
    np.testing.assert_array_equal(cleaned.values[seen], VALUES[seen])


@pytest.mark.filterwarnings("error")
def test_what_lasts_is_a_state_and_an_ordinary_record_comes_back_as_it_is():
    for data in (trajectories(VALUES), spiked(2, [20, 21, 22, 23])):
        assert without_spikes(data, "X") is data


@pytest.mark.filterwarnings("error")
def test_no_case_loses_a_whole_channel():
    values = VALUES.copy()
    values[1, :, 0] = np.nan
    values[1, 5, 0] = 1e4
    assert without_spikes(trajectories(values), "X").values[1, 5, 0] == 1e4


@pytest.mark.parametrize(("time_channel", "named"), [(0, 2), (-1, 1), (2, 1), (1, 2)])
def test_channels_are_numbered_as_the_user_does(time_channel, named):
    with pytest.warns(UserWarning, match=f"channel {named} "):
        without_spikes(spiked(0, [4]), "X", time_channel)
