import numpy as np
import pytest
from sklearn.datasets import load_iris

from skdyn import KANRegressor, NeuralODEClassifier
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


STAGES = [("collocation", 10), ("windows of 4", 20), ("windows of 8", 10)]


def test_stages_are_divided_and_named_where_they_are():
    display = LossCurveDisplay(np.ones(40), stages=STAGES).plot()
    assert [line.get_xdata()[0] for line in display.boundaries_] == [10.5, 30.5]
    named = {text.get_text(): text.get_position()[0] for text in display.ax_.texts}
    assert named == {"collocation": 10.5, "windows of 4": 30.5, "windows of 8": 40.5}
    assert display.ax_.get_legend() is None


def test_narrow_stages_have_numbers_and_a_legend_beside():
    stages = [("collocation", 97), ("windows of 4", 1), ("windows of 8", 2)]
    display = LossCurveDisplay(np.ones(100), stages=stages).plot()
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["training", "collocation", "windows of 4", "windows of 8"]
    assert [text.get_text() for text in display.ax_.texts] == ["1"]  # the others have no room


def test_one_stage_needs_no_mark():
    display = LossCurveDisplay([2.0, 1.0], stages=[("fit", 2)]).plot()
    assert display.boundaries_ == []
    assert not display.ax_.texts


def test_the_stages_of_a_fitted_estimator_are_marked():
    X = np.random.default_rng(0).normal(size=(40, 2))
    model = KANRegressor((), grid_sizes=(3, 5), max_iter=4, tol=0).fit(X, X[:, 0])
    assert model.stages_ == [("grid 3", 4), ("grid 5", 4)]
    assert len(LossCurveDisplay.from_estimator(model).boundaries_) == 1
