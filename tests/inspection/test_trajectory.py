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


def many(n_channels, scale=1.0):
    t = np.linspace(0, 6, 9)
    curves = np.cos(t) * np.geomspace(1, scale, n_channels)[:, None]
    names = [f"gene {k}" for k in range(n_channels)]
    return t, curves, names


@pytest.mark.parametrize(("end", "n_marks"), [(6.0, 0), (9.0, 1)])
def test_what_is_beyond_the_last_observation_is_marked_as_a_forecast(end, n_marks):
    t, curves, names = many(2)
    curves[0, -1] = np.nan  # the other channel was still observed
    display = TrajectoryDisplay(t, curves, np.linspace(0, end, 9), curves, names).plot()
    assert len(display.forecasts_) == n_marks
    written = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert written == [*names, *["forecast"] * n_marks]
    if n_marks:
        assert display.forecasts_[0].get_window_extent().width > 0
        edges = display.forecasts_[0].get_path().vertices
        corners = display.forecasts_[0].get_patch_transform().transform(edges)[:, 0]
        assert (corners.min(), corners.max()) == (6.0, 9.0)


def test_more_than_eight_channels_have_panels_of_one_scale_where_that_shows_them_all():
    t, curves, names = many(9, scale=5.0)
    display = TrajectoryDisplay(t, curves, t + 1, curves, names).plot()
    assert len(display.ax_) == len(display.lines_) == len(display.forecasts_) == 9
    assert [panel.texts[0].get_text() for panel in display.ax_] == names
    assert len({panel.get_ylim() for panel in display.ax_}) == 1
    t, curves, names = many(9, scale=1000.0)
    display = TrajectoryDisplay(t, curves, t, curves, names).plot()
    assert not any(len(panel.get_yticks()) for panel in display.ax_)
    assert "state, each on its own scale" in [panel.get_ylabel() for panel in display.ax_]


def test_units_stand_on_the_axes_and_counted_times_are_steps():
    X = np.random.default_rng(0).normal(size=(1, 2, 5))
    assert TrajectoryDisplay.from_estimator(Rotation(), X).ax_.get_xlabel() == "time (steps)"
    units = {"time": "years", "channel 1": "pelts"}
    display = TrajectoryDisplay.from_estimator(Rotation(), X, t=np.arange(5.0), units=units)
    assert display.ax_.get_xlabel() == "time (years)"
    assert display.ax_.get_legend().get_texts()[1].get_text() == "channel 1 (pelts)"
