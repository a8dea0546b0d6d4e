import numpy as np
import pytest
from matplotlib.colors import to_rgba

from skdyn.inspection import InstanceWeightsDisplay
from skdyn.inspection._style import VERMILION

X = [np.array([[0.1], [0.9]]), np.array([[1.0]]), np.array([[0.2], [0.3], [0.5]])]
MARKED = [[False, True], [True], [False, False, False]]


class Fitted:
    """Stands for a fitted estimator: an instance's weight is its only feature."""

    def instance_weights(self, X):
        """Return that feature."""
        return [bag[:, 0] for bag in X]


def heights(display):
    return [bar.get_height() for bar in display.bars_]


def test_every_instance_has_a_bar_and_every_bag_a_name_below_its_middle():
    display = InstanceWeightsDisplay.from_estimator(Fitted(), X)
    assert heights(display) == [0.1, 0.9, 1.0, 0.2, 0.3, 0.5]
    middles = [bar.get_x() + bar.get_width() / 2 for bar in display.bars_]
    np.testing.assert_allclose(np.diff(middles), [1, 2, 2, 1, 1])
    expected = [np.mean(middles[:2]), middles[2], middles[4]]
    np.testing.assert_allclose(display.ax_.get_xticks(), expected)
    names = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert names == ["bag 0", "bag 1", "bag 2"]


@pytest.mark.parametrize(("bags", "expected"), [(2, [0.2, 0.3, 0.5]), ([1, 0], [1.0, 0.1, 0.9])])
def test_bags_can_be_chosen(bags, expected):
    assert heights(InstanceWeightsDisplay.from_estimator(Fitted(), X, bags=bags)) == expected


def test_marked_instances_have_a_color_of_their_own():
    display = InstanceWeightsDisplay.from_estimator(Fitted(), X, bags=[1, 0], marked=MARKED)
    red = [bar.get_facecolor() == to_rgba(VERMILION) for bar in display.bars_]
    assert red == [True, False, True]


def test_marks_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"each of the 2 instances of bag 0; got shape \(1,\)"):
        InstanceWeightsDisplay.from_estimator(Fitted(), X, marked=[[True], [True], [True]])


def test_it_draws_on_the_axes_it_is_given_and_can_be_drawn_again():
    import matplotlib.pyplot as plt

    ax = plt.figure().add_subplot()
    display = InstanceWeightsDisplay.from_estimator(Fitted(), X, ax=ax)
    assert display.ax_ is ax
    assert display.plot().ax_ is not ax
