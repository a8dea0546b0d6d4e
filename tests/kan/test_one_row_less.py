"""What rows are told without themselves, beside fits without them."""

import numpy as np
import torch

from skdyn._tabular import FitTask
from skdyn.kan import KANClassifier
from skdyn.kan._one_row_less import outputs_without
from skdyn.kan._plan import objective_of
from skdyn.kan._posterior import posterior_of


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
    told = outputs_without(posterior_of(model, task, objective), 1 / 30) - outputs
    for i in (0, 3, 11):
        without = share.clone()
        without[i] = 0.0
        moved = jacobian[i] @ minimized(jacobian, problem.y, without, prior) - outputs[i]
        assert (told[i] - moved).abs().max() < 0.2 * moved.abs().max()
