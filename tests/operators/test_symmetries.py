import numpy as np
import pytest
import torch

from skdyn import FNORegressor, MgNORegressor
from skdyn.operators._symmetries import motions

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("symmetry", "n_axes", "n_motions"),
    [
        (None, 2, 1),
        ("exchange", 2, 2),
        ("reflect", 2, 4),
        ("both", 2, 8),
        ("both", 3, 48),
        ("odd", 1, 2),
        ("odd", 2, 2),
    ],
)
def test_motions_form_a_group_and_are_undone(symmetry, n_axes, n_motions):
    grid = (3,) * n_axes
    x = torch.arange(3**n_axes).reshape(1, 1, *grid)
    moved = {tuple(move.of(x).flatten().tolist()) for move in motions(symmetry, n_axes)}
    assert len(moved) == n_motions
    for first in motions(symmetry, n_axes):
        assert torch.equal(first.back(first.of(x)), x)
        for second in motions(symmetry, n_axes):
            assert tuple(second.of(first.of(x)).flatten().tolist()) in moved
    assert torch.equal(motions(symmetry, n_axes)[0].of(x), x)


def test_multigrid_layers_are_told_symmetries_too():
    X = 1 + rng.normal(size=(10, 1, 5, 5))
    model = MgNORegressor(hidden_channels=4, n_layers=1, max_iter=2, symmetry="both")
    model.fit(X, np.cumsum(X, axis=2))
    turned = model.predict(X.swapaxes(2, 3)[..., ::-1])
    np.testing.assert_allclose(turned, model.predict(X).swapaxes(2, 3)[..., ::-1], atol=1e-9)


@pytest.mark.parametrize("optimizer", ["adamw", "lbfgs"])
@pytest.mark.parametrize("symmetry", ["exchange", "reflect", "both", "odd"])
def test_predictions_keep_the_symmetry_exactly(symmetry, optimizer):
    X = 1 + rng.normal(size=(10, 1, 5, 5))
    model = FNORegressor(
        2, hidden_channels=4, n_layers=1, max_iter=2, symmetry=symmetry, optimizer=optimizer,
        random_state=0,
    ).fit(X, np.cumsum(X, axis=2))  # fmt: skip
    for move in motions(symmetry, 2):
        moved = move.of(torch.from_numpy(X)).numpy()
        expected = move.of(torch.from_numpy(model.predict(X))).numpy()
        np.testing.assert_allclose(model.predict(moved), expected, atol=1e-9)


def test_numbers_stay_what_they_are():
    X = rng.normal(size=(20, 1, 4, 4))
    model = FNORegressor(
        2, hidden_channels=4, n_layers=1, max_iter=2, symmetry="both", random_state=0
    ).fit(X, X.mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(model.predict(X.swapaxes(2, 3)), model.predict(X), atol=1e-9)


def test_axes_of_unequal_length_cannot_be_exchanged():
    X = rng.normal(size=(4, 1, 4, 6))
    with pytest.raises(ValueError, match=r"symmetry='exchange' exchanges axes, .* \(4, 6\)"):
        FNORegressor(symmetry="exchange").fit(X, X)
    FNORegressor(2, hidden_channels=4, n_layers=1, max_iter=1, symmetry="reflect").fit(X, X)
