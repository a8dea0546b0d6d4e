"""How sure a network is: what else its weights might have been, given the data."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch

from skdyn.kan._columns import with_gaps_known
from skdyn.kan._gauss_newton import GaussNewtonProblem
from skdyn.kan._left_out import penalty_of_edges
from skdyn.kan._one_row_less import quadratic_of
from skdyn.training import in_precision

__all__ = [
    "Spread",
    "forget_posterior",
    "learn_posterior",
    "posterior_of",
    "spread_of",
]

_MOST = 1200  # weights that are free together: their covariance is kept with the model
_TO_THE_END = "lm", "lbfgs"  # optimizers that leave all layers at a minimum
_ROWS = 8192  # at most, to learn it from: what it says changes little with more
_CHUNK = 2**22  # numbers of a Jacobian held at once
_NAMES = "noise_", "_weight_root", "_n_free_layers"


class Tail(NamedTuple):
    """The last layers of a network: those whose weights are free.

    Attributes
    ----------
    layers : list of KANLayer
        They.
    """

    layers: list


class Spread(NamedTuple):
    """What the weights might have been at some rows, and the noise around that.

    Attributes
    ----------
    slopes : Tensor of shape (n, n_outputs, n_weights)
        The outputs' standard deviation in each of as many independent directions.
    noise : Tensor of shape (n_outputs,)
        Standard deviation of the noise, as the network sees targets.
    """

    slopes: torch.Tensor
    noise: torch.Tensor


@torch.no_grad()
def posterior_of(model, task, objective, most=_MOST):
    """Return how far the weights of a network are free.

    Near the weights that were found the network is taken as linear in them, and penalties are
    Gaussian priors [1]_. Where all layers together have too many weights, or training followed
    gradients alone and ended anywhere, only those of the last are free [2]_.

    Parameters
    ----------
    model : KANEstimator
        Fitted.
    task : FitTask
        What it learned from.
    objective : KANObjective
        What it minimized.
    most : int, default=1200
        Number of weights that are free together.

    Returns
    -------
    Quadratic or None
        None where rounding leaves nothing of it.

    References
    ----------
    .. [1] D. J. C. MacKay, "Bayesian Interpolation", Neural Computation 4, 1992.
    .. [2] E. Daxberger et al., "Laplace Redux: Effortless Bayesian Deep Learning", NeurIPS 2021.
    """
    module: Any = in_precision(model.module_, torch.float64)
    some = slice(None, None, -(-len(task.training[0]) // _ROWS))
    like = next(module.parameters())
    X, y, weight = (torch.as_tensor(part[some]).to(like.device) for part in task.training)
    counts = [sum(w.numel() for w in layer.linear_weights()) for layer in module.layers]
    at_rest = model._optimizer_now() in _TO_THE_END and sum(counts) <= most
    n_layers = len(counts) if at_rest else 1
    seen, weight = module.inputs(X.to(like))[-n_layers], weight.to(like)
    problem = GaussNewtonProblem(
        objective, Tail(module.layers[-n_layers:]), (seen, y, weight / weight.mean())
    )
    return quadratic_of(problem, _prior(model, objective, problem, task.total_weight))


@torch.no_grad()
def learn_posterior(model, task, objective, left_out):
    """Learn how far the weights are free, and how large the noise is.

    The noise is what the residuals leave once the weights have taken their share [1]_. What rows
    are off by that were left out or held out says more, where only a part of the weights is free.

    Parameters
    ----------
    model : KANRegressor
        Fitted.
    task : FitTask
        What it learned from.
    objective : KANObjective or None
        What it minimized.
    left_out : LeftOut or None
        What it would make of rows that it had not seen.

    References
    ----------
    .. [1] D. J. C. MacKay, "Bayesian Interpolation", Neural Computation 4, 1992.
    """
    forget_posterior(model)
    if task.incremental or objective is None:
        return  # a batch's rows are not all that the weights come from
    found = posterior_of(model, task, objective)
    if found is None:
        return
    y, weight = found.problem.y, found.problem.row_weight
    n_decided = (found.root @ found.curvature * found.root).sum().item()
    n_residuals = float(task.total_weight * y.shape[1])
    squares = ((found.outputs - y).square() * weight[:, None]).mean(dim=0)
    share = squares.mean().item()
    unit = share / max(n_residuals - n_decided, 1.0)
    noise = unit * n_residuals
    if noise > 0:
        known = _loss_elsewhere(model, task, objective, left_out)
        noise = max(noise, known - unit * n_decided)
        squares = squares / share
    model.noise_ = (squares * noise).sqrt().cpu().numpy() * model._y_scale
    root = (found.root * (2 * unit) ** 0.5).cpu().numpy()
    model._weight_root = root[np.tril_indices(len(root))]
    model._n_free_layers = len(found.problem.module.layers)


def _loss_elsewhere(model, task, objective, left_out):
    """Return the mean loss of rows that were not learned from, zero where that is not known."""
    if left_out is not None:
        return left_out.loss(objective)
    if task.validation is None:
        return 0.0
    module: Any = in_precision(model.module_, torch.float64)
    like = next(module.parameters())
    X, y, weight = (torch.as_tensor(part[:_ROWS]).to(like) for part in task.validation)
    return objective.data_loss(module(X), y, weight / weight.mean()).item()


def forget_posterior(model):
    """Drop what was learned of weights that are no more.

    Parameters
    ----------
    model : KANEstimator
        Any.
    """
    for name in _NAMES:
        vars(model).pop(name, None)


def weight_root(model):
    """Return what maps independent normal numbers to how far the weights are off, transposed.

    Parameters
    ----------
    model : KANRegressor
        Fitted.

    Returns
    -------
    ndarray of shape (n_weights, n_weights)
        Lower triangular.
    """
    packed = model._weight_root
    n_weights = math.isqrt(2 * len(packed))
    root = np.zeros((n_weights, n_weights))
    root[np.tril_indices(n_weights)] = packed
    return root


@torch.no_grad()
def spread_of(model, X):
    """Yield how far the outputs are free, and the noise, rows by rows.

    Parameters
    ----------
    model : KANRegressor
        Fitted.
    X : ndarray of shape (n, n_features)
        Inputs as the network sees them.

    Yields
    ------
    Spread
    """
    module: Any = in_precision(with_gaps_known(model, X).module_, torch.float64)
    like = next(module.parameters())
    root = torch.as_tensor(weight_root(model)).to(like)
    noise = torch.as_tensor(model.noise_ / model._y_scale).to(like)
    n_layers = model._n_free_layers
    n_rows = max(1, _CHUNK // (len(root) * len(noise)))
    for part in torch.as_tensor(X).split(n_rows):
        seen = module.inputs(part.to(like))[-n_layers]
        problem = GaussNewtonProblem(None, Tail(module.layers[-n_layers:]), (seen[:1], None, None))
        _, jacobian = problem.jacobian(seen)
        yield Spread(jacobian @ root.T, noise)


def _prior(model, objective, problem, total_weight):
    """Return the Hessian of the penalties."""
    evidence = objective.evidence
    if model._optimizer_now() == "lm":
        prior = 2 * evidence.smoothness * problem.roughness()
        whole = len(problem.module.layers) == len(model.module_.layers)
        evidence.ridge(problem)  # makes them, where nothing was trained
        prior.diagonal().add_(evidence.ridge(problem) if whole else evidence.alphas[-1])
        return prior
    alpha = model._settings().alpha / total_weight
    prior = alpha * torch.eye(problem.n_weights).to(problem.X)
    views = zip(problem.module.layers, problem.inputs, problem.edge_blocks(prior), strict=True)
    for layer, inputs, block in views:
        block[:] = penalty_of_edges(layer, objective, alpha)[inputs].permute(1, 2, 0)[..., None]
    return prior
