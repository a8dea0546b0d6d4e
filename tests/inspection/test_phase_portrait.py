from typing import NamedTuple

import numpy as np
import pytest
from scipy.linalg import expm

from skdyn.exceptions import DivergenceError
from skdyn.inspection import PhasePortraitDisplay


class FixedPoint(NamedTuple):
    point: np.ndarray
    kind: str


class Linear:
    """Stands for a fitted model of x' = A x."""

    def __init__(self, A, kind="saddle"):
        self.A, self.kind = np.asarray(A, dtype=float), kind

    def predict(self, X):
        """Return velocities."""
        return np.asarray(X) @ self.A.T

    def simulate(self, x0, t):
        """Return (n_times, n_states), or give up beyond all bounds."""
        if np.abs(x0).max() > 100:
            raise DivergenceError("|y| grew beyond all bounds.")
        return np.stack([expm(self.A * (s - t[0])) @ x0 for s in t])

    def fixed_points(self, bounds):
        """Return the origin."""
        self.bounds = bounds
        return [FixedPoint(np.zeros(len(self.A)), self.kind)]


SPIRAL = [[-0.1, 1.0], [-1.0, -0.1]]


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(3, 2, 8))


def test_field_data_and_trajectories_are_drawn_in_the_plane(X):
    t = np.linspace(0, 2, 8)
    display = PhasePortraitDisplay.from_estimator(
        Linear(SPIRAL), X, t=t, grid_resolution=6, n_trajectories=2
    )
    points = np.stack(np.meshgrid(*display.axes), axis=-1)
    np.testing.assert_allclose(display.velocities, points @ np.array(SPIRAL).T)
    np.testing.assert_array_equal(
        display.points_.get_xydata(), np.stack([X[:, 0].ravel(), X[:, 1].ravel()], axis=1)
    )
    assert len(display.lines_) == 2
    end = expm(2.0 * np.array(SPIRAL)) @ X[1, :, 0]
    np.testing.assert_allclose(display.lines_[1].get_xydata()[-1], end)
    assert display.ax_.get_ylabel() == "channel 1"


@pytest.mark.parametrize(
    "kind", ["stable node", "unstable focus", "saddle", "saddle focus", "center", "degenerate"]
)
def test_fixed_points_are_drawn_by_their_kind(X, kind):
    model = Linear(SPIRAL, kind)
    bounds = [(-1, 2), (-3, 4)]
    display = PhasePortraitDisplay.from_estimator(model, X, n_trajectories=0, bounds=bounds)
    np.testing.assert_array_equal(model.bounds, bounds)
    assert display.lines_ == []
    assert list(display.fixed_points_) == [kind.split()[0]]
    np.testing.assert_array_equal(display.fixed_points_[kind.split()[0]].get_xydata(), [[0.0, 0.0]])
    assert display.kinds == [kind]


def test_of_a_larger_system_the_chosen_channels_are_shown():
    X = np.random.default_rng(0).normal(size=(2, 3, 5))
    A = np.diag([-1.0, -2.0, -3.0])
    display = PhasePortraitDisplay.from_estimator(Linear(A), X, channels=(2, 0), grid_resolution=4)
    np.testing.assert_allclose(
        display.velocities[..., 0], -3 * display.axes[0][None, :].repeat(4, 0)
    )
    np.testing.assert_array_equal(display.data, X[:, [2, 0]])
    assert display.fixed_points.shape == (1, 2)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("channel 2", "channel 0")


def test_cases_of_unequal_length_and_their_times_are_taken():
    X, t = [np.ones((2, 4)), np.full((2, 6), 2.0)], [np.arange(4.0), np.arange(6.0)]
    display = PhasePortraitDisplay.from_estimator(Linear(SPIRAL), X, t=t)
    assert len(display.lines_) == 2
    np.testing.assert_allclose(
        display.lines_[0].get_xydata()[-1], expm(3.0 * np.array(SPIRAL)) @ [1, 1]
    )


def test_a_trajectory_that_blows_up_is_left_out_with_a_warning(X):
    X[1, 0, 0] = 1000.0
    with pytest.warns(UserWarning, match="case 1 is left out.*beyond all bounds"):
        display = PhasePortraitDisplay.from_estimator(Linear(SPIRAL), X)
    assert len(display.lines_) == 2
    assert display.ax_.get_xlim()[1] > 1000


class Logistic:
    """Stands for a fitted model of one state."""

    def predict(self, X):
        """Return x (1 - x)."""
        return X * (1 - X)


def test_a_system_with_one_state_is_a_curve_with_its_zeros():
    X = np.linspace(-0.3, 1.2, 9)[:, None]
    display = PhasePortraitDisplay.from_estimator(Logistic(), X, bounds=[(-0.5, 1.5)])
    x, f = display.field_.get_data()
    np.testing.assert_allclose(f, x * (1 - x))
    assert (x[0], x[-1]) == (-0.5, 1.5)
    np.testing.assert_allclose(display.fixed_points_["stable"].get_xydata(), [[1, 0]], atol=1e-3)
    np.testing.assert_allclose(display.fixed_points_["unstable"].get_xydata(), [[0, 0]], atol=1e-3)
    np.testing.assert_array_equal(display.points_.get_xdata(), X[:, 0])
    assert display.lines_ == []


def test_it_draws_on_the_axes_it_is_given(X):
    import matplotlib.pyplot as plt

    ax = plt.figure().add_subplot()
    assert PhasePortraitDisplay.from_estimator(Linear(SPIRAL), X, ax=ax).ax_ is ax
