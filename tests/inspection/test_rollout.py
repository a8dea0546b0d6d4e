import numpy as np
import pytest

from skdyn.inspection import RolloutDisplay

rng = np.random.default_rng(0)
X = rng.normal(size=(5, 2, 7, 4))


class Growing:
    """Stands for a model whose n-th step is off by n percent."""

    n_history = 2

    def rollout(self, past, n_steps):
        """Return the truth, spoilt."""
        assert past.shape == (5, 2, 2, 4)
        return X[:, :, 2:] * (1 + 0.01 * np.arange(1, n_steps + 1)[:, None])


def test_the_error_of_each_step_is_relative_to_the_state():
    display = RolloutDisplay.from_estimator(Growing(), X, times=np.arange(7) / 10)
    np.testing.assert_allclose(display.errors, np.tile(0.01 * np.arange(1, 6), (5, 1)))
    np.testing.assert_allclose(display.times, [0.2, 0.3, 0.4, 0.5, 0.6])
    np.testing.assert_allclose(display.line_.get_ydata(), 0.01 * np.arange(1, 6))
    assert display.line_.get_label() == "Growing"


def test_half_of_the_cases_lie_in_the_band():
    truth = np.ones((5, 1, 3, 4))
    spoilt = truth * (1 + np.array([0.1, 0.2, 0.3, 0.4, 0.5])[:, None, None, None])
    display = RolloutDisplay.from_predictions(truth, spoilt)
    np.testing.assert_allclose(display.line_.get_ydata(), 0.3)
    edges = display.band_.get_paths()[0].vertices[:, 1]
    assert (edges.min(), edges.max()) == pytest.approx((0.2, 0.4))
    np.testing.assert_array_equal(display.times, [1, 2, 3])


def test_flat_states_and_given_axes_are_taken():
    first = RolloutDisplay.from_predictions(X[..., 0], 2 * X[..., 0])
    second = RolloutDisplay.from_predictions(X[..., 0], 3 * X[..., 0], ax=first.ax_, name="b")
    assert second.ax_ is first.ax_
    assert len(first.ax_.get_lines()) == 2


def test_what_has_no_relative_error_is_refused():
    with pytest.raises(ValueError, match=r"\(5, 2\) and y_pred of shape \(5, 2\) must be"):
        RolloutDisplay.from_predictions(X[:, :, 0, 0], X[:, :, 0, 0])
    spoilt = X.copy()
    spoilt[3, :, 1] = 0.0
    with pytest.raises(ValueError, match="Case 3 of y_true is zero everywhere at time index 1"):
        RolloutDisplay.from_predictions(spoilt, X)
