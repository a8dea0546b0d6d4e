import numpy as np
import pytest
import torch
from sklearn.datasets import load_wine
from sklearn.metrics import log_loss

from skdyn._tabular import FitTask
from skdyn.kan import KANClassifier
from skdyn.kan._calibration import left_out_scores, temperature_of
from skdyn.kan._plan import objective_of
from skdyn.kan._posterior import posterior_of


def test_the_temperature_is_that_of_the_best_likelihood():
    rng = np.random.default_rng(0)
    scores = torch.as_tensor(rng.normal(size=(3000, 3)))
    odds = torch.softmax(scores, dim=1).numpy()
    y = torch.as_tensor([rng.choice(3, p=row) for row in odds])
    weight = torch.ones(3000)
    assert temperature_of(3 * scores, y, weight) == pytest.approx(3, rel=0.15)
    found = temperature_of(scores, y, weight)
    losses = [log_loss(y, torch.softmax(scores / t, dim=1)) for t in found * np.r_[1, 0.97, 1.03]]
    assert losses[0] == min(losses)


def minimized(jacobian, y, weight, prior):
    """Weights of the minimum of a loss of classes that is convex in them, by Newton's steps."""
    weights = torch.zeros(jacobian.shape[2], dtype=torch.float64)
    for _ in range(30):
        slope, root = KANClassifier._curvature(jacobian @ weights, y)
        slope = torch.einsum("n,no,nop->p", weight, slope, jacobian) + prior @ weights
        curvature = torch.einsum("n,nop,noc,nqc,nqr->pr", weight, jacobian, root, root, jacobian)
        weights = weights - torch.linalg.solve(curvature + prior, slope)
    return weights


def test_scores_without_a_row_are_nearly_those_of_a_fit_without_it():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    y = (X[:, 0] + 0.5 * rng.normal(size=30) > 0).astype(int)
    model = KANClassifier(
        (), optimizer="lm", alpha=1.0, smoothness=0.3, grid_sizes=2, max_iter=2, tol=0.0
    ).fit(X, y)
    task = FitTask((model._scaled(X), y, np.ones(30)), None, 30, False, False)
    objective = objective_of(model, task)
    problem = posterior_of(model, task, objective).problem
    _, jacobian = problem.jacobian(problem.X.clone())
    prior = 2 * objective.evidence.smoothness * problem.roughness()
    prior.diagonal().add_(objective.evidence.alpha)
    share = torch.full((30,), 1 / 30, dtype=torch.float64)
    problem.place(minimized(jacobian, problem.y, share, prior))
    outputs = jacobian @ problem.weights()
    told = left_out_scores(posterior_of(model, task, objective), 1 / 30) - outputs
    for i in (0, 3, 11):
        without = share.clone()
        without[i] = 0.0
        moved = jacobian[i] @ minimized(jacobian, problem.y, without, prior) - outputs[i]
        assert (told[i] - moved).abs().max() < 0.2 * moved.abs().max()


def test_noise_is_told_as_noise_by_any_optimizer():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(80, 8)), rng.integers(0, 2, 80)
    new, labels = rng.normal(size=(300, 8)), rng.integers(0, 2, 300)
    for optimizer in ("lm", "adam"):
        model = KANClassifier((2,), optimizer=optimizer, max_iter=40, random_state=0)
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
