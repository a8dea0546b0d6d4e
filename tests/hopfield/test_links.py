import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skdyn.hopfield._links import LogLoss, SquaredError
from skdyn.hopfield._logistic import softmax
from skdyn.hopfield._solved import Square

rng = np.random.default_rng(0)
X = rng.normal(size=(90, 3))


def one_hot(y):
    return np.eye(y.max() + 1)[y]


def test_values_of_classes_are_those_of_logistic_regression():
    y = np.arange(90) % 3
    rows = X + np.eye(3)[y]
    link, values, mass = LogLoss(np.full(3, 1 / 3)), one_hot(y), np.ones(90)
    K, a = rows @ rows.T, None
    for _ in range(5):  # each from what the one before has found
        a = link.solve(lambda weight: Square(K, weight, 0.5), K, values, mass, 0.5, a)
    peer = LogisticRegression(C=2.0, fit_intercept=False, tol=1e-8).fit(rows, y)
    np.testing.assert_allclose(softmax(K @ a), peer.predict_proba(rows), atol=1e-5)


def test_classes_are_told_as_often_as_they_are_right():
    y = (X[:, 0] > 1).astype(int)
    link = LogLoss(np.bincount(y) / 90)
    F = np.stack([0.7 - X[:, 0], X[:, 0]], axis=1)  # too much of one class
    tempered = link.tempered(F, one_hot(y), np.ones(90))
    told = softmax(tempered.cooling * F + tempered.offsets).mean(axis=0)
    np.testing.assert_allclose(told, link.prior, atol=0.02)
    assert tempered.loss < 0.5 * link.trivial_loss(one_hot(y), np.ones(90))


@pytest.mark.parametrize(
    ("link", "values"),
    [(LogLoss(np.full(2, 0.5)), one_hot(np.arange(90) % 2)), (SquaredError(1), X[:, [1]])],
)
def test_answers_that_tell_nothing_are_hardly_heard(link, values):
    F = 30 * rng.normal(size=values.shape)
    mass = np.ones(90)
    tempered = link.tempered(F, values, mass)
    assert tempered.cooling < 0.02
    assert tempered.loss == link.trivial_loss(values, mass)
    right = link.tempered(values, values, mass)
    assert right.cooling >= 1
    assert right.loss < 0.2 * tempered.loss
