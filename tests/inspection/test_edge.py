import copy

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from skdyn import KANRegressor
from skdyn._validation import NotFittedError
from skdyn.inspection import EdgeDisplay
from skdyn.inspection._network import edge_layers

X = np.random.default_rng(0).uniform(0, 10, (150, 2))
Y = np.sin(X[:, 0] / 2) * X[:, 1]


@pytest.fixture(scope="module")
def fitted():
    return KANRegressor(((1, 1),), optimizer="lm", max_iter=8, tol=0, random_state=0).fit(X, Y)


@pytest.fixture
def model(fitted):
    return copy.deepcopy(fitted)


@pytest.fixture(autouse=True)
def close_figures():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_the_curve_is_the_edge_function_in_the_feature_s_own_units(model):
    display = EdgeDisplay.from_estimator(model, 0, 1, 0)
    seen = (display.x - X[:, 1].mean()) / X[:, 1].std()
    np.testing.assert_allclose(
        display.values, model.edge_function(0, 1, 0, seen), rtol=1e-9, atol=1e-12
    )
    assert display.x[0] < X[:, 1].min()
    assert display.x[-1] > X[:, 1].max()
    inner = EdgeDisplay.from_estimator(model, 1, 1, 0)
    np.testing.assert_array_equal(inner.values, model.edge_function(1, 1, 0, inner.x))


def test_it_is_solid_where_it_was_learnt_and_dashed_beyond(model):
    display = EdgeDisplay.from_estimator(model, 0, 0, 0)
    solid, dashed = display.lines_
    low, high = display.ends
    assert low < X[:, 0].min() < X[:, 0].max() < high
    drawn = np.isfinite(solid.get_ydata())
    np.testing.assert_array_equal(drawn, (display.x >= low) & (display.x <= high))
    np.testing.assert_array_equal(solid.get_ydata()[drawn], display.values[drawn])
    assert dashed.get_linestyle() == "--"
    both = drawn & np.isfinite(dashed.get_ydata())  # they meet, without a gap
    np.testing.assert_allclose(display.x[both], display.ends)


def test_the_breaks_of_a_spline_are_ticks_and_other_bases_have_none(model):
    display = EdgeDisplay.from_estimator(model, 0, 0, 0)
    (ticks,) = display.ticks_
    assert len(ticks.get_xdata()) == model.module_.plan["grid_size"] + 1
    np.testing.assert_allclose(ticks.get_xdata()[[0, -1]], display.ends)
    waves = KANRegressor((), basis="fourier", optimizer="lm", max_iter=2, tol=0).fit(X, Y)
    assert EdgeDisplay.from_estimator(waves, 0, 0, 0).ticks_ == []


def test_the_density_is_that_of_the_data(model):
    skewed = np.column_stack([10 * np.linspace(0, 1, 300) ** 3, np.ones(300)])
    bars = EdgeDisplay.from_estimator(model, 0, 0, 0, X=skewed).bars_
    heights = [bar.get_height() for bar in bars]
    counts, edges = np.histogram(skewed[:, 0], len(heights))
    shares = np.array(heights) / max(heights)
    assert np.argmax(heights) == 0
    np.testing.assert_allclose(shares, counts / counts.max(), atol=0.05)
    np.testing.assert_allclose([bar.get_x() for bar in bars], edges[:-1], atol=1e-9)
    own = EdgeDisplay.from_estimator(model, 0, 0, 0).bars_
    np.testing.assert_allclose(own[0].get_x(), X[:, 0].min())


def test_a_suggested_function_is_drawn_beside_the_edge_which_stays(model):
    before = model.predict(X)
    display = EdgeDisplay.from_estimator(model, 0, 0, 1, suggest="sin")
    np.testing.assert_array_equal(model.predict(X), before)
    assert len(display.lines_) == 3
    assert display.lines_[2].get_label() == "sin"
    seen = (display.x - X[:, 0].mean()) / X[:, 0].std()
    fixed = model.fix_symbolic(0, 0, 1, "sin")
    np.testing.assert_allclose(display.suggested, fixed.edge_function(0, 0, 1, seen), rtol=1e-9)


