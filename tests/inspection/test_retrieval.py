import numpy as np
import pandas as pd
import pytest

from skdyn.inspection import RetrievalDisplay


class Halving:
    """Stands for a fitted memory whose updates halve."""

    def retrieve(self, X, n_steps=None):
        """Return X after some updates, nothing after all."""
        return np.nan_to_num(np.asarray(X)) * (0.0 if n_steps is None else 0.5**n_steps)


X = np.arange(8.0).reshape(2, 4)


def test_rows_are_stored_shown_steps_and_retrieved():
    display = RetrievalDisplay.from_estimator(Halving(), X, stored=X + 1, steps=(1, 2))
    assert list(display.images) == ["stored", "shown", "1 update", "2 updates", "retrieved"]
    np.testing.assert_array_equal(display.images["2 updates"], (X / 4).reshape(2, 2, 2))
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == list(display.images)


def test_images_lie_side_by_side_on_one_canvas():
    display = RetrievalDisplay.from_estimator(Halving(), 9 * X, stored=X, steps=())
    canvas = display.image_.get_array()
    assert canvas.shape == (8, 5, 3)  # three rows and two columns of 2 x 2 pixels and gaps
    expected = 1 - X.reshape(2, 2, 2) / 7
    np.testing.assert_allclose(canvas[:2, :2, 0], expected[0])
    np.testing.assert_allclose(canvas[:2, 3:, 0], expected[1])
    np.testing.assert_array_equal(canvas[3:5, 3:], 0.0)  # shown: beyond the highest value, black
    np.testing.assert_array_equal(canvas[6:, 3:], 1.0)  # retrieved: the lowest value, white


def test_missing_pixels_have_a_color_of_their_own():
    spoilt = X.copy()
    spoilt[0, 0] = np.nan
    display = RetrievalDisplay.from_estimator(Halving(), spoilt, image_shape=(1, 4))
    canvas = display.image_.get_array()
    assert len(set(canvas[0, 0].tolist())) == 3
    assert len(set(canvas[0, 1].tolist())) == 1


def test_frames_are_taken_and_images_without_a_square_are_a_line():
    frame = pd.DataFrame(np.ones((2, 3)), columns=list("abc"))
    display = RetrievalDisplay.from_estimator(Halving(), frame)
    assert display.images["shown"].shape == (2, 1, 3)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="image_shape of 4 pixels"):
        RetrievalDisplay.from_estimator(Halving(), X, image_shape=(3, 2))
    with pytest.raises(ValueError, match="stored of the same shape"):
        RetrievalDisplay.from_estimator(Halving(), X, stored=X[:1])


def test_it_draws_on_the_axes_it_is_given():
    import matplotlib.pyplot as plt

    ax = plt.figure().add_subplot()
    assert RetrievalDisplay.from_estimator(Halving(), X, ax=ax).ax_ is ax


def test_images_that_would_be_tiny_go_on_below():
    import matplotlib.pyplot as plt

    many = np.random.default_rng(0).normal(size=(40, 16))
    ax = plt.figure(figsize=(4, 3)).add_subplot()
    display = RetrievalDisplay.from_estimator(Halving(), many, ax=ax)
    names = [label.get_text() for label in ax.get_yticklabels()]
    n_blocks = len(names) // 3
    assert n_blocks > 1
    assert names == ["shown", "1 update", "retrieved"] * n_blocks
    canvas = display.image_.get_array()
    per_block = (canvas.shape[1] + 1) // 5
    last = divmod(39, per_block)
    corner = canvas[last[0] * 15 :, last[1] * 5 :][:4, :4, 0]
    np.testing.assert_array_less(np.diff(corner.ravel()[np.argsort(many[39])]), 1e-12)  # shown
