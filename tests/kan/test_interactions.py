"""Interaction scores: nothing for sums, what is known for products."""

import numpy as np
import pandas as pd
import pytest

from skdyn import KANClassifier, KANRegressor
from skdyn.kan._interactions import meeting_columns
from skdyn.kan._network import KAN

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_of_a_product_and_a_sum_the_scores_are_their_shares_of_the_variance():
    X = np.random.default_rng(0).uniform(-1, 1, (120, 3))
    y = 3 * X[:, 0] * X[:, 1] + X[:, 2]
    model = KANRegressor(((1, 1),), optimizer="lm", grid_sizes=3, max_iter=25, random_state=0)
    scores = model.fit(X, y).interaction_scores(X, n_draws=2000)
    assert model.score(X, y) > 0.9999
    np.testing.assert_array_equal(scores, scores.T)
    assert scores[0, 1] == pytest.approx(1 / (1 + 1 / 3), abs=0.06)  # variances 9 / 9 and 1 / 3
    assert max(scores[0, 2], scores[1, 2], *scores.diagonal()) < 1e-3


def test_what_meets_nowhere_scores_exactly_zero():
    X = np.random.default_rng(0).uniform(-1, 1, (80, 3))
    frame = pd.DataFrame(X, columns=list("abc")).assign(c=np.where(X[:, 2] > 0, "u", "v"))
    y = X[:, 0] * X[:, 1] > 0
    model = KANClassifier((3,), optimizer="lm", interaction_cst=[("a", "b")], max_iter=8,
                          random_state=0).fit(frame, y)  # fmt: skip
    scores = model.interaction_scores(frame.assign(b=frame["b"].where(X[:, 0] > 0)))
    assert scores[0, 1] > 0.1
    assert not scores[2].any()
    additive = KANRegressor((), max_iter=3, random_state=0).fit(frame, y)
    assert not additive.interaction_scores(frame).any()


def test_columns_meet_where_edges_that_stand_bring_them_together():
    net = KAN((4, (1, 1), 1, 1))
    net.layers[0].mask[:] = 0
    net.layers[0].mask[0, 0] = 1  # a sum of one
    net.layers[0].mask[1, 1] = net.layers[0].mask[2, 2] = 1  # two factors
    net.layers[1].mask[0] = 0
    meets = meeting_columns(net)
    assert meets[1, 2]
    assert meets[2, 1]
    assert meets.sum() == 2
    net.layers[1].mask[0] = 1
    assert meeting_columns(net)[0, 2]
