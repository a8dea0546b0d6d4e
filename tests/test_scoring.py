import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import r2_score

from skdyn._scoring import r2, variance_explained

TRUTH = np.random.default_rng(0).normal(size=(20, 3)) * [1.0, 2.0, 5.0]
MADE = TRUTH + np.random.default_rng(1).normal(size=(20, 3))
WEIGHT = np.linspace(0.5, 2.0, 20)


class Known(RegressorMixin, BaseEstimator):
    """Predicts what it is asked about."""

    score = r2

    def fit(self, X, y):
        return self

    def predict(self, X):
        return X


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_scores_are_scikit_learns(weight):
    assert Known().score(MADE, TRUTH, weight) == r2_score(TRUTH, MADE, sample_weight=weight)
    together = r2_score(TRUTH, MADE, sample_weight=weight, multioutput="variance_weighted")
    assert variance_explained(TRUTH, MADE, weight) == together


@pytest.mark.parametrize("size", [1e-200, 1e-300, 1e200])
def test_scores_do_not_depend_on_the_unit(size):
    for score in (
        Known().score(MADE * size, TRUTH * size),
        Known().score(MADE[:, 0] * size, TRUTH[:, 0] * size),
    ):
        assert score < 0.9  # where squares vanish, every score is perfect
    np.testing.assert_allclose(Known().score(MADE * size, TRUTH * size), Known().score(MADE, TRUTH))
    np.testing.assert_allclose(
        variance_explained(TRUTH * size, MADE * size), variance_explained(TRUTH, MADE)
    )


def test_targets_and_weights_may_be_tensors_of_half_precision():
    half, weight = torch.tensor(TRUTH).bfloat16(), torch.tensor(WEIGHT).bfloat16()
    plain = half.double().numpy(), weight.double().numpy()
    np.testing.assert_allclose(Known().score(MADE, half, weight), Known().score(MADE, *plain))
    np.testing.assert_allclose(
        variance_explained(half, MADE, weight), variance_explained(plain[0], MADE, plain[1])
    )
