"""The iteration that SR3 and its constrained relatives share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike

from skdyn.symbolic.optimizers._constraints import (
    InfeasibleError,
    LinearConstraints,
    nearest_fit,
)
from skdyn.symbolic.optimizers._sparse_optimizer import (
    SparseProblem,
    least_ridge,
    least_squares,
    with_ridge,
)


class Relaxed(NamedTuple):
    """Where the iteration ended.

    Attributes
    ----------
    path : ndarray of shape (n_iter, n_targets, n_features)
        Thresholded coefficients U after each iteration.
    full : ndarray of shape (n_targets, n_features)
        Coefficients W before the last thresholding, which obey the constraints.
    converged : bool
        Whether the last change was below the tolerance.
    """

    path: np.ndarray
    full: np.ndarray
    converged: bool


def checked_threshold(threshold: ArrayLike, n_targets: int, n_features: int) -> np.ndarray:
    """Return a threshold for each coefficient.

    Parameters
    ----------
    threshold : float or array-like of shape (n_targets, n_features)
        The optimizer's parameter.
    n_targets, n_features : int
        Shape of the coefficients.

    Returns
    -------
    ndarray of shape (n_targets, n_features)

    Raises
    ------
    ValueError
        If it has another shape or a negative or missing value.
    """
    each = np.asarray(threshold, dtype=np.float64)
    if each.ndim and np.atleast_2d(each).shape != (n_targets, n_features):
        raise ValueError(
            f"threshold has shape {each.shape}; pass one number, or one for each coefficient: "
            f"(n_targets, n_features) = {n_targets, n_features}."
        )
    if not (each >= 0.0).all():
        raise ValueError("threshold has negative or missing values; all must be 0 or more.")
    return np.broadcast_to(each, (n_targets, n_features))


def relax_and_split(
    A: np.ndarray,
    B: np.ndarray,
    *,
    threshold: np.ndarray,
    regularizer: str,
    nu: float,
    tol: float,
    max_iter: int,
    constraints: LinearConstraints | None = None,
) -> Relaxed:
    """Alternate between fitting W near U and thresholding U near W.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_features)
        Terms.
    B : ndarray of shape (n_rows, n_targets)
        Targets.
    threshold : ndarray of shape (n_targets, n_features)
        Where the proximal step of the regularizer begins to give zero.
    regularizer : {"l0", "l1"}
        Hard or soft thresholding.
    nu : float
        How far U may be from W.
    tol : float
        Change of U over nu that ends the iteration.
    max_iter : int
        Number of iterations at most.
    constraints : LinearConstraints or None, default=None
        What W has to obey.

    Returns
    -------
    Relaxed
        The sparse and the full coefficients.

    Raises
    ------
    InfeasibleError
        If no coefficients obey the constraints.
    """
    n_features, n_targets = A.shape[1], B.shape[1]
    U = least_squares(A, B)
    # argmin ||A W - B||^2 + ||W - U||^2 / nu is linear in U: W0 + M U, solved for once.
    stacked, _ = with_ridge(A, B, 1.0 / nu)
    right = np.zeros((len(stacked), n_targets + n_features))
    right[: len(A), :n_targets] = B
    right[len(A) :, n_targets:] = np.eye(n_features) / np.sqrt(nu)
    Q, R = np.linalg.qr(stacked)
    right = Q.T @ right
    fit = scipy.linalg.solve_triangular(R, right)
    W0, M = fit[:, :n_targets], fit[:, n_targets:]
    everywhere = np.ones((n_targets, n_features), dtype=bool)
    threshold = threshold.T
    path = []
    W: Any = None
    converged = False
    while not converged and len(path) < max_iter:
        if constraints is None:
            W = W0 + M @ U
        else:
            C = right[:, :n_targets] + right[:, n_targets:] @ U
            W = nearest_fit([R] * n_targets, list(C.T), constraints, everywhere).T
        before = U
        if regularizer == "l0":
            U = np.where(np.abs(W) > threshold, W, 0.0)
        elif regularizer == "l1":
            U = np.where(np.abs(W) > threshold, W - np.sign(W) * threshold, 0.0)
        else:
            raise ValueError(f"regularizer={regularizer!r} is none of 'l0', 'l1'.")
        path.append(U.T)
        converged = np.linalg.norm(U - before) < tol * nu
    return Relaxed(np.stack(path), W.T, bool(converged))


def constrained_relaxation(
    problem: SparseProblem, constraints: LinearConstraints, **settings: Any
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Find a sparse support under constraints, and the best coefficients on it that obey them.

    Parameters
    ----------
    problem : SparseProblem
        Terms and targets; ``scale`` tells what the constraints, which are on the coefficients
        in the end, mean for those of ``problem.A``.
    constraints : LinearConstraints
        What the coefficients obey.
    **settings
        Of :func:`relax_and_split`.

    Returns
    -------
    coef : ndarray of shape (n_targets, n_features)
        Coefficients that obey the constraints.
    path : ndarray of shape (n_iter, n_targets, n_features)
        Thresholded coefficients after each iteration.
    converged : bool
        Whether the iteration ended by itself.

    Raises
    ------
    ValueError
        If no coefficients obey the constraints.
    """
    A, B, scale, _ = problem
    constraints = constraints._replace(lhs=constraints.lhs / scale)
    try:
        path, full, converged = relax_and_split(A, B, constraints=constraints, **settings)
        support = path[-1] != 0.0
        missing = np.flatnonzero(~support)
        count = 0
        while True:
            try:
                return constrained_fit(A, B, support, constraints), path, converged
            except InfeasibleError:
                if count == len(missing):
                    raise
                largest = np.argsort(-np.abs(full).flat[missing])
                support.flat[missing[largest[count]]] = True
                count += 1
    except InfeasibleError as error:
        raise ValueError(
            f"The {len(constraints.rhs)} constraints contradict one another: no coefficients obey "
            "all of them. Drop one, or check the order of the columns: coef_.ravel()."
        ) from error


def constrained_fit(
    A: np.ndarray, B: np.ndarray, support: np.ndarray, constraints: LinearConstraints
) -> np.ndarray:
    """Fit each target by its own columns, under constraints.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_features)
        Terms.
    B : ndarray of shape (n_rows, n_targets)
        Targets.
    support : ndarray of shape (n_targets, n_features), bool
        The columns of each target.
    constraints : LinearConstraints
        What the coefficients obey.

    Returns
    -------
    ndarray of shape (n_targets, n_features)
        Coefficients.

    Raises
    ------
    InfeasibleError
        If no coefficients on the support obey the constraints.
    """
    A, B = with_ridge(A, B, least_ridge(A))
    factors, targets = [], []
    for columns, b in zip(support, B.T):
        Q, R = np.linalg.qr(A[:, columns])
        factors.append(R)
        targets.append(Q.T @ b)
    return nearest_fit(factors, targets, constraints, support)
