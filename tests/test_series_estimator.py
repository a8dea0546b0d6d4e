"""What the classifier and the regressor of series add to those of tables: times."""

import numpy as np
import pytest

from skdyn import SSMClassifier, SSMRegressor

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
