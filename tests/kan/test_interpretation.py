"""What a fitted network says of itself, and what pruning leaves."""

import pickle

import numpy as np
import pytest
import sympy
from sklearn.exceptions import ConvergenceWarning

from skdyn import KANClassifier, KANRegressor


@pytest.fixture(scope="module")
def data():
    X = np.random.default_rng(0).uniform(-1, 1, (250, 3))
    return X, np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)


@pytest.fixture(scope="module")
def sparse(data):
    """Three hidden nodes are too many: the formula needs one, and not the third input."""
    return KANRegressor(
        (3,), optimizer="lm", grid_sizes=(3, 5), lamb=1e-3, max_iter=30, random_state=0
    ).fit(*data)


def test_permuting_the_inputs_permutes_the_importances():
    X = np.random.default_rng(0).uniform(-1, 1, (200, 3))
    y = 2 * X[:, 0] + np.sin(3 * X[:, 1])
    options = {"hidden_layer_sizes": (), "optimizer": "lm", "random_state": 0}
    order = [2, 0, 1]
    straight = KANRegressor(**options).fit(X, y).feature_importances_
    permuted = KANRegressor(**options).fit(X[:, order], y).feature_importances_
    np.testing.assert_allclose(permuted, straight[order], atol=1e-4)
    assert straight.sum() == pytest.approx(1)
    assert straight[0] > straight[1] > 100 * straight[2]


def test_sparsification_and_pruning_find_the_small_network(sparse, data):
    small = sparse.prune()
    assert small.hidden_layer_sizes == (1,)
    assert small.edge_scores_[0].shape == (3, 1)
    assert small.module_.layers[0].standing()[:, 0].tolist() == [True, True, False]
    assert small.feature_importances_[2] == 0
    assert small.score(*data) > 0.99
    assert sparse.hidden_layer_sizes == (3,)
    assert sparse.module_.plan["layer_sizes"][1] == (3, 0)


def test_what_pruning_leaves_of_a_wide_network_is_named(sparse, data):
    a, b = sympy.symbols("x0 x1", real=True)
    found = sparse.prune().auto_symbolic(*data).formula(*data)
    assert sympy.simplify(found - sympy.exp(sympy.sin(sympy.pi * a) + b**2)) == 0


def test_pruning_nothing_changes_nothing(sparse, data):
    same = sparse.prune(edge_threshold=0.0, node_threshold=0.0)
    np.testing.assert_allclose(same.predict(data[0]), sparse.predict(data[0]), rtol=1e-12)
    np.testing.assert_allclose(same.feature_importances_, sparse.feature_importances_)


def test_a_pruned_estimator_survives_pickling_and_trains_on(sparse, data):
    small = pickle.loads(pickle.dumps(sparse.prune()))
    before = small.score(*data)
    small.set_params(warm_start=True, lamb=0.0, grid_sizes=(5, 10)).fit(*data)
    assert small.module_.plan["grid_size"] == 10
    assert not small.module_.layers[0].standing()[2, 0]
    assert small.score(*data) > before
    assert small.score(*data) > 0.99999


def test_pruning_everything_is_refused(sparse):
    with pytest.raises(ValueError, match=r"edge_threshold=2.0 .* leave no edge"):
        sparse.prune(edge_threshold=2.0)


def test_an_edge_function_is_what_the_layer_adds(sparse, data):
    x = np.linspace(-1, 1, 7)
    edges = sum(sparse.edge_function(1, i, 0, x) for i in range(3))
    assert edges.shape == (7,)
    assert np.isfinite(edges).all()


@pytest.mark.parametrize("place", [(2, 0, 0), (0, 3, 0), (0, 0, 3), (-1, 0, 0)])
def test_an_edge_that_does_not_exist_is_named(sparse, place):
    with pytest.raises(ValueError, match=r"layer=|Layer 0 has 3 inputs"):
        sparse.edge_function(*place, np.zeros(3))


def test_products_are_pruned_factor_by_factor():
    X = np.random.default_rng(0).uniform(-1, 1, (150, 3))
    y = X[:, 0] * X[:, 1]
    model = KANRegressor(
        ((1, 1),), optimizer="lm", grid_sizes=2, lamb=1e-3, max_iter=20, random_state=0
    ).fit(X, y)
    small = model.prune()
    np.testing.assert_allclose(small.predict(X), y, atol=0.05)
    assert small.feature_importances_[2] < 1e-2


def test_a_classifier_is_interpreted_and_pruned_alike():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(200, 4))
    y = np.where(X[:, 0] ** 2 + X[:, 1] > 1, "in", "out")
    model = KANClassifier((4,), lamb=0.01, learning_rate=0.03, max_iter=60, random_state=0)
    model.fit(X, y)
    small = model.prune(edge_threshold=0.05)
    assert small.score(X, y) > 0.9
    assert set(np.argsort(small.feature_importances_)[-2:]) == {0, 1}
    assert list(small.classes_) == ["in", "out"]


def test_a_penalty_that_leaves_nothing_says_so():
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(100, 3)), generator.integers(0, 2, 100)
    with pytest.warns(ConvergenceWarning, match=r"lamb=0.1 left no edge"):
        model = KANClassifier((2,), optimizer="lm", lamb=0.1, max_iter=50, random_state=0).fit(X, y)
    np.testing.assert_allclose(model.feature_importances_, 1 / 3)
