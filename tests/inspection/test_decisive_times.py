import numpy as np
import pytest
from matplotlib.colors import to_rgba

from skdyn.inspection import DecisiveTimesDisplay
from skdyn.inspection._style import BLUE, VERMILION

T = np.array([0.0, 1.0, 1.5, 3.0, 6.0])
X = [np.zeros((1, 5)), np.array([[0.0, 2.0, -1.0, 0.5, 0.0]])]


class Sums:
    """Stands for a fitted regressor: the sum of a series and its last time."""

    def predict(self, X, t):
        """Return both."""
        return np.array([case.sum() + times[-1] for case, times in zip(X, t, strict=True)])


class Odds(Sums):
    """Stands for a classifier whose log-odds are that sum."""

    classes_ = np.array(["calm", "lively"])

    def predict_proba(self, X, t):
        """Return probabilities."""
        p = 1 / (1 + np.exp(-self.predict(X, t)))
        return np.stack([1 - p, p], axis=1)


@pytest.mark.parametrize(("model", "what"), [(Sums(), "prediction"), (Odds(), "log-odds of liv")])
def test_bars_are_what_an_answer_loses_without_a_time(model, what):
    display = DecisiveTimesDisplay.from_estimator(model, X, t=[T, T], case=1, width=0.1)
    np.testing.assert_allclose(display.changes, [0.0, 2.0, -1.0, 0.5, 3.0])  # and the last time
    np.testing.assert_allclose([bar.get_height() for bar in display.bars_], display.changes)
    colors = [bar.get_facecolor() for bar in display.bars_]
    assert colors == [to_rgba(VERMILION if k == 2 else BLUE) for k in range(5)]
    assert display.ax_.get_ylabel().startswith(what)


def test_what_is_near_is_left_out_too():
    display = DecisiveTimesDisplay.from_estimator(Sums(), X, t=T, case=1, width=1.2)
    np.testing.assert_allclose(display.changes, [0.0, 1.0, 1.0, 0.5, 3.0])


def test_times_are_counted_and_a_table_is_one_of_series():
    display = DecisiveTimesDisplay.from_estimator(Sums(), np.ones((3, 6)), case=2)
    assert display.times.tolist() == list(range(6))
    assert display.changes.tolist() == [1.0] * 5 + [2.0]


def test_too_much_cannot_be_left_out_and_several_answers_cannot_be_drawn():
    with pytest.raises(ValueError, match=r"fewer than 2 would be left .*Choose a smaller width"):
        DecisiveTimesDisplay.from_estimator(Sums(), X, t=T, width=20.0)
    Two = type("Two", (Sums,), {"predict": lambda self, X, t: np.ones((len(X), 2))})
    with pytest.raises(ValueError, match="predicts 2 numbers per series"):
        DecisiveTimesDisplay.from_estimator(Two(), X, t=T)
