"""The best subset of terms, proven."""

import heapq
from itertools import count
from numbers import Integral, Real
from typing import Annotated, NamedTuple

import numpy as np
import scipy.linalg

from skdyn._state import Shape
from skdyn._validation import Interval
from skdyn.symbolic.optimizers._frols import forward_order
from skdyn.symbolic.optimizers._sparse_optimizer import (
    SparseOptimizer,
    fit_support,
    least_ridge,
    with_ridge,
)
from skdyn.symbolic.optimizers._ssr import backward_order
from skdyn.symbolic.optimizers._stepwise import nested_fits

__all__ = ["MIOSR"]


class BestSubset(NamedTuple):
    """What a search for the best subset found.

    Attributes
    ----------
    columns : ndarray of shape (n_kept,), int
        The subset.
    gap : float
        How much smaller, relative to its squared error, another's may be; zero when proven.
    n_nodes : int
        Number of least squares problems looked at.
    """

    columns: np.ndarray
    gap: float
    n_nodes: int


def best_subset(A: np.ndarray, b: np.ndarray, n_terms: int, max_nodes: int) -> BestSubset:
    """Find the columns, ``n_terms`` at most, whose least squares fit is best.

    Branch and bound. A node is the subsets that hold all of some columns F and otherwise only
    columns of some larger U; none of them fits better than all of U. One factorisation tells that
    bound, and what it becomes without any one column. With the columns of U in the order of
    their worth, the subsets are those without the first; with the first, but without the second;
    and so on. The nodes with the lowest bound go first.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_features)
        Terms, such that any of their columns are independent.
    b : ndarray of shape (n_rows,)
        Target.
    n_terms : int
        Size of the subset at most.
    max_nodes : int
        Number of nodes after which to give up.

    Returns
    -------
    BestSubset
        The columns and whether they are proven.
    """
    n_features = A.shape[1]
    columns, best, nothing = _greedy_subset(A, b, n_terms)
    every = np.ones(n_features, dtype=bool)
    tie = count()  # the heap never compares arrays
    heap = [(0.0, next(tie), ~every, every)]
    n_nodes = 0
    while heap and n_nodes < max_nodes and heap[0][0] < best * (1 - 1e-12) and best > nothing:
        bound, _, held, allowed = heapq.heappop(heap)
        n_nodes += 1
        index = np.flatnonzero(allowed)
        Q, R = np.linalg.qr(A[:, index])
        inverse = scipy.linalg.solve_triangular(R, np.eye(len(index)), check_finite=False)
        fit = Q.T @ b
        residual = b - Q @ fit
        bound = residual @ residual
        # The squared error rises by x_j^2 / (A'A)^-1_jj without column j.
        worth = (inverse @ fit) ** 2 / (inverse**2).sum(axis=1)
        held = held.copy()
        order = np.argsort(-worth)
        for j in order[~held[index[order]]][: n_terms - held.sum()]:
            if bound + worth[j] < best:
                without = allowed.copy()
                without[index[j]] = False
                heapq.heappush(heap, (bound + worth[j], next(tie), held.copy(), without))
            held[index[j]] = True
        squares = _squares(A[:, held], b)
        if squares < best:
            columns, best = np.flatnonzero(held), squares
    proven = best <= nothing or not heap or heap[0][0] >= best * (1 - 1e-12)
    return BestSubset(columns, 0.0 if proven else float(1.0 - heap[0][0] / best), n_nodes)


def _squares(A, b):
    residual = b - (Q := np.linalg.qr(A)[0]) @ (Q.T @ b)
    return residual @ residual


