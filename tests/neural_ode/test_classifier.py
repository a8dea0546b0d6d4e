import numpy as np
import pytest
from sklearn.datasets import load_iris, make_circles
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_score

from skdyn import NeuralODEClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_iris_is_classified_as_well_as_it_can_be():
    X, y = load_iris(return_X_y=True)
    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    model = NeuralODEClassifier(random_state=0, solver="rk4", alpha=2.0, max_iter=60)
    assert cross_val_score(model, X, y, cv=folds).mean() > 0.94


def test_nested_rings_are_separated():
    X, y = make_circles(200, factor=0.5, noise=0.05, random_state=0)
    model = NeuralODEClassifier(random_state=0, solver="rk4", alpha=2.0, max_iter=60).fit(X, y)
    assert model.score(X, y) > 0.97


def test_probabilities_beat_the_base_rate():
    X, y = load_iris(return_X_y=True)
    model = NeuralODEClassifier(random_state=0, solver="rk4").fit(X[::2], y[::2])
    assert log_loss(y[1::2], model.predict_proba(X[1::2])) < 0.3 < np.log(3)
