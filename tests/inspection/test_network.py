import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression

from skdyn import KANClassifier, KANRegressor
from skdyn._validation import NotFittedError
from skdyn.inspection._network import (
    check_network,
    edge_layers,
    input_names,
    node_inputs,
    output_names,
)

X = np.random.default_rng(0).uniform(-1, 1, (120, 3))
Y = X[:, 0] * X[:, 1] + X[:, 2]


@pytest.fixture(scope="module")
def model():
    return KANRegressor(((1, 1),), optimizer="lm", max_iter=8, tol=0, random_state=0).fit(X, Y)


def test_every_edge_spans_its_data_and_has_the_values_of_the_edge_function(model):
    layers = edge_layers(model, 20)
    assert [layer.edges.shape for layer in layers] == [(9, 2), (2, 2)]
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    for (i, _), x in zip(layers[0].edges, layers[0].x, strict=True):
        np.testing.assert_allclose(x[[0, -1]], [scaled[:, i].min(), scaled[:, i].max()])
    for depth, layer in enumerate(layers):
        for (i, j), x, values in zip(layer.edges, layer.x, layer.values, strict=True):
            np.testing.assert_array_equal(values, model.edge_function(depth, i, j, x))


def test_scores_go_with_their_edges(model):
    for layer, scores in zip(edge_layers(model, 2), model.edge_scores_, strict=True):
        for (i, j), score in zip(layer.edges, layer.scores, strict=True):
            assert score == scores[i, j]


def test_a_pruned_edge_is_not_there_and_an_edge_in_closed_form_has_a_name(model):
    threshold = np.median(model.edge_scores_[0])
    smaller = model.prune(edge_threshold=threshold, node_threshold=0.0)
    layer = edge_layers(smaller, 2)[0]
    assert len(layer.edges) < 9
    assert layer.scores.min() >= threshold
    i, j = map(int, layer.edges[0])
    named = edge_layers(smaller.fix_symbolic(0, i, j, "sin"), 2)[0]
    assert named.functions == ["sin"] + [None] * (len(layer.edges) - 1)


def test_what_a_node_sees_is_what_the_layer_before_gives(model):
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    np.testing.assert_allclose(node_inputs(model, 0, 1, X), scaled[:, 1], atol=1e-12)
    # Up to a constant: the last layer is the sum of its edges.
    total = sum(model.edge_function(1, i, 0, node_inputs(model, 1, i, X)) for i in range(2))
    predicted = (model.predict(X) - Y.mean()) / Y.std()
    np.testing.assert_allclose(np.ptp(total - predicted), 0.0, atol=1e-10)


def test_without_data_a_node_saw_the_training_data(model):
    for layer, i in ((0, 2), (1, 1)):
        known, seen = node_inputs(model, layer, i), node_inputs(model, layer, i, X)
        np.testing.assert_allclose(known[[0, -1]], [seen.min(), seen.max()])


def test_names_are_told_learnt_or_numbered(model):
    assert input_names(model) == ["x0", "x1", "x2"]
    assert input_names(model, ("a", "b", "c")) == ["a", "b", "c"]
    named = KANRegressor((), max_iter=1, tol=0).fit(pd.DataFrame(X, columns=list("uvw")), Y)
    assert input_names(named) == ["u", "v", "w"]
    with pytest.raises(ValueError, match=r"feature_names holds 2 names.*3 features"):
        input_names(model, ["a", "b"])


def test_outputs_are_called_by_their_classes_or_y(model):
    assert output_names(model, 1) == ["y"]
    assert output_names(model, 2) == ["y0", "y1"]
    iris = load_iris()
    model = KANClassifier((), max_iter=1, tol=0).fit(iris.data, iris.target_names[iris.target])
    assert output_names(model, 3) == ["setosa", "versicolor", "virginica"]


def test_what_is_no_fitted_network_is_refused():
    with pytest.raises(ValueError, match="LinearRegression has no edge functions"):
        check_network(LinearRegression())
    with pytest.raises(NotFittedError, match="not fitted"):
        check_network(KANRegressor())
