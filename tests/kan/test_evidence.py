"""Strengths of penalties by the evidence: low without noise, high with it."""

import numpy as np
import pytest
import torch

from skdyn import KANClassifier, KANRegressor
from skdyn._tabular import TabularRegressor
from skdyn.kan._evidence import Evidence
from skdyn.kan._network import KAN
from skdyn.kan._objective import KANObjective
from skdyn.training._levenberg_marquardt import LevenbergMarquardt


def curve(n, noise, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.uniform(-1, 1, (n, 1))
    return x, np.sin(3 * x[:, 0]) + noise * generator.normal(size=n)


def one_edge(X, y, evidence, n_steps=40):
    """Fit one spline and return the objective's final problem."""
    module = KAN(((1, 0), (1, 0)), "bspline", 20, 3, "linear").double()
    batch = torch.as_tensor(X), torch.as_tensor(y)[:, None], torch.ones(len(X)).double()
    module.adapt(batch[0])
    objective = KANObjective(
        TabularRegressor._row_loss, KANRegressor._curvature, evidence, 0.0, 1.0, 2.0
    )
    optimizer = LevenbergMarquardt(module.parameters())
    for _ in range(n_steps):
        problem = objective.problem(module, batch)
        optimizer.step(problem)
    return problem


def test_the_noise_is_found():
    X, y = curve(300, noise=0.2)
    evidence = Evidence("auto", "auto", 300.0, "unknown")
    problem = one_edge(X, y, evidence)
    outputs = problem.module(problem.X)
    data_loss = problem.objective.data_loss(outputs, problem.y, problem.row_weight)
    # The smooth penalty's strength is the noise's variance over n and the curve's curvature;
    # what is left of the data's loss must be that noise.
    assert data_loss.item() == pytest.approx(0.04, rel=0.2)


def test_strengths_follow_the_noise():
    strengths = []
    for noise in (0.0, 0.01, 0.3):
        evidence = Evidence("auto", 0.0, 300.0, "unknown")
        one_edge(*curve(300, noise), evidence)
        strengths.append(evidence.smoothness)
    assert strengths[0] < 1e-3 * strengths[1]
    assert strengths[1] < 0.1 * strengths[2]


def test_fixed_strengths_stay():
    evidence = Evidence(0.1, 0.2, 300.0, "unknown")
    one_edge(*curve(300, 0.1), evidence, n_steps=3)
    assert (evidence.smoothness, evidence.alpha) == (0.1, 0.2)


def test_a_fine_grid_does_not_follow_the_noise():
    X, y = curve(60, noise=0.3)
    X_test, truth = curve(500, noise=0.0, seed=1)
    options = {"hidden_layer_sizes": (), "optimizer": "lm", "grid_sizes": 40, "random_state": 0}
    errors = {}
    for name, penalties in {"none": {"smoothness": 0.0, "alpha": 0.0}, "auto": {}}.items():
        model = KANRegressor(**options, **penalties).fit(X, y)
        errors[name] = np.sqrt(np.mean((model.predict(X_test) - truth) ** 2))
    assert errors["auto"] < 0.15
    assert errors["auto"] < 0.3 * errors["none"]


def test_exact_data_are_fitted_to_the_last_digits_all_the_same():
    X, y = curve(300, noise=0.0)
    model = KANRegressor((), optimizer="lm", grid_sizes=20, random_state=0).fit(X, y)
    assert np.abs(model.predict(X) - y).max() < 1e-4


def test_probabilities_are_not_driven_to_certainty_on_labels_that_are_noise():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(100, 2))
    y = generator.integers(0, 2, 100)
    model = KANClassifier((), optimizer="lm", grid_sizes=10, random_state=0).fit(X, y)
    assert model.predict_proba(X).max() < 0.8
