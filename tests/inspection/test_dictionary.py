from types import SimpleNamespace

import numpy as np
import pytest

from skdyn.inspection import DictionaryDisplay

ATOMS = np.array([[1.0, -2, 0, 0], [0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4]])


def test_images_lie_side_by_side_each_in_units_of_its_largest_entry():
    display = DictionaryDisplay(ATOMS, image_shape=(2, 2), n_columns=2).plot()
    canvas = display.image_.get_array()
    assert canvas.shape == (5, 5)
    np.testing.assert_allclose(canvas[:2, :2], [[0.5, -1], [0, 0]])
    np.testing.assert_allclose(canvas[:2, 3:], 0.0)
    np.testing.assert_allclose(canvas[3:, :2], [[0.25, 0.5], [0.75, 1]])
    assert np.ma.getmaskarray(canvas)[2].all()  # a gap
    assert np.ma.getmaskarray(canvas)[3:, 3:].all()  # no fourth atom
    assert display.image_.get_clim() == (-1, 1)  # zero is the color in the middle


def test_bars_of_an_atom_stand_on_its_row_and_the_first_is_on_top():
    display = DictionaryDisplay(ATOMS, feature_names=list("abcd")).plot()
    assert len(display.bars_) == 3
    feet = [[bar.get_y() for bar in bars] for bars in display.bars_]
    np.testing.assert_array_equal(feet, np.repeat([[0.0], [1.0], [2.0]], 4, axis=1))
    heights = np.array([[bar.get_height() for bar in bars] for bars in display.bars_])
    np.testing.assert_allclose(heights[2] / heights[2, 3], [0.25, 0.5, 0.75, 1])
    low, high = display.ax_.get_ylim()
    assert low > high
    assert heights[0, 0] < 0 < heights[0, 1]  # on an axis that points down: up and down
    assert np.abs(heights).max() < 0.5  # rows do not meet
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == list("abcd")


def test_names_of_images_have_a_line_of_their_own():
    display = DictionaryDisplay(ATOMS, list("abc"), image_shape=(1, 4), n_columns=1).plot()
    assert display.image_.get_array().shape == (5, 4)
    tall = DictionaryDisplay(np.ones((3, 64)), list("abc"), image_shape=(64, 1), n_columns=1).plot()
    assert tall.image_.get_array().shape == (3 * 64 + 2 * 16, 1)
    assert [round(text.get_position()[1] + 0.6) for text in tall.ax_.texts] == [0, 80, 160]


def fitted(**attributes):
    components = np.arange(1.0, 241).reshape(60, 4)
    return SimpleNamespace(components_=components, **attributes)


def test_atoms_that_are_used_most_come_first_and_are_named_by_their_numbers():
    density = np.zeros(60)
    density[[7, 3]] = 0.5, 0.1
    display = DictionaryDisplay.from_estimator(fitted(feature_density_=density))
    assert display.names == ["7", "3", "0", "1", "2", "4", "5", "6", "8", "9"]
    np.testing.assert_array_equal(display.atoms[0], [29, 30, 31, 32])
    written = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    assert written == display.names
    images = DictionaryDisplay.from_estimator(fitted(), image_shape=(2, 2), n_columns=4)
    assert images.names == [str(number) for number in range(20)]
    assert [text.get_text() for text in images.ax_.texts] == images.names


def test_features_may_be_chosen_and_bars_take_the_names_seen_in_fit():
    display = DictionaryDisplay.from_estimator(
        fitted(feature_names_in_=np.array(list("wxyz"))), [5, 2]
    )
    np.testing.assert_array_equal(display.atoms[:, 0], [21, 9])
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == list("wxyz")


def test_an_image_of_another_size_is_refused():
    with pytest.raises(ValueError, match="holds 6 pixels, but an atom has 4 features"):
        DictionaryDisplay.from_estimator(fitted(), image_shape=(2, 3))


@pytest.mark.parametrize("image_shape", [None, (2, 2)])
def test_it_draws_on_the_axes_it_is_given(image_shape):
    import matplotlib.pyplot as plt

    ax = plt.figure().add_subplot()
    display = DictionaryDisplay.from_estimator(fitted(), image_shape=image_shape, ax=ax)
    assert display.ax_ is ax
