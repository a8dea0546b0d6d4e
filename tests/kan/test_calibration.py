import numpy as np
import pytest
import torch
from sklearn.datasets import load_wine
from sklearn.metrics import log_loss

from skdyn.kan import KANClassifier
from skdyn.kan._calibration import certainty_of


def drawn(seed=0, n=3000):
    rng = np.random.default_rng(seed)
    scores = torch.as_tensor(rng.normal(size=(n, 3)))
    odds = torch.softmax(2 * scores, dim=1).numpy()
    return 2 * scores, torch.as_tensor([rng.choice(3, p=row) for row in odds]), torch.ones(n), rng


def test_the_temperature_is_that_of_the_best_likelihood():
    scores, y, weight, _ = drawn()
    assert certainty_of(3 * scores, y, weight, 3000).temperature == pytest.approx(3, rel=0.15)
    found = certainty_of(scores, y, weight, 3000)
    assert found.slips < 0.02
    odds = [torch.softmax(scores / t, dim=1) for t in found.temperature * np.r_[1, 0.9, 1.1]]
    losses = [log_loss(y, (1 - found.slips) * each + found.slips / 3) for each in odds]
    assert losses[0] == min(losses)


def test_the_likelihood_has_no_slope_where_it_is_best():
    scores, y, weight, rng = drawn(n=500)
    y[:25] = torch.as_tensor(rng.integers(0, 3, 25))
    found = certainty_of(2 * scores, y, weight, 500)
    at = torch.tensor(found, dtype=torch.float64).log().requires_grad_()
    odds = torch.softmax(2 * scores / at[0].exp(), dim=1).gather(1, y[:, None])
    share = at[1].exp()
    loss = -((1 - share) * odds + share / 3).log().mean() - 0.5 / 500 * at[1]
    (slopes,) = torch.autograd.grad(loss, at)
    assert slopes.abs().max() < 1e-4


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_labels_by_chance_do_not_ask_for_a_temperature(share):
    n = int(2700 / (1 - share) ** 2)  # the more labels by chance, the less a row says
    scores, y, weight, rng = drawn(n=n)
    by_chance = torch.as_tensor(rng.uniform(size=n) < share)
    y = torch.where(by_chance, torch.as_tensor(rng.integers(0, 3, len(y))), y)
    found = certainty_of(2 * scores, y, weight, n)
    assert found.slips == pytest.approx(share, abs=0.05)
    assert found.temperature == pytest.approx(2, rel=0.15)
    few = certainty_of(scores[:20] * 20, scores[:20].argmax(dim=1), weight[:20], 20)
    assert few.slips > 0.005


def test_noise_is_told_as_noise_by_any_optimizer():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(80, 8)), rng.integers(0, 2, 80)
    new, labels = rng.normal(size=(300, 8)), rng.integers(0, 2, 300)
    for optimizer in ("lm", "adam"):
        model = KANClassifier((2,), optimizer=optimizer, max_iter=20, random_state=0)
        with pytest.warns() if optimizer == "adam" else np.errstate():
            model.fit(X, y)
        assert log_loss(labels, model.predict_proba(new)) < np.log(2) + 0.03


def test_answers_that_are_too_careful_become_surer(monkeypatch):
    X, y = load_wine(return_X_y=True)
    model = KANClassifier((), optimizer="lm", grid_sizes=1, max_iter=20, random_state=0)
    model.fit(X[::3], y[::3])
    loss = log_loss(np.delete(y, np.s_[::3]), model.predict_proba(np.delete(X, np.s_[::3], 0)))
    monkeypatch.setattr("skdyn.kan._classifier.cool_down", lambda *task: None)
    model.fit(X[::3], y[::3])
    before = log_loss(np.delete(y, np.s_[::3]), model.predict_proba(np.delete(X, np.s_[::3], 0)))
    assert loss < 0.9 * before


def test_rows_too_many_to_be_left_out_one_by_one_are_told_by_some():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1400, 1))
    y = (X[:, 0] + rng.logistic(size=1400) / 4 > 0).astype(int)
    model = KANClassifier((), optimizer="adam", alpha="auto", grid_sizes=1, max_iter=3, tol=0)
    model.fit(X, y)
    assert 0 < model.label_noise_ < 0.2
    assert model.predict_proba(X).min() >= model.label_noise_ / 2


def test_weights_are_copies_to_what_rows_left_out_say_of_adam_too():
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(40, 2)), rng.integers(1, 4, 40)
    y = (X[:, 0] + rng.normal(size=40) > 0).astype(int)
    model = KANClassifier((), optimizer="adam", max_iter=20, tol=0.1, random_state=0)
    with_weights = model.fit(X, y, sample_weight=weight).predict_proba(X)
    copies = model.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight)).predict_proba(X)
    np.testing.assert_allclose(with_weights, copies, atol=1e-5)
