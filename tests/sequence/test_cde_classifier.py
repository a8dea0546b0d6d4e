import numpy as np
import pytest

from skdyn import NeuralCDEClassifier
from skdyn.sequence._control import INTERPOLATIONS


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_which_way_round_is_told_whatever_the_path(interpolation):
    rng = np.random.default_rng(0)
    t = np.sort(rng.uniform(0, 6, (60, 10)))
    y = np.arange(60) % 2
    turn = np.where(y, 1, -1)[:, None] * t + rng.uniform(0, 6, (60, 1))
    X = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    model = NeuralCDEClassifier(
        8, hidden_layer_sizes=(16,), interpolation=interpolation, max_iter=15, random_state=0,
        learning_rate=0.03,
    )  # fmt: skip
    model.fit(X[:40], y[:40], t=t[:40])
    assert model.score(X[40:], y[40:], t=t[40:]) > 0.9
