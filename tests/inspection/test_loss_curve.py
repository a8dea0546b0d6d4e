import numpy as np
import pytest
from sklearn.datasets import load_iris

from skdyn import NeuralODEClassifier
from skdyn.inspection import LossCurveDisplay

X, Y = load_iris(return_X_y=True)


def test_the_curve_drawn_is_the_curve_recorded():
    model = NeuralODEClassifier((4,), max_iter=4, tol=0).fit(X, Y)
    display = LossCurveDisplay.from_estimator(model)
    (line,) = display.lines_
    np.testing.assert_array_equal(line.get_ydata(), model.loss_curve_)
    assert display.ax_.get_yscale() == "log"


def test_validation_is_drawn_beside_training():
    model = NeuralODEClassifier((4,), max_iter=4, tol=0, early_stopping=True).fit(X, Y)
    display = LossCurveDisplay.from_estimator(model)
    np.testing.assert_array_equal(
        display.lines_[1].get_ydata(), -np.array(model.validation_scores_)
    )


def test_it_draws_on_the_axes_it_is_given():
    import matplotlib.pyplot as plt

    ax = plt.figure().add_subplot()
    assert LossCurveDisplay([2.0, 1.0]).plot(ax=ax).ax_ is ax
    assert LossCurveDisplay([1.0, -1.0]).plot(ax=ax).ax_.get_yscale() == "linear"


def test_an_estimator_without_a_curve_is_refused():
    with pytest.raises(ValueError, match="NeuralODEClassifier has no loss_curve_"):
        LossCurveDisplay.from_estimator(NeuralODEClassifier())
