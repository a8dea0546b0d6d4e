"""Least squares under linear equalities and inequalities, exactly."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.linalg
from scipy.optimize import nnls


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
    """Minimise the sum of ``norm(R_i w_i - c_i)**2`` over coefficients that obey the constraints.

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
    lhs, rhs, equal = constraints.lhs[:, support], constraints.rhs, constraints.equal
    coef = np.zeros(support.shape)
    if support.any():
        R, c = scipy.linalg.block_diag(*factors), np.concatenate(targets)
        G = scipy.linalg.solve_triangular(R, lhs.T, trans="T").T
        h = rhs - G @ c
        z = np.linalg.pinv(G[equal]) @ h[equal]
        if not equal.all():
            null = scipy.linalg.null_space(G[equal]) if equal.any() else np.eye(len(z))
            z = z + null @ shortest(G[~equal] @ null, h[~equal] - G[~equal] @ z)
        w = scipy.linalg.solve_triangular(R, c + z)
        for _ in range(2):  # R may be badly conditioned: take off what that leaves of a violation
            excess = lhs @ w - rhs
            held = equal | (excess > 0.0)
            w -= np.linalg.pinv(lhs[held]) @ excess[held]
        coef[support] = w
    excess = lhs @ coef[support] - rhs
    size = np.abs(lhs) @ np.abs(coef[support]) + np.abs(rhs)
    if (np.where(equal, np.abs(excess), excess) > 1e-10 * size).any():
        raise InfeasibleError("no coefficients obey all constraints")
    return coef


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
    length = np.linalg.norm(G, axis=1)
    length[length == 0.0] = 1.0
    G, h = G / length[:, None], h / length
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
