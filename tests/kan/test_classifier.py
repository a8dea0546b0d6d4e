"""The classifier."""

import numpy as np
import torch
from sklearn.datasets import load_wine, make_circles
from sklearn.model_selection import train_test_split

from skdyn import KANClassifier


def test_the_factor_times_itself_is_the_hessian_of_the_loss():
    scores, y = torch.randn(5, 4, dtype=torch.float64), torch.tensor([0, 3, 1, 1, 2])
    gradient, factor = KANClassifier._curvature(scores, y)
    for row, label, slope, root in zip(scores, y, gradient, factor, strict=True):

        def loss(s, label=label):
            return torch.nn.functional.cross_entropy(s[None], label[None])

        torch.testing.assert_close(slope, torch.autograd.functional.jacobian(loss, row))
        torch.testing.assert_close(root @ root.T, torch.autograd.functional.hessian(loss, row))


def test_circles_need_no_hidden_layer():
    X, y = make_circles(300, noise=0.05, factor=0.5, random_state=0)
    for optimizer in ("adam", "lm"):
        model = KANClassifier((), optimizer=optimizer, random_state=0).fit(X, y)
        assert model.score(X, y) > 0.97


def test_wine_with_defaults():
    X, y = load_wine(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
    assert KANClassifier(random_state=0).fit(X, y).score(X_test, y_test) > 0.93


def test_probabilities_add_up_to_one():
    X, y = make_circles(60, random_state=0)
    model = KANClassifier(max_iter=5, tol=0, random_state=0).fit(X, y.astype(str))
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert set(model.predict(X)) <= {"0", "1"}
