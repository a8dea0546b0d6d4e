import numpy as np
import pytest

from skdyn import HopfieldPoolingRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
X = [rng.normal(size=(n, 2)) for n in rng.integers(2, 6, size=150)]
y = np.array([bag[:, 0].max() for bag in X])


def test_it_learns_the_maximum_over_a_bag():
    model = HopfieldPoolingRegressor(embedding="features", skip=False, n_models=1, random_state=0)
    model.set_params(max_iter=400, tol=0).fit(X[:100], y[:100])
    assert model.score(X[100:], y[100:]) > 0.9
    largest = [bag[:, 0].argmax() for bag in X[100:]]
    weights = model.instance_weights(X[100:])
    assert np.mean([of_bag.argmax() for of_bag in weights] == np.array(largest)) > 0.8


def test_several_targets_keep_their_columns_and_predictions_are_float64():
    model = HopfieldPoolingRegressor(embedding="features", n_models=1, max_iter=50, random_state=0)
    both = np.stack([y, -y], axis=1)
    predicted = model.fit([bag.astype(np.float32) for bag in X], both).predict(X)
    assert predicted.shape == (150, 2)
    assert predicted.dtype == np.float64
    assert model.score(X, both) > 0.8


def test_trained_layers_learn_numbers_without_dropout():
    trained = {"embedding": "trained", "n_models": 1, "hidden_layer_sizes": (32,), "max_iter": 100}
    scores = [
        HopfieldPoolingRegressor(random_state=0, **trained, **given)
        .fit(X[:100], y[:100])
        .score(X[100:], y[100:])
        for given in ({}, {"dropout": 0.0}, {"dropout": 0.5})
    ]
    assert scores[0] == scores[1] > 0.9
    assert scores[2] < 0.8
