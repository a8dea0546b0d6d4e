import numpy as np
import pytest
import torch
from sklearn.datasets import make_circles

from skdyn import NeuralODEClassifier, NeuralODERegressor
from skdyn.neural_ode import _penalty
from skdyn.neural_ode._depth import DepthODE
from skdyn.neural_ode._penalty import FLAT, SideBySide, deal_rows
from skdyn.training import seeded_rng

RNG = np.random.default_rng(0)
SIZES = {"n_features": 3, "n_outputs": 2, "augment_dim": 2, "activation": "tanh"}
ONE_STEP = {"solver": "midpoint", "rtol": 1e-3, "atol": 1e-3, "adjoint": "discrete", "max_steps": 9}


def _noisy_line(n_rows):
    X = RNG.normal(size=(n_rows, 8))
    return X, X[:, 0] + RNG.normal(size=n_rows)


@pytest.fixture
def briefly(monkeypatch):
    monkeypatch.setattr(_penalty, "_STEPS", 60)
    return {"max_iter": 60, "random_state": 0}


@pytest.mark.parametrize("hidden", [(), (5,), (4, 6)])
def test_copies_side_by_side_are_the_network_that_takes_one_step(hidden):
    with seeded_rng(0):
        module = DepthODE(hidden_layer_sizes=hidden, **SIZES, **ONE_STEP).double()
    x = torch.from_numpy(RNG.normal(size=(7, 3)))
    expected = module(x).expand(4, -1, -1)
    torch.testing.assert_close(SideBySide(module, 4)(x), expected)


def test_each_of_few_rows_is_held_out_once_beside_its_copies_and_of_each_class_a_share():
    X = np.repeat(np.arange(30.0), 2)[:, None]
    y = (X[:, 0] < 6).astype(int)
    rows, folds = deal_rows(X, y, 0)
    np.testing.assert_array_equal(rows, np.arange(60))
    np.testing.assert_array_equal(folds[::2], folds[1::2])
    np.testing.assert_array_equal(np.bincount(folds[y == 1]), [4, 4, 4])
    assert np.ptp(np.bincount(folds)) <= 2


def test_of_many_rows_some_are_looked_at_and_a_third_of_them_is_held_out():
    rows, folds = deal_rows(RNG.normal(size=(4000, 2)), RNG.normal(size=(4000, 1)), 0)
    assert len(rows) == len(folds) == 1500
    np.testing.assert_array_equal(np.unique(folds, return_counts=True), [[-1, 0], [1000, 500]])


def test_a_copy_learns_nothing_from_the_rows_that_it_is_kept_from(monkeypatch):
    seen = []
    monkeypatch.setattr(_penalty, "_best", lambda loss, answers, *_: seen.append(answers) or (1, 1))
    monkeypatch.setattr(_penalty, "EPOCHS", 3)
    monkeypatch.setattr(_penalty, "_STEPS", 3)
    X, y = _noisy_line(30)
    model = NeuralODERegressor((4,), random_state=0)
    model._y_scale = np.ones(1)
    for sign in (1, -1):
        targets = y[:, None].copy()
        targets[4] *= sign
        training = (X.astype(np.float32), targets.astype(np.float32), np.ones(30))
        folds = np.where(np.arange(30) == 4, 0, -1)
        monkeypatch.setattr(_penalty, "deal_rows", lambda *_: (np.arange(30), folds))  # noqa: B023
        _penalty.choose_penalty(model, training, 30, model._config(8, 1), 0)
    torch.testing.assert_close(seen[0], seen[1], rtol=0, atol=0)


def test_noise_asks_for_a_strong_penalty_and_a_curved_border_for_a_weak_one(briefly):
    noisy = NeuralODERegressor((4,), **briefly).fit(*_noisy_line(30)).alpha_
    X, y = make_circles(80, factor=0.4, noise=0.05, random_state=0)
    curved = NeuralODEClassifier((8,), **briefly).fit(X, y)
    assert noisy > 5 > curved.alpha_
    assert curved.score(X, y) == 1


def test_probabilities_are_no_surer_than_rows_held_out_allow(briefly):
    X, y = RNG.normal(size=(40, 6)), RNG.integers(0, 2, 40)
    guess = NeuralODEClassifier((8,), **briefly).fit(X, y)
    given = NeuralODEClassifier((8,), alpha=guess.alpha_, **briefly).fit(X, y)
    sure, less = (model.predict_proba(X).max(axis=1) for model in (given, guess))
    assert (less < sure).all()
    np.testing.assert_array_equal(guess.predict(X), given.predict(X))


def test_a_weight_of_two_chooses_as_two_copies_do(briefly):
    X, y = _noisy_line(20)
    weighted = NeuralODERegressor((4,), dtype="float64", **briefly).fit(X, y, np.full(20, 2.0))
    model = NeuralODERegressor((4,), dtype="float64", **briefly)
    assert weighted.alpha_ == model.fit(np.repeat(X, 2, 0), np.repeat(y, 2)).alpha_


@pytest.mark.parametrize("alpha", [0, 0.5])
def test_a_penalty_that_is_given_is_taken(alpha):
    model = NeuralODERegressor((4,), alpha=alpha, max_iter=60, random_state=0)
    assert model.fit(*_noisy_line(20)).alpha_ == alpha


def test_too_little_to_tell_takes_a_plain_penalty():
    X, y = _noisy_line(9)
    few = NeuralODERegressor((4,), max_iter=5, random_state=0).fit(X, y)
    batch = NeuralODERegressor((4,), random_state=0).partial_fit(X, y)
    one = NeuralODERegressor((4,), max_iter=60, random_state=0).fit(X[:1], y[:1])
    assert few.alpha_ == batch.alpha_ == one.alpha_ == FLAT


def test_a_warm_start_keeps_the_penalty_that_was_chosen(briefly):
    X, y = _noisy_line(20)
    model = NeuralODERegressor((4,), **briefly).fit(X, y)
    chosen = model.alpha_
    model.set_params(warm_start=True, max_iter=2).fit(X[:9], y[:9])
    assert model.alpha_ == chosen != FLAT


def test_a_state_from_before_penalties_were_chosen_answers_as_it_did():
    X, y = RNG.normal(size=(12, 2)), np.arange(12) % 2
    model = NeuralODEClassifier((4,), alpha=0.5, max_iter=2, random_state=0).fit(X, y)
    state = model.__getstate__()
    del state["alpha_"], state["_warmth"]
    restored = NeuralODEClassifier.__new__(NeuralODEClassifier)
    restored.__setstate__(state)
    assert restored.alpha_ == 0.5
    np.testing.assert_array_equal(restored.predict_proba(X), model.predict_proba(X))
