import numpy as np
import pytest

from skdyn.inspection import VectorFieldDisplay


class Drift:
    """Stands for a fitted model whose velocity is the state."""

    def vector_field(self, X):
        """Return the states."""
        self.asked = np.asarray(X)
        return self.asked


@pytest.fixture
def X():
    X = np.random.default_rng(0).normal(size=(3, 3, 7))
    X[0, 1, 2] = np.nan
    return X


def test_the_grid_spans_the_data_and_other_channels_rest_at_their_means(X):
    model = Drift()
    display = VectorFieldDisplay.from_estimator(model, X, channels=(2, 0), grid_resolution=5)
    assert display.points.shape == (25, 2)
    np.testing.assert_allclose(display.points[:, 0].min(), X[:, 2].min())
    np.testing.assert_allclose(display.points[:, 1].max(), X[:, 0].max())
    np.testing.assert_allclose(model.asked[:, 1], np.nanmean(X[:, 1]))
    np.testing.assert_array_equal(display.velocities, display.points)
    assert len(display.lines_) == 3
    assert display.ax_.get_xlabel() == "channel 2"


def test_colors_are_speeds_and_lengths_are_one(X):
    display = VectorFieldDisplay.from_estimator(Drift(), X, grid_resolution=4)
    speed = np.linalg.norm(display.velocities, axis=1)
    np.testing.assert_allclose(display.quiver_.get_array(), speed)
    np.testing.assert_allclose(np.hypot(display.quiver_.U, display.quiver_.V), 1.0)


def test_it_draws_on_the_axes_it_is_given(X):
    import matplotlib.pyplot as plt

    ax = plt.figure().add_subplot()
    assert VectorFieldDisplay.from_estimator(Drift(), X, ax=ax).ax_ is ax


def test_one_channel_is_refused(X):
    with pytest.raises(ValueError, match="needs 2 channels; X has 1"):
        VectorFieldDisplay.from_estimator(Drift(), X[:, :1])