def test_an_edge_in_closed_form_is_named_and_has_no_breaks(model):
    display = EdgeDisplay.from_estimator(model.fix_symbolic(0, 0, 0, "x^2"), 0, 0, 0)
    assert display.ticks_ == []
    (entry,) = display.ax_.get_legend().get_texts()
    assert entry.get_text() == "x^2"
    np.testing.assert_allclose(display.ends, [X[:, 0].min(), X[:, 0].max()])


def test_the_axes_are_named_by_what_the_edge_connects(model):
    first = EdgeDisplay.from_estimator(model, 0, 0, 2, feature_names=["angle", "force"])
    assert first.ax_.get_xlabel() == "angle"
    assert first.ax_.get_ylabel() == "to factor 2 of node 1 of layer 1"
    last = EdgeDisplay.from_estimator(model, 1, 0, 0)
    assert (last.ax_.get_xlabel(), last.ax_.get_ylabel()) == ("node 0 of layer 1", "to y")
    assert EdgeDisplay.from_estimator(model, 0, 0, 0).ax_.get_ylabel() == "to node 0 of layer 1"


def test_it_draws_on_the_axes_it_is_given_and_again(model):
    import matplotlib.pyplot as plt

    axes = plt.figure().subplots(1, 2)
    display = EdgeDisplay.from_estimator(model, 0, 0, 0, ax=axes[0])
    assert display.ax_ is axes[0]
    assert display.figure_ is axes[0].figure
    assert display.plot(ax=axes[1]).ax_ is axes[1]


@pytest.mark.parametrize("edge", [(2, 0, 0), (0, 2, 0), (0, 0, 3), (0, -1, 0)])
def test_an_edge_that_does_not_exist_is_refused(model, edge):
    with pytest.raises(ValueError, match=r"layer=2 does not exist|Layer 0 has 2 inputs"):
        EdgeDisplay.from_estimator(model, *edge)


def test_a_pruned_edge_is_refused(model):
    threshold = np.median(model.edge_scores_[0])
    smaller = model.prune(edge_threshold=threshold, node_threshold=0.0)
    i, j = np.argwhere(smaller.edge_scores_[0] == 0)[0]
    with pytest.raises(ValueError, match=rf"layer=0, i={i}, j={j} was pruned"):
        EdgeDisplay.from_estimator(smaller, 0, i, j)


def test_what_is_no_fitted_network_is_refused():
    with pytest.raises(ValueError, match="LinearRegression has no edge functions"):
        EdgeDisplay.from_estimator(LinearRegression(), 0, 0, 0)
    with pytest.raises(NotFittedError, match="not fitted"):
        EdgeDisplay.from_estimator(KANRegressor(), 0, 0, 0)


def test_levels_of_categories_are_steps_with_their_names_and_gaps_are_left_out():
    table = pd.DataFrame({"a": X[:, 0], "place": np.where(X[:, 1] > 5, "north", "south")})
    table.loc[:20, "a"] = np.nan
    model = KANRegressor((), optimizer="lm", max_iter=3, tol=0, random_state=0).fit(table, Y)
    display = EdgeDisplay.from_estimator(model, 0, 1, 0, X=table)
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == ["north", "south"]
    expected = model.edge_function(0, 1, 0, np.array([0.0, 1.0]))
    np.testing.assert_array_equal(np.unique(display.values), np.sort(expected))
    assert len(EdgeDisplay.from_estimator(model, 0, 0, 0, X=table).inputs) == 150 - 21
    drawn = edge_layers(model, 20)[0]
    np.testing.assert_array_equal(np.unique(drawn.values[1]), np.sort(expected))
