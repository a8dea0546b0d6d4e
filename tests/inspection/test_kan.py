import copy

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from skdyn import KANRegressor
from skdyn._validation import NotFittedError
from skdyn.inspection import KANDisplay
from skdyn.inspection._style import VERMILION

X = np.random.default_rng(0).uniform(-1, 1, (150, 3))
Y = np.sin(3 * X[:, 0]) * X[:, 1]


@pytest.fixture(scope="module")
def fitted():
    return KANRegressor(((2, 1),), optimizer="lm", max_iter=8, tol=0, random_state=0).fit(X, Y)


@pytest.fixture
def model(fitted):
    return copy.deepcopy(fitted)


@pytest.fixture(autouse=True)
def close_figures():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def center(box):
    return box.get_x() + box.get_width() / 2, box.get_y() + box.get_height() / 2


def test_there_is_a_curve_and_a_box_for_every_standing_edge(model):
    display = KANDisplay.from_estimator(model)
    assert [len(curves) for curves in display.curves_] == [3 * 4, 3]
    assert [len(boxes) for boxes in display.boxes_] == [3 * 4, 3]
    assert display.figure_ is display.ax_.figure
    smaller = model.prune(edge_threshold=0.1)
    standing = [int((scores > 0).sum()) for scores in smaller.edge_scores_]
    assert sum(standing) < 15
    assert [len(curves) for curves in KANDisplay.from_estimator(smaller).curves_] == standing


def test_a_curve_is_its_edge_function_stretched_into_its_box(model):
    display = KANDisplay.from_estimator(model)
    for depth, layer in enumerate(display.layers):
        drawn = zip(
            layer.edges, layer.x, display.curves_[depth], display.boxes_[depth], strict=True
        )
        for (i, j), x, curve, box in drawn:
            values = model.edge_function(depth, i, j, x)
            for points, wanted in ((curve.get_xdata(), x), (curve.get_ydata(), values)):
                share = (wanted - wanted.min()) / np.ptp(wanted)
                found = (points - points.min()) / np.ptp(points)
                np.testing.assert_allclose(found, share, atol=1e-8)
            (left, bottom), (right, top) = box.get_bbox().get_points()
            assert left < curve.get_xdata().min() < curve.get_xdata().max() < right
            assert bottom < curve.get_ydata().min() < curve.get_ydata().max() < top


def test_boxes_do_not_overlap_however_many_there_are(model):
    wide = np.random.default_rng(0).normal(size=(30, 70))
    many = KANRegressor((), max_iter=1, tol=0).fit(wide, wide[:, 0])
    for boxes in KANDisplay.from_estimator(model).boxes_ + KANDisplay.from_estimator(many).boxes_:
        places = np.array([center(box) for box in boxes])
        apart = np.abs(places[:, None] - places).max(axis=2)
        assert apart[~np.eye(len(boxes), dtype=bool)].min() > boxes[0].get_width()


@pytest.mark.parametrize("beta", [1.0, 10.0])
def test_the_higher_the_score_the_darker_the_edge(model, beta):
    display = KANDisplay.from_estimator(model, beta=beta)
    for layer, curves, boxes in zip(display.layers, display.curves_, display.boxes_, strict=True):
        order = np.argsort(layer.scores)
        darkness = np.array([curve.get_alpha() for curve in curves])[order]
        assert (np.diff(darkness) >= 0).all()
        assert 0 < darkness[0] < darkness[-1] <= 1
        np.testing.assert_array_equal([box.get_alpha() for box in boxes], darkness[order.argsort()])


def test_more_contrast_makes_weak_edges_darker(model):
    pale, dark = (KANDisplay.from_estimator(model, beta=beta).curves_ for beta in (1.0, 5.0))
    for weak, strong in zip(pale[0], dark[0], strict=True):
        assert weak.get_alpha() < strong.get_alpha()


def test_inputs_and_outputs_are_named_and_unused_inputs_left_out(model):
    assert texts(KANDisplay.from_estimator(model)) == ["x0", "x1", "x2", "y"]
    smaller = model.prune(edge_threshold=0.1)
    display = KANDisplay.from_estimator(smaller, feature_names=["angle", "force", "noise"])
    assert texts(display) == ["angle", "force", "y"]
    assert list(display.nodes_[0]) == [0, 1]


def test_products_are_crosses_and_sums_are_pluses(model):
    display = KANDisplay.from_estimator(model)
    signs = {
        (round(float(line.get_xdata()[0]), 9), float(line.get_ydata()[0])): line.get_marker()
        for line in display.ax_.lines
        if line.get_marker() in ("+", "x")
    }
    found = [signs[round(x, 9), y] for x, y in display.nodes_[1].values()]
    assert found == ["+", "+", "x"]
    assert [signs[round(x, 9), y] for x, y in display.nodes_[2].values()] == ["+"]


def test_an_edge_in_closed_form_has_its_color_and_its_name(model):
    display = KANDisplay.from_estimator(model.fix_symbolic(0, 1, 2, "x^2"))
    position = display.layers[0].edges.tolist().index([1, 2])
    assert "x^2" in texts(display)
    colors = [curve.get_color() for curve in display.curves_[0]]
    assert [k for k, color in enumerate(colors) if color == VERMILION] == [position]


def test_what_is_left_of_a_network_without_some_edges_is_drawn(model):
    for k in range(3):  # nothing leaves the hidden nodes any more
        model.fix_symbolic(1, k, 0, "0")
    display = KANDisplay.from_estimator(model)
    assert [len(curves) for curves in display.curves_] == [3 * 4, 0]
    assert list(display.nodes_[1]) == [0, 1, 2]
    for i in range(3):
        for j in range(4):
            model.fix_symbolic(0, i, j, "0")
    assert texts(KANDisplay.from_estimator(model)) == ["y"]


def test_a_constant_input_is_drawn():
    constant = np.column_stack([X[:, 0], np.ones(len(X))])
    model = KANRegressor((), optimizer="lm", max_iter=2, tol=0).fit(constant, Y)
    (curves,) = KANDisplay.from_estimator(model).curves_
    assert all(np.isfinite(curve.get_xydata()).all() for curve in curves)


def test_it_draws_on_the_axes_it_is_given_and_again(model):
    import matplotlib.pyplot as plt

    axes = plt.figure().subplots(1, 2)
    display = KANDisplay.from_estimator(model, ax=axes[0])
    assert display.ax_ is axes[0]
    first = display.curves_[0][0].get_xydata()
    assert display.plot(ax=axes[1]).ax_ is axes[1]
    np.testing.assert_array_equal(display.curves_[0][0].get_xydata(), first)


def test_too_many_edges_are_refused(model):
    with pytest.raises(ValueError, match=r"has 15 edges, more than max_edges=14.*prune"):
        KANDisplay.from_estimator(model, max_edges=14)


def test_what_is_no_fitted_network_is_refused():
    with pytest.raises(ValueError, match="LinearRegression has no edge functions"):
        KANDisplay.from_estimator(LinearRegression())
    with pytest.raises(NotFittedError, match="not fitted"):
        KANDisplay.from_estimator(KANRegressor())
