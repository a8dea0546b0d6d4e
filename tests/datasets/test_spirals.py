"""Spirals against their polar form."""

import numpy as np
import pytest

from skdyn.datasets import make_spirals


def test_radius_and_angle_grow_linearly_each_in_the_direction_of_its_label():
    X, t, y = make_spirals(6, growth=0.4, omega=0.5, return_y=True, random_state=0)
    z = X[:, 0] + 1j * X[:, 1]
    np.testing.assert_allclose(np.abs(z), np.abs(z[:, :1]) + 0.4 * t, atol=1e-7)
    turn = np.where(y == 1, 0.5, -0.5)[:, None]
    np.testing.assert_allclose(z / np.abs(z), z[:, :1] / np.abs(z[:, :1]) * np.exp(1j * turn * t))


def test_half_of_the_spirals_turn_each_way():
    y = make_spirals(9, n_timepoints=3, return_y=True, random_state=0).y
    assert sorted(np.bincount(y)) == [4, 5]


def test_labels_do_not_change_the_trajectories():
    X, t = make_spirals(4, n_timepoints=5, random_state=3)
    labeled = make_spirals(4, n_timepoints=5, return_y=True, random_state=3)
    np.testing.assert_array_equal(X, labeled.X)
    np.testing.assert_array_equal(t, labeled.t)


def test_the_order_of_the_labels_is_shuffled():
    orders = {
        tuple(make_spirals(8, n_timepoints=2, return_y=True, random_state=seed).y)
        for seed in range(3)
    }
    assert len(orders) > 1


def test_one_row_of_initial_states_gives_one_spiral():
    X, _ = make_spirals(x0=[[1.0, 0.0], [2.0, 0.0]], n_timepoints=3)
    assert X.shape == (2, 2, 3)


def test_bad_parameters_are_named():
    with pytest.raises(ValueError, match=r"omega must be a finite number in \(0, inf\); got 0"):
        make_spirals(omega=0)


def test_the_old_name_of_the_result_is_still_found():
    from skdyn import datasets

    with pytest.warns(FutureWarning, match="LabeledTrajectories now"):
        assert datasets.LabelledTrajectories is datasets.LabeledTrajectories
