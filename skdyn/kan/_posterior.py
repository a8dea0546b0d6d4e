"""How sure a network is: what else its weights might have been, given the data."""

import math
from typing import NamedTuple

import numpy as np
import torch

from skdyn.kan._gauss_newton import GaussNewtonProblem
from skdyn.kan._left_out import penalty_of_edges
from skdyn.training import in_precision

__all__ = ["Spread", "forget_posterior", "learn_posterior", "spread_of"]

_MOST = 1200  # weights that are free together: their covariance is kept with the model
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
def learn_posterior(model, task, objective, loss_of_new_rows):
    """Learn how far the weights are free, and how large the noise is.

    Near the weights that were found the network is taken as linear in them, penalties are Gaussian
    priors, and the noise is what the residuals leave after the weights have taken their share [1]_.
    Where all layers together have too many weights, only those of the last are free [2]_, and
    residuals say too little of the noise: what new rows or rows held out are off by says more.

    Parameters
    ----------
    model : KANRegressor
        Fitted.
    task : FitTask
        What it learned from.
    objective : KANObjective
        What it minimized.
    loss_of_new_rows : float or None
        As far as it is known.

    References
    ----------
    .. [1] D. J. C. MacKay, "Bayesian Interpolation", Neural Computation 4, 1992.
    .. [2] E. Daxberger et al., "Laplace Redux: Effortless Bayesian Deep Learning", NeurIPS 2021.
    """
    forget_posterior(model)
    if task.incremental or objective is None:
        return  # a batch's rows are not all that the weights come from
    module = in_precision(model.module_, torch.float64)
    some = slice(None, None, -(-len(task.training[0]) // _ROWS))
    like = next(module.parameters())
    X, y, weight = (torch.as_tensor(part[some]).to(like) for part in task.training)
    n_layers = _n_free_layers(module)
    layers = module.layers[-n_layers:]
    problem = GaussNewtonProblem(
        objective, Tail(layers), (module.inputs(X)[-n_layers], y, weight / weight.mean())
    )
    outputs, _, curvature = problem.data_part()
    precision = curvature + _prior(model, objective, problem, task.total_weight)
    scale = precision.diagonal()
    precision.diagonal().add_(1e-13 * (scale + scale.max()))  # rounding, where nothing binds
    factor, failed = torch.linalg.cholesky_ex(precision)
    if failed:
        return
    root = torch.linalg.solve_triangular(
        factor, torch.eye(len(factor)).to(factor), upper=False
    )  # the inverse's factor, transposed
    n_decided = (root @ curvature * root).sum()
    n_residuals = task.total_weight * y.shape[1]
    squares = ((outputs - y).square() * weight[:, None]).sum(dim=0) / weight.sum()
    free = (n_residuals - n_decided).clamp(min=1.0)
    unit = squares.mean() / free
    if task.validation is not None:
        X, y, _ = (torch.as_tensor(part[:_ROWS]).to(like) for part in task.validation)
        loss_of_new_rows = (module(X) - y).square().mean().item()
    if loss_of_new_rows is not None and unit > 0:
        unit = unit * max(1.0, loss_of_new_rows / (unit * (n_residuals + n_decided)).item())
    noise = squares / squares.mean().clamp(min=1e-300) * unit * n_residuals
    model.noise_ = noise.sqrt().cpu().numpy() * model._y_scale
    root = (root * (2 * unit).sqrt()).cpu().numpy()
    model._weight_root = root[np.tril_indices(len(root))]
    model._n_free_layers = n_layers


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
    module = in_precision(model.module_, torch.float64)
    like = next(module.parameters())
    root = torch.as_tensor(weight_root(model)).to(like)
    noise = torch.as_tensor(model.noise_ / model._y_scale).to(like)
    n_layers = model._n_free_layers
    n_rows = max(1, _CHUNK // (len(root) * len(noise)))
    for part in torch.as_tensor(X).split(n_rows):
        seen = module.inputs(part.to(like))[-n_layers]
        problem = GaussNewtonProblem(None, Tail(module.layers[-n_layers:]), (None, None, None))
        _, jacobian = problem.jacobian(seen)
        yield Spread(jacobian @ root.T, noise)


def _n_free_layers(module):
    """Return of how many layers, the last ones, the weights may be free together."""
    counts = [sum(w.numel() for w in layer.linear_weights()) for layer in module.layers]
    return len(counts) if sum(counts) <= _MOST else 1


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
    views = zip(
        problem.module.layers, problem.inputs, problem.edge_blocks(prior), strict=True
    )
    for layer, inputs, block in views:
        block[:] = penalty_of_edges(layer, objective, alpha)[inputs].permute(1, 2, 0)[..., None]
    return prior
