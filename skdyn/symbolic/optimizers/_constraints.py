"""Least squares under linear equalities and inequalities, exactly."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
from scipy.optimize import nnls

from skdyn.symbolic.optimizers._sparse_optimizer import least_squares


class LinearConstraints(NamedTuple):
    """Rows whose product with the coefficients equals ``rhs``, or does not exceed it.

    Attributes
    ----------
    lhs : ndarray of shape (n_constraints, n_targets, n_features)
        Weight of each coefficient.
    rhs : ndarray of shape (n_constraints,)
        Right-hand sides.
    equal : ndarray of shape (n_constraints,), bool
        Where the two sides are equal; elsewhere the left is at most the right.
    """

    lhs: np.ndarray
    rhs: np.ndarray
    equal: np.ndarray


class InfeasibleError(ValueError):
    """No coefficients obey all constraints."""


def nearest_fit(
    factors: Sequence[np.ndarray],
    targets: Sequence[np.ndarray],
    constraints: LinearConstraints,
    support: np.ndarray,
) -> np.ndarray:
    """Minimize the sum of ``norm(R_i w_i - c_i)**2`` over coefficients that obey the constraints.

    With ``z_i = R_i w_i - c_i`` this is to find the shortest z: equalities by a minimum-norm
    solution, inequalities within their null space by least distance programming.

    Parameters
    ----------
    factors : sequence of n_targets ndarrays of shape (n_kept_i, n_kept_i)
        Regular upper triangular matrices R_i.
    targets : sequence of n_targets ndarrays of shape (n_kept_i,)
        Right-hand sides c_i.
    constraints : LinearConstraints
        What the coefficients obey.
    support : ndarray of shape (n_targets, n_features), bool
        The coefficients that may differ from zero, n_kept_i of target i.

    Returns
    -------
    ndarray of shape (n_targets, n_features)
        Coefficients.

    Raises
    ------
    InfeasibleError
        If no coefficients on the support obey the constraints.
    """
    R: Any = scipy.linalg.block_diag(*factors)
    c = np.concatenate(targets)
    if not c.size:
        R = R.reshape(0, 0)
    # All in units in which the columns of R, and the constraints, have length one.
    length = np.linalg.norm(R, axis=0)
    R = R / length
    lhs, rhs = unit_rows(constraints.lhs[:, support] / length, constraints.rhs)
    equal = constraints.equal
    w = _constrained_minimum(R, c, lhs, rhs, equal) if c.size else c
    excess, size = _excess(w, c, lhs, rhs)
    if (np.where(equal, np.abs(excess), excess) > 1e-10 * size).any():
        raise InfeasibleError("no coefficients obey all constraints")
    coef = np.zeros(support.shape)
    coef[support] = w / length
    return coef


def _constrained_minimum(R, c, lhs, rhs, equal):
    free = scipy.linalg.solve_triangular(R, c)
    # R w = c + z: constraints on w as those on z.
    G = scipy.linalg.solve_triangular(R, lhs.T, trans=1).T
    G, h = unit_rows(G, rhs - lhs @ free)
    z = least_squares(G[equal], h[equal])
    if not equal.all():
        null = scipy.linalg.null_space(G[equal]) if equal.any() else np.eye(len(z))
        z = z + null @ shortest(G[~equal] @ null, h[~equal] - G[~equal] @ z)
    w = scipy.linalg.solve_triangular(R, c + z)
    # R may be badly conditioned: take off what that leaves of a violation.
    for _ in range(3):
        excess, size = _excess(w, c, lhs, rhs)
        held = equal | (excess > -1e-8 * size)
        w = w - least_squares(lhs[held], excess[held])
    return w


def _excess(w, c, lhs, rhs):
    """How far each left side is above its right, and the size of what was subtracted."""
    return lhs @ w - rhs, np.abs(lhs) @ (np.abs(w) + np.linalg.norm(c)) + np.abs(rhs)


def shortest(G: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Find the shortest t with ``G t <= h``.

    Least distance programming by one non-negative least squares problem: C. L. Lawson, R. J.
    Hanson, Solving Least Squares Problems, 1974, chapter 23.

    Parameters
    ----------
    G : ndarray of shape (n_constraints, n_unknowns)
        Left-hand sides.
    h : ndarray of shape (n_constraints,)
        Right-hand sides.

    Returns
    -------
    ndarray of shape (n_unknowns,)

    Raises
    ------
    InfeasibleError
        If there is none.
    """
    G, h = unit_rows(G, h)
    far = np.abs(h[h < 0.0]).max(initial=0.0)
    if far == 0.0:
        return np.zeros(G.shape[1])
    E = -np.vstack([G.T, h / far])
    f = np.zeros(len(E))
    f[-1] = 1.0
    r = E @ nnls(E, f)[0] - f
    # -r[-1] is 1 / (1 + |t|^2) with t in units of the farthest plane's distance.
    if -r[-1] < 1e-12:
        raise InfeasibleError("the inequalities contradict one another")
    return -far * r[:-1] / r[-1]


def unit_rows(G: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale both sides of equations or inequalities so that each row of G has length one."""
    length = np.linalg.norm(G, axis=1)
    length[length == 0.0] = 1.0
    return G / length[:, None], h / length
