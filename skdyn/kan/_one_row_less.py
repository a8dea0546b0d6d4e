"""What a network would answer to each row with one copy less of it, to first order."""

from typing import NamedTuple

import torch

from skdyn.kan._gauss_newton import GaussNewtonProblem

__all__ = ["Quadratic", "outputs_without", "quadratic_of"]

_CHUNK = 2**22  # numbers of a Jacobian held at once


class Quadratic(NamedTuple):
    """The loss around the weights that a network has, as a quadratic function of them.

    Attributes
    ----------
    problem : GaussNewtonProblem
        Of the layers whose weights are free.
    outputs : Tensor of shape (n, n_outputs)
        Of its rows.
    curvature : Tensor of shape (n_weights, n_weights)
        Gauss-Newton matrix of the mean loss.
    root : Tensor of shape (n_weights, n_weights)
        Lower triangular; ``root.T @ root`` is the inverse of that with the penalties.
    """

    problem: GaussNewtonProblem
    outputs: torch.Tensor
    curvature: torch.Tensor
    root: torch.Tensor


@torch.no_grad()
def quadratic_of(problem, prior):
    """Return the quadratic model of a loss with penalties.

    Parameters
    ----------
    problem : GaussNewtonProblem
        Of the loss.
    prior : Tensor of shape (n_weights, n_weights)
        Hessian of the penalties.

    Returns
    -------
    Quadratic or None
        None where rounding leaves nothing of it.
    """
    outputs, _, curvature = problem.data_part()
    precision = curvature + prior
    scale = precision.diagonal()
    precision.diagonal().add_(1e-13 * (scale + scale.max()))  # rounding, where nothing binds
    factor, failed = torch.linalg.cholesky_ex(precision)
    if failed:
        return None
    one = torch.eye(len(factor)).to(factor)
    root = torch.linalg.solve_triangular(factor, one, upper=False)
    return Quadratic(problem, outputs, curvature, root)


@torch.no_grad()
def outputs_without(found, share):
    """Return what the network would answer to each row with a copy less of that row.

    Parameters
    ----------
    found : Quadratic
        At the minimum of the loss.
    share : float
        Of a copy in the mean loss: a row of weight two is two copies.

    Returns
    -------
    Tensor of shape (n, n_outputs)
    """
    problem, n_rows = found.problem, len(found.outputs)
    n_outputs = found.outputs.shape[1]
    step = max(1, _CHUNK // (problem.n_weights * n_outputs))
    moves = []
    for i in range(0, n_rows, step):
        rows = slice(i, i + step)
        _, jacobian = problem.jacobian(problem.X[rows].clone())
        spread = jacobian @ found.root.T
        spread = spread @ spread.transpose(1, 2)
        slope, root = problem.objective.curvature(found.outputs[rows], problem.y[rows])
        own = torch.eye(n_outputs).to(spread) - share * root @ root.transpose(1, 2) @ spread
        moves.append((spread @ torch.linalg.solve(own, share * slope[..., None]))[..., 0])
    return found.outputs + torch.cat(moves)
