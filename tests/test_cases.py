"""Cases and their times, before they are laid out."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skdyn._cases import ragged_values, split_time, times_of_cases


def test_cases_of_one_length_become_one_array_others_stay_a_list():
    model = BaseEstimator()
    even = ragged_values(model, [np.zeros((2, 4)), np.ones((2, 4))], True, "X")
    assert even.shape == (2, 2, 4)
    assert model.n_features_in_ == 2
    uneven = ragged_values(model, [np.zeros((2, 4)), np.ones((2, 3))], False, "X")
    assert [case.shape for case in uneven] == [(2, 4), (2, 3)]


def test_times_are_counted_shared_or_those_of_each_case():
    values = np.zeros((2, 1, 3))
    assert [row.tolist() for row in times_of_cases(None, values, "t")] == [[0, 1, 2]] * 2
    assert [row.tolist() for row in times_of_cases([1, 2, 4], values, "t")] == [[1, 2, 4]] * 2
    with pytest.raises(ValueError, match="t has 2 times for case 0, whose series has 3"):
        times_of_cases([1, 2], values, "t")


def test_a_channel_of_times_is_taken_out():
    values, times = split_time(np.arange(12.0).reshape(1, 3, 4), -2, "X")
    assert values[0][:, 0].tolist() == [0, 8]
    assert times[0].tolist() == [4, 5, 6, 7]
