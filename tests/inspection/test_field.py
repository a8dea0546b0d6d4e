import numpy as np
import pytest
from matplotlib.backend_bases import MouseEvent

from skdyn.inspection import FieldDisplay

rng = np.random.default_rng(0)


def test_images_of_truth_and_prediction_share_their_colors():
    y = rng.normal(size=(3, 2, 4, 5))
    display = FieldDisplay.from_predictions(y, 2 * y, case=1, channel=1)
    truth, prediction, error = display.images_
    np.testing.assert_array_equal(truth.get_array(), y[1, 1])
    np.testing.assert_array_equal(prediction.get_array(), 2 * y[1, 1])
    np.testing.assert_allclose(error.get_array(), y[1, 1])
    assert truth.get_clim() == prediction.get_clim() == (2 * y[1, 1].min(), 2 * y[1, 1].max())
    assert error.get_clim() == (-abs(y[1, 1]).max(), abs(y[1, 1]).max())
    assert [panel.get_title() for panel in display.ax_] == ["truth", "prediction", "error"]


def test_rows_go_down_and_columns_to_the_right_as_the_docstring_says():
    y = np.zeros((1, 1, 4, 6))
    y[0, 0, 3, 1] = 1.0
    panel = FieldDisplay.from_predictions(y, y).ax_[0]
    bottom, top = panel.get_ylim()
    assert panel.get_xlim() == (-0.5, 5.5)
    assert bottom > top  # the last row is the lowest
    assert panel.images[0].get_cursor_data(_event_at(panel, column=1, row=3)) == 1.0


def _event_at(panel, column, row):
    x, y = panel.transData.transform((column, row))
    return MouseEvent("motion_notify_event", panel.figure.canvas, x, y)


def test_curves_lie_in_one_panel_and_their_difference_in_another():
    y = rng.normal(size=(3, 8))
    display = FieldDisplay.from_predictions(y, y + 1, case=2)
    drawn = [line.get_ydata() for line in display.lines_]
    np.testing.assert_allclose(drawn, [y[2], y[2] + 1, np.ones(8)])
    assert len(display.ax_) == 2
    assert display.images_ == []


def test_flat_rows_are_unflattened():
    y = rng.normal(size=(3, 24))
    display = FieldDisplay.from_predictions(y, y, channel=1, grid_shape=(3, 4))
    np.testing.assert_array_equal(display.truth, y[0, 12:].reshape(3, 4))
    np.testing.assert_array_equal(display.error_, 0.0)


def test_it_draws_on_the_axes_it_is_given():
    y = rng.normal(size=(1, 1, 4, 4))
    display = FieldDisplay.from_predictions(y, y)
    again = FieldDisplay.from_predictions(y, 2 * y, ax=display.ax_)
    assert (again.ax_ == display.ax_).all()


@pytest.mark.parametrize(
    ("truth", "prediction", "grid_shape", "message"),
    [
        ((2, 8), (2, 9), None, r"y_true of shape \(2, 8\) and y_pred of shape \(2, 9\)"),
        ((2, 1, 3, 3, 3), (2, 1, 3, 3, 3), None, r"one axis or two .*\(2, 1, 3, 3, 3\)"),
        ((2, 8), (2, 8), (3, 3), r"8 columns, no multiple .* grid_shape=\(3, 3\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(truth, prediction, grid_shape, message):
    with pytest.raises(ValueError, match=message):
        FieldDisplay.from_predictions(np.ones(truth), np.ones(prediction), grid_shape=grid_shape)


@pytest.mark.parametrize(("shape", "n_panels"), [((1, 8), 2), ((1, 1, 4, 4), 3)])
def test_one_pair_of_axes_is_split_and_another_number_refused(shape, n_panels):
    import matplotlib.pyplot as plt

    y, axes = rng.normal(size=shape), plt.subplots(1, 4)[1]
    display = FieldDisplay.from_predictions(y, y, ax=axes[1])
    assert len(display.ax_) == n_panels
    display.figure_.draw_without_rendering()
    for panel in display.ax_:
        assert panel.bbox.x0 > axes[0].bbox.x1
        assert panel.bbox.x1 < axes[2].bbox.x0
    with pytest.raises(ValueError, match=f"ax holds 4 axes; pass one pair of axes, or {n_panels}"):
        FieldDisplay.from_predictions(y, y, ax=axes)


def test_an_estimator_predicts_what_is_drawn_and_gives_its_name():
    class Doubling:
        """Stands for a fitted estimator."""

        def predict(self, X):
            """Return twice the functions."""
            return 2 * X

    y = rng.normal(size=(3, 1, 4, 4))
    display = FieldDisplay.from_estimator(Doubling(), y, y, case=2)
    np.testing.assert_array_equal(display.prediction, 2 * y[2, 0])
    assert display.ax_[1].get_title() == "Doubling"
