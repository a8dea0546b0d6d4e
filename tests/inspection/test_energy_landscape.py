import numpy as np
import pandas as pd
import pytest

from skdyn.inspection import EnergyLandscapeDisplay


class Bowl:
    """Stands for a fitted memory whose energy is half the square and whose updates halve."""

    patterns_ = np.array([[0.0, 0.0], [2.0, -4.0]])

    def energy(self, X):
        """Return half the square."""
        return (np.asarray(X) ** 2).sum(axis=1) / 2

    def retrieve(self, X, n_steps):
        """Return half of it."""
        return np.asarray(X) / 2

    def get_feature_names_out(self):
        """Return two names."""
        return ["a", "b"]


def test_the_grid_spans_patterns_and_queries_with_a_margin():
    display = EnergyLandscapeDisplay.from_estimator(Bowl(), [[6.0, 4.0]], grid_resolution=7)
    np.testing.assert_allclose([axis[[0, -1]] for axis in display.axes], [[-0.9, 6.9], [-5.2, 5.2]])
    a, b = np.meshgrid(*display.axes)
    np.testing.assert_allclose(display.energies, (a**2 + b**2) / 2)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("a", "b")
    np.testing.assert_array_equal(display.points_.get_xydata(), Bowl.patterns_)


def test_queries_are_followed_to_rest_or_to_the_last_step():
    display = EnergyLandscapeDisplay.from_estimator(Bowl(), [[6.0, 4.0], [1.0, 0.0]], n_steps=3)
    np.testing.assert_array_equal(display.lines_[1].get_xdata(), [1, 0.5, 0.25, 0.125])
    rest = EnergyLandscapeDisplay.from_estimator(Bowl(), [[1.0, 0.0]]).paths[0]
    assert 20 < len(rest) < 40


def test_bounds_may_be_given_and_queries_left_out():
    bounds = [[-1.0, 1.0], [0.0, 3.0]]
    display = EnergyLandscapeDisplay.from_estimator(Bowl(), bounds=bounds, grid_resolution=3)
    np.testing.assert_array_equal(display.axes, [[-1.0, 0.0, 1.0], [0.0, 1.5, 3.0]])
    assert display.lines_ == []


def test_a_memory_fitted_on_a_frame_is_asked_with_its_names():
    class Named(Bowl):
        feature_names_in_ = np.array(["a", "b"], dtype=object)

        def energy(self, X):
            """Take frames only."""
            assert list(X.columns) == ["a", "b"]
            return super().energy(X)

    frame = pd.DataFrame([[1.0, 0.0]], columns=["a", "b"])
    assert len(EnergyLandscapeDisplay.from_estimator(Named(), frame).lines_) == 1


def test_other_than_two_features_are_refused():
    class Wide(Bowl):
        patterns_ = np.zeros((2, 3))

    with pytest.raises(ValueError, match="memory of 2 features; this one has 3"):
        EnergyLandscapeDisplay.from_estimator(Wide())


def test_it_draws_on_the_axes_it_is_given():
    import matplotlib.pyplot as plt

    ax = plt.figure().add_subplot()
    assert EnergyLandscapeDisplay.from_estimator(Bowl(), ax=ax).ax_ is ax
