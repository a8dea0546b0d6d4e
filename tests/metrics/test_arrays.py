"""The layouts that all metrics share."""

import numpy as np
import pytest

from skdyn.metrics._arrays import as_trajectories, case_weights, paired_trajectories


def test_one_trajectory_becomes_one_case_with_channels_first():
    values = np.arange(6.0).reshape(3, 2)
    trajectories = as_trajectories("y", values)
    assert trajectories.shape == (1, 2, 3)
    np.testing.assert_array_equal(trajectories[0, 1], values[:, 1])


@pytest.mark.parametrize("shape", [(3,), (1, 2, 3, 4)])
def test_other_numbers_of_axes_are_refused(shape):
    with pytest.raises(ValueError, match=r"y_true must be trajectories of shape .* got shape"):
        as_trajectories("y_true", np.zeros(shape))


def test_empty_arrays_are_refused():
    with pytest.raises(ValueError, match=r"y_true must not be empty; got shape \(0, 2, 3\)"):
        as_trajectories("y_true", np.zeros((0, 2, 3)))


def test_shapes_must_agree():
    with pytest.raises(
        ValueError, match=r"must have the same shape; got \(1, 2, 3\) and \(1, 2, 4"
    ):
        paired_trajectories(np.zeros((1, 2, 3)), np.zeros((1, 2, 4)))


def test_an_infinite_observation_is_refused():
    with pytest.raises(ValueError, match=r"y_true must be finite or NaN \(not observed\)"):
        paired_trajectories(np.full((1, 2, 3), np.inf), np.zeros((1, 2, 3)))


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0], [np.nan, 1.0]])
def test_bad_weights_are_refused(weights):
    with pytest.raises(ValueError, match="sample_weight must hold one non-negative weight"):
        case_weights(weights, 2)
