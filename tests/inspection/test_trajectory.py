import numpy as np
import pytest

from skdyn.inspection import TrajectoryDisplay


class Rotation:
    """Stands for a fitted model of x' = y, y' = -x."""

    def simulate(self, x0, t):
        """Return (n_times, 2)."""
        s = np.asarray(t) - t[0]
        return np.stack(
            [x0[0] * np.cos(s) + x0[1] * np.sin(s), x0[1] * np.cos(s) - x0[0] * np.sin(s)], axis=1
        )


def waves(t):
    return np.stack([np.sin(t), np.cos(t)])


def test_the_curve_starts_at_the_first_complete_state_and_goes_to_the_horizon():
    t = np.linspace(2, 6, 9)
    X = waves(t)
    X[0, :2] = np.nan
    display = TrajectoryDisplay.from_estimator(Rotation(), X[None], t=t, horizon=10.0)
    assert display.t_model[0] == t[2]
    assert display.t_model[-1] == 10.0
    np.testing.assert_allclose(display.modelled, waves(display.t_model), atol=1e-12)
    for line, curve in zip(display.lines_, display.modelled, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), curve)
    for points, seen in zip(display.points_, X, strict=True):
        np.testing.assert_array_equal(points.get_ydata(), seen)


def test_a_case_brings_its_own_times_and_rows_are_one_trajectory():
    times = np.array([np.linspace(0, 1, 5), np.linspace(3, 5, 5)])
    X = np.stack([waves(row) for row in times])
    second = TrajectoryDisplay.from_estimator(Rotation(), X, t=times, case=1)
    alone = TrajectoryDisplay.from_estimator(Rotation(), X[1].T, t=times[1])
    np.testing.assert_array_equal(second.modelled, alone.modelled)
    assert TrajectoryDisplay.from_estimator(Rotation(), X[0].T).t_model[-1] == 4.0


def test_it_draws_on_the_axes_it_is_given():
    import matplotlib.pyplot as plt

    ax = plt.figure().add_subplot()
    t = np.linspace(0, 1, 5)
    assert TrajectoryDisplay.from_estimator(Rotation(), waves(t).T, t=t, ax=ax).ax_ is ax


def test_a_trajectory_that_is_never_complete_is_refused():
    X = np.array([[1.0, np.nan], [np.nan, 1.0]])
    with pytest.raises(ValueError, match="Case 0 has no time point"):
        TrajectoryDisplay.from_estimator(Rotation(), X)
