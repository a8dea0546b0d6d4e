import warnings

import numpy as np
import pytest
import torch

from skdyn.autoencoder import CodebookTransformer, SparseAutoencoder, Transcoder
from skdyn.autoencoder._far_rows import Reach, tell_of_far_rows
from skdyn.datasets import make_superposition

RNG = np.random.default_rng(0)
X = make_superposition(600, 12, 16, l0=2.0, random_state=0)[0]
NEAR = np.ones(600, dtype=bool)
NEAR[::97] = False  # seven rows far away, all in one direction
SPOILT = X.copy()
SPOILT[~NEAR] = 300.0


def _unexplained(model):
    rows = X[NEAR]
    restored = model.inverse_transform(model.transform(rows))
    return np.square(rows - restored).sum() / np.square(rows - rows.mean(axis=0)).sum()


@pytest.mark.parametrize(
    ("cls", "settings"),
    [(SparseAutoencoder, {"learning_rate": 0.02}), (CodebookTransformer, {"n_components": 32})],
)
def test_a_few_far_rows_leave_the_others_as_well_explained(cls, settings):
    settings = {"n_components": 16, "k": 2, "max_iter": 4, "batch_size": 64} | settings
    clean = cls(**settings, random_state=0).fit(X)
    with pytest.warns(UserWarning, match=r"7 of 600 rows of X lie far .* row 0 is"):
        spoilt = cls(**settings, random_state=0).fit(SPOILT)
    assert _unexplained(spoilt) < _unexplained(clean) + 0.05
    assert spoilt.loss_curve_[-1] < 1.0  # in units of a variance that far rows have no part in
    scale, wanted = (float(model.module_.output_scale[0]) for model in (spoilt, clean))
    assert scale == pytest.approx(wanted, rel=0.1)


def test_far_targets_leave_the_others_as_well_predicted():
    targets = X @ RNG.normal(size=(12, 3))
    settings = {"k": 4, "max_iter": 4, "batch_size": 64, "learning_rate": 0.03, "random_state": 0}
    clean = Transcoder(16, **settings).fit(X, targets)
    far = np.where(NEAR[:, None], targets, 1e4)
    with pytest.warns(UserWarning, match="7 of 600 rows of y lie far from all others"):
        spoilt = Transcoder(16, **settings).fit(X, far)
    scores = [model.score(X[NEAR], targets[NEAR]) for model in (spoilt, clean)]
    assert scores[0] > scores[1] - 0.05


def test_rows_are_taken_as_they_are_up_to_five_times_the_usual_distance():
    distance = np.concatenate([np.linspace(0.1, 1.0, 99), [4.9, 5.1]])
    usual = Reach.of(distance).usual
    assert (distance <= usual).mean() == pytest.approx(0.9, abs=0.015)
    assert Reach(1.0).within(distance).tolist() == [*distance[:-1], 1.0]
    x = torch.tensor([[3.0, 4.0], [30.0, 40.0], [0.0, 0.0]])
    share = Reach(1.5).share(x, torch.zeros(2))
    torch.testing.assert_close(share, torch.tensor([[1.0], [1.5 / 50.0], [1.0]]))


def test_rows_that_are_mostly_alike_do_not_make_the_others_far():
    X = np.zeros((200, 3))
    X[::7] = RNG.normal(size=(29, 3))
    distance = np.linalg.norm(X, axis=1)
    assert (distance <= Reach.of(distance).farthest).all()
    assert Reach.of(np.full(9, 0.0)).usual == np.inf
    assert Reach.of(np.array([0.0, 1.0, 1.0] * 7)).usual == 1.0  # three classes as targets
    with warnings.catch_warnings(action="error"):
        tell_of_far_rows(distance, np.arange(200), "X")
