"""Optimizers that rank the terms of an equation, and how many of the first to keep."""

from abc import abstractmethod
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.linalg

from skdyn._validation import Interval, StrOptions
from skdyn.symbolic.optimizers._sparse_optimizer import SparseOptimizer


def nested_fits(
    A: np.ndarray, b: np.ndarray, order: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit the first k columns of an order by least squares, for every k.

    One QR decomposition of the ordered columns holds all of them in its leading blocks.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_features)
        Terms.
    b : ndarray of shape (n_rows,)
        Target.
    order : ndarray of shape (n_ordered,), int
        Columns, most useful first. One that depends on those before it is passed over.

    Returns
    -------
    path : ndarray of shape (n_sizes, n_features)
        Coefficients with 0, 1, 2, ... terms.
    squares : ndarray of shape (n_sizes,)
        Sums of squared residuals.
    rounding : ndarray of shape (n_sizes,)
        What of ``squares`` may be rounding errors.
    """
    eps = np.finfo(float).eps
    length = np.linalg.norm(A, axis=0)
    while True:
        R: Any = np.linalg.qr(np.column_stack([A[:, order], b]), mode="r")
        pivots = np.abs(R.diagonal())[: len(order)]
        dependent = np.flatnonzero(pivots <= 100 * eps * length[order][: len(pivots)])
        n_independent = min(len(pivots), len(A))
        if not dependent.size:
            break
        order = np.delete(order, dependent[0])
    order = order[:n_independent]
    R, c = R[:, : len(order)], R[:, -1]
    path = np.zeros((len(order) + 1, A.shape[1]))
    for k in range(1, len(path)):
        path[k, order[:k]] = scipy.linalg.solve_triangular(R[:k, :k], c[:k])
    squares = np.array([c[k:] @ c[k:] for k in range(len(path))])
    # b - A x is the difference of numbers as large as |A| |x|, each known to eps.
    rounding = (max(A.shape) * eps * (np.abs(path) @ length + np.linalg.norm(b))) ** 2
    return path, squares, rounding


def information_criterion(squares: np.ndarray, n_samples: float, criterion: str) -> np.ndarray:
    """Weigh the errors of nested fits against their numbers of terms.

    Parameters
    ----------
    squares : ndarray of shape (n_sizes,)
        Sums of squared residuals of fits with 0, 1, 2, ... terms.
    n_samples : float
        Number of samples.
    criterion : {"aic", "aicc", "bic"}
        The information criterion.

    Returns
    -------
    ndarray of shape (n_sizes,)
        Lower is better; infinite where there are not enough samples to tell.
    """
    k = np.arange(len(squares))
    deviance = n_samples * np.log(np.maximum(squares, np.finfo(float).tiny) / n_samples)
    if criterion == "aic":
        penalty = 2.0 * k
    elif criterion == "aicc":
        penalty = 2.0 * k * n_samples / np.maximum(n_samples - k - 1, 1e-300)
    elif criterion == "bic":
        penalty = np.log(n_samples) * k
    else:
        raise ValueError(f"criterion={criterion!r} is none of 'aic', 'aicc', 'bic'.")
    enough = k < max(n_samples - 1, 1)
    return np.where(enough, deviance + penalty, np.inf)


class StepwiseOptimizer(SparseOptimizer):
    """Base of the greedy optimizers: subclasses rank the terms by ``_order(A, b)``."""

    _parameter_constraints: dict = {
        "n_terms": [Interval(Integral, 1, None, closed="left"), None],
        "criterion": [StrOptions({"aic", "aicc", "bic"})],
    }

    if TYPE_CHECKING:  # parameters of each constructor
        n_terms: int | None
        criterion: str

    @abstractmethod
    def _order(self, A, b) -> Any:
        """Return columns, most useful first, as many as are worth a look."""

    def _solve(self, problem):
        A, B, _, n_samples = problem
        paths, sizes = [], []
        for b in B.T:
            path, squares, rounding = nested_fits(A, b, self._order(A, b))
            if self.n_terms is None:
                squares = np.maximum(squares, rounding)
                size = np.argmin(information_criterion(squares, n_samples, self.criterion))
            else:
                size = min(self.n_terms, len(path) - 1)
            paths.append(path)
            sizes.append(size)
        n_sizes = max(len(path) for path in paths)
        # Targets with fewer sizes keep their last fit.
        grown = [np.vstack([p, np.repeat(p[-1:], n_sizes - len(p), axis=0)]) for p in paths]
        self.n_iter_ = n_sizes
        return np.stack([p[k] for p, k in zip(paths, sizes)]), np.stack(grown, axis=1)
