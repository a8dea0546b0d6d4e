import numpy as np
import pandas as pd
import pytest

from skdyn.inspection._plane import field_on_grid


class Doubling:
    """Predicts velocities, and remembers what it was asked."""

    def predict(self, X):
        """Return twice the states."""
        self.asked = X
        return 2.0 * np.asarray(X)


X = np.random.default_rng(0).normal(size=(3, 3, 7))


def test_predictions_are_velocities_and_the_first_channel_varies_last():
    field = field_on_grid(Doubling(), X, [2, 0], 5)
    assert field.velocities.shape == field.points.shape == (5, 5, 2)
    np.testing.assert_array_equal(field.velocities, 2 * field.points)
    np.testing.assert_array_equal(field.points[0, :, 0], field.axes[0])
    np.testing.assert_array_equal(field.points[:, 0, 1], field.axes[1])


def test_a_field_of_its_own_comes_before_predictions():
    model = Doubling()
    model.vector_field = np.negative
    field = field_on_grid(model, X, [0], 4)
    np.testing.assert_array_equal(field.velocities, -field.points)


def test_a_model_that_knows_names_is_asked_with_names():
    model = Doubling()
    model.feature_names_in_ = np.array(["a", "b", "c"], dtype=object)
    field_on_grid(model, X, [0, 1], 3)
    assert isinstance(model.asked, pd.DataFrame)
    assert list(model.asked) == ["a", "b", "c"]


def test_bounds_are_those_given_or_those_of_the_data_and_never_empty():
    (axis,), *_, bounds = field_on_grid(Doubling(), X, [1], 3, bounds=[(-4, 4)])
    np.testing.assert_array_equal(axis, [-4, 0, 4])
    np.testing.assert_array_equal(
        bounds, [(X[:, 0].min(), X[:, 0].max()), (-4, 4), (X[:, 2].min(), X[:, 2].max())]
    )
    (axis,) = field_on_grid(Doubling(), np.ones((1, 1, 5)), [0], 3).axes
    np.testing.assert_array_equal(axis, [0.5, 1.0, 1.5])


@pytest.mark.parametrize("bounds", [[(0, 1)], [(0, 1), (1, 1)], [(0, 1), (2, np.nan)], [0, 1]])
def test_bounds_that_bound_nothing_are_refused(bounds):
    with pytest.raises(ValueError, match="bounds must hold a lower and a higher value"):
        field_on_grid(Doubling(), X, [0, 1], 3, bounds)
