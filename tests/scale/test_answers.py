import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA

from skdyn.scale._answers import Answers

X = np.random.default_rng(0).normal(size=(9, 3))


class Mean(BaseEstimator):
    """Answers a block by one number, whatever its rows."""

    def predict(self, X):
        return np.mean(X, keepdims=True).ravel()


class NeedsSpread(BaseEstimator):
    def predict(self, X):
        if not X.any():
            raise ValueError("zeros have no direction.")
        return X[:, 0]


def test_shape_precision_and_names_are_those_of_one_row():
    pca = PCA(2).fit(X)
    answers = Answers(pca, "transform", {}, X[:1])
    assert (answers.shape, answers.dtype, answers.names) == ((2,), float, ["pca0", "pca1"])


def test_a_method_that_does_not_answer_row_by_row_is_found_out():
    answers = Answers(Mean(), "predict", {}, X[:1])
    with pytest.raises(ValueError, match="answered 9 rows by shape"):
        answers.array(Mean(), X)


def test_a_made_up_row_that_is_refused_asks_for_an_example():
    with pytest.raises(ValueError, match="Pass example=, one row of your data"):
        Answers.of(NeedsSpread(), "predict", {}, lambda: np.zeros((1, 3)), "made")
    with pytest.raises(ValueError, match=r"^zeros have no direction"):
        Answers.of(NeedsSpread(), "predict", {}, lambda: np.zeros((1, 3)), "given")
