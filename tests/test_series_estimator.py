"""What the classifier and the regressor of series add to those of tables: times."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.pipeline import make_pipeline

from skdyn import NeuralCDEClassifier, SSMClassifier, SSMRegressor
from skdyn.sequence import series_from_frame

RNG = np.random.default_rng(0)
X, Y, T = RNG.normal(size=(8, 2, 6)), np.arange(8) % 2, np.arange(6.0) ** 1.5
SMALL = {"n_layers": 1, "hidden_channels": 4, "state_size": 4, "max_iter": 1, "random_state": 0}


@pytest.mark.parametrize("make", [SSMClassifier, SSMRegressor])
def test_partial_fit_and_score_read_times_too(make):
    model = make(**SMALL)
    for _ in range(2):
        model.partial_fit(X, Y, t=T)
    assert np.isfinite(model.score(X, Y, t=T))
    assert model.score(X, Y, t=T) == model.score(X, Y, np.ones(8), t=T)
    for ask in (model.predict, lambda X: model.score(X, Y), lambda X: model.partial_fit(X, Y)):
        with pytest.raises(ValueError, match="t is missing"):
            ask(X)


def test_a_classifier_is_told_all_classes_in_the_first_part():
    model = SSMClassifier(**SMALL).partial_fit(X[Y == 0], Y[Y == 0], classes=[0, 1])
    assert model.partial_fit(X, Y).classes_.tolist() == [0, 1]


@pytest.mark.parametrize("make", [SSMClassifier, SSMRegressor])
def test_targets_are_asked_for(make):
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        make(**SMALL).fit(X, None)


def test_several_targets_are_learned_at_once():
    fitted = SSMRegressor(**SMALL).fit(X, np.stack([Y, -2.0 * Y], axis=1), t=T)
    assert fitted.predict(X, t=T).shape == (8, 2)


@pytest.mark.peer
@pytest.mark.parametrize("kind", ["np-list", "df-list", "pd-multiindex", "numpy3D"])
@pytest.mark.parametrize("model", [SSMClassifier(), SSMRegressor(), NeuralCDEClassifier()])
def test_it_ends_pipelines_of_aeon_and_stands_behind_its_transformers(model, kind):
    aeon = pytest.importorskip("aeon.pipeline", reason="aeon is not installed")
    collection = pytest.importorskip("aeon.transformations.collection")
    conversion = pytest.importorskip("aeon.utils.conversion")
    values = np.random.default_rng(0).normal(size=(8, 2, 9)).cumsum(axis=2)
    X = np.stack(series_from_frame(conversion.convert_collection(values, kind)).X)
    y = np.arange(8) % 2 if is_classifier(model) else np.linspace(0.1, 0.9, 8)
    model = clone(model).set_params(max_iter=2, hidden_channels=4, random_state=0)
    both = make_pipeline(collection.Normalizer(), model).fit(X, y)
    assert both.predict(X).shape == (8,)
    one = X[:, :1]  # to aeon, an estimator of scikit-learn's reads tables: one channel
    theirs = aeon.make_pipeline(collection.Normalizer(), model).fit(one, y)
    ours = make_pipeline(collection.Normalizer(), model).fit(one, y)
    np.testing.assert_array_equal(theirs.predict(one), ours.predict(one))