def _greedy_subset(A, b, n_terms):
    """The better of two greedy subsets; fewer terms where these already leave nothing."""
    found = []
    for order in (forward_order(A, b), backward_order(A, b, "residual")):
        path, squares, rounding = nested_fits(A, b, order[:n_terms])
        # A residual of 1e-10 is nothing: so much is left by `least_ridge`.
        nothing = np.maximum(rounding, 1e-20 * (b @ b))
        size = np.argmax(squares <= nothing) if squares[-1] <= nothing[-1] else len(path) - 1
        found.append((squares[size], np.flatnonzero(path[size]), nothing[size]))
    best, columns, nothing = min(found, key=lambda each: each[0])
    return columns, best, nothing


class MIOSR(SparseOptimizer):
    """Sparse regressor that finds the best subset of a given size and proves that it is.

    Mixed-integer optimized sparse regression [1]_: with k terms an equation at most,

    .. math:: \\min_{\\|\\xi\\|_0 \\le k} \\|b - A \\xi\\|^2 + \\alpha \\|\\xi\\|^2

    by branch and bound over subsets [2]_, from the best of :class:`FROLS` and :class:`SSR` on.
    Its bounds are those of least squares, which are far closer than those that a linear
    mixed-integer program can be given.

    Parameters
    ----------
    n_terms : int, default=5
        Number k of terms of each equation at most.
    alpha : float, default=0.0
        Strength of the ridge penalty.
    max_iter : int, default=10000
        Number of nodes of the search of each equation after which the best so far is taken, with
        a warning; a thousand take about a tenth of a second. It is seldom needed for up to 30
        terms, or for five terms out of 50.
    normalize_columns : bool, default=False
        Whether ``alpha`` refers to columns of length one.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    coef_path_ : ndarray of shape (1, n_targets, n_features)
        Coefficients.
    gap_ : ndarray of shape (n_targets,)
        How much smaller the objective of another subset may be at most, relative to that found;
        zero where it is proven to be the best.
    intercept_ : float
        Zero: a constant is a term of the library.
    n_iter_ : int
        Largest number of nodes of an equation.
    n_features_in_ : int
        Number of terms.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the terms, when all are strings.

    See Also
    --------
    FROLS, SSR : Greedy, for large libraries.

    References
    ----------
    .. [1] D. Bertsimas, W. Gurnee, "Learning sparse nonlinear dynamics via mixed-integer
       optimization", Nonlinear Dynamics 111, 2023.
    .. [2] G. M. Furnival, R. W. Wilson, "Regressions by Leaps and Bounds", Technometrics 16, 1974.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.optimizers import MIOSR
    >>> A = np.random.default_rng(0).normal(size=(50, 4))
    >>> MIOSR(n_terms=2).fit(A, 2 * A[:, 1] - A[:, 3]).coef_.round(3)
    array([ 0.,  2.,  0., -1.])
    """

    gap_: Annotated[np.ndarray, Shape("outputs", finite=False)]

    _quick_parameters = {"n_terms": 2}

    _parameter_constraints: dict = {
        "n_terms": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "normalize_columns": ["boolean"],
    }

    def __init__(
        self,
        n_terms: int = 5,
        *,
        alpha: float = 0.0,
        max_iter: int = 10000,
        normalize_columns: bool = False,
    ) -> None:
        self.n_terms = n_terms
        self.alpha = alpha
        self.max_iter = max_iter
        self.normalize_columns = normalize_columns

    def _solve(self, problem):
        A, B, *_ = problem
        support = np.zeros((B.shape[1], A.shape[1]), dtype=bool)
        rows, targets = with_ridge(A, B, np.maximum(self.alpha, least_ridge(A)))
        found = [best_subset(rows, b, self.n_terms, self.max_iter) for b in targets.T]
        for columns, kept in zip(support, found):
            columns[kept.columns] = True
        self.gap_ = np.array([each.gap for each in found])
        self.n_iter_ = max(1, *(each.n_nodes for each in found))
        if self.gap_.any():
            self._warn_of_no_convergence(
                f"subsets better by up to {self.gap_.max():.0%} were not excluded"
            )
        coef = fit_support(A, B, support, self.alpha)
        return coef, coef[None]
