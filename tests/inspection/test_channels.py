import numpy as np
import pytest

from skdyn.inspection._channels import as_cases, channel_names


def test_one_trajectory_becomes_one_case():
    X = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(as_cases(X), X.T[None])
    assert as_cases(X[None]).shape == (1, 3, 2)
    with pytest.raises(ValueError, match=r"X must have the axes.*got shape \(2,\)"):
        as_cases(X[0])


def test_channels_have_names_or_numbers():
    assert channel_names(["hare", "lynx"], 2) == ["hare", "lynx"]
    assert channel_names(None, 2) == ["channel 0", "channel 1"]


def test_shorter_cases_of_a_list_end_in_nan():
    cases = as_cases([np.ones((2, 3)), np.zeros((2, 1))])
    assert cases.shape == (2, 2, 3)
    assert np.isnan(cases[1, :, 1:]).all()
    assert not np.isnan(cases[0]).any()
