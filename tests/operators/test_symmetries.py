import numpy as np
import pytest
import torch

from skdyn import FNORegressor, KernelOperatorRegressor, MgNORegressor
from skdyn.operators._symmetries import motions

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)


@pytest.mark.parametrize("periodic", [False, True])
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
        ("even", 2, 2),
    ],
)
def test_motions_form_a_group_and_are_undone(symmetry, n_axes, n_motions, periodic):
    grid, moves = (3,) * n_axes, motions(symmetry, n_axes, periodic=periodic)
    x = torch.arange(3**n_axes).reshape(1, 1, *grid)
    moved = {tuple(move.of(x).flatten().tolist()) for move in moves}
    assert len(moved) == n_motions
    for first in moves:
        assert torch.equal(first.back(first.of_answers(x)), x)
        for second in moves:
            assert tuple(second.of(first.of(x)).flatten().tolist()) in moved
    assert torch.equal(moves[0].of(x), x)


@pytest.mark.parametrize(("periodic", "n_points"), [(True, 8), (False, 9)])
@pytest.mark.parametrize("symmetry", ["both", "odd", "even"])
def test_a_motion_is_the_same_on_every_grid_of_the_domain(symmetry, periodic, n_points):
    x = torch.from_numpy(rng.normal(size=(2, 1, n_points, n_points)))
    for move in motions(symmetry, 2, periodic=periodic):
        for way in (move.of, move.of_answers):
            assert torch.equal(way(x)[..., ::2, ::2], way(x[..., ::2, ::2]))


def test_multigrid_layers_are_told_symmetries_too():
    X = 1 + rng.normal(size=(10, 1, 5, 5))
    model = MgNORegressor(hidden_channels=4, n_layers=1, max_iter=2, symmetry="both")
    model.fit(X, np.cumsum(X, axis=2))
    turned = model.predict(X.swapaxes(2, 3)[..., ::-1])
    np.testing.assert_allclose(turned, model.predict(X).swapaxes(2, 3)[..., ::-1], atol=1e-9)


@pytest.mark.parametrize(
    ("symmetry", "optimizer"),
    [
        ("exchange", "adamw"),
        ("reflect", "lbfgs"),
        ("both", "adamw"),
        ("odd", "adamw"),
        ("even", "adamw"),
    ],
)
def test_predictions_keep_the_symmetry_exactly(symmetry, optimizer):
    X = 1 + rng.normal(size=(10, 1, 5, 5))
    model = FNORegressor(
        2, hidden_channels=4, n_layers=1, max_iter=2, symmetry=symmetry, optimizer=optimizer,
        random_state=0,
    ).fit(X, np.cumsum(X, axis=2))  # fmt: skip
    for move in motions(symmetry, 2):
        moved = move.of(torch.from_numpy(X)).numpy()
        expected = move.of_answers(torch.from_numpy(model.predict(X))).numpy()
        np.testing.assert_allclose(model.predict(moved), expected, atol=1e-9)


@pytest.mark.parametrize(("symmetry", "sign"), [("odd", -1), ("even", 1)])
def test_numbers_change_their_sign_where_answers_do(symmetry, sign):
    X = rng.normal(size=(20, 1, 8))
    y = (X if sign < 0 else X**2).mean(axis=(1, 2))
    model = FNORegressor(
        2, hidden_channels=4, n_layers=1, max_iter=40, learning_rate=0.05, symmetry=symmetry,
        periodic=True, random_state=0,
    ).fit(X, y)  # fmt: skip
    turned = -np.roll(X[..., ::-1], 1, axis=2)
    np.testing.assert_allclose(model.predict(turned), sign * model.predict(X), atol=1e-9)
    assert model.score(X, y) > 0.3  # they are not averaged to nothing


def test_numbers_stay_what_they_are():
    X = rng.normal(size=(20, 1, 4, 4))
    model = FNORegressor(
        2, hidden_channels=4, n_layers=1, max_iter=2, symmetry="both", random_state=0
    ).fit(X, X.mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(model.predict(X.swapaxes(2, 3)), model.predict(X), atol=1e-9)


def test_axes_of_unequal_length_cannot_be_exchanged():
    X = rng.normal(size=(4, 1, 4, 6))
    with pytest.raises(ValueError, match=r"symmetry='exchange' moves .* grids \(4, 6\)"):
        FNORegressor(symmetry="exchange").fit(X, X)
    FNORegressor(2, hidden_channels=4, n_layers=1, max_iter=1, symmetry="reflect").fit(X, X)


@pytest.mark.parametrize("regressor", [FNORegressor, KernelOperatorRegressor])
def test_fields_on_other_axes_than_those_of_the_inputs_cannot_be_moved_alike(regressor):
    X = rng.normal(size=(8, 1, 4, 4))
    with pytest.raises(ValueError, match=r"grids \(4, 4\) and \(5,\) .*symmetry=None"):
        regressor(symmetry="reflect").fit(X, X[:, :, 0, :1].repeat(5, axis=2))
