"""Sequentially thresholded least squares."""

from numbers import Integral, Real
from typing import Any

import numpy as np

from skdyn._validation import Interval
from skdyn.symbolic.optimizers._sparse_optimizer import SparseOptimizer, fit_support

__all__ = ["STLSQ"]


class STLSQ(SparseOptimizer):
    """Sparse regressor that fits, drops the small coefficients and fits again.

    From all terms on [1]_, until the support S of an equation stays as it is,

    .. math:: \\xi = \\arg\\min_{\\mathrm{supp}\\, \\xi \\subseteq S}
        \\|b - A \\xi\\|^2 + \\alpha \\|\\xi\\|^2, \\quad S = \\{j : |\\xi_j| \\ge \\tau\\}

    Parameters
    ----------
    threshold : float, default=0.1
        Smallest magnitude tau of a coefficient that stays.
    alpha : float, default=0.05
        Strength of the ridge penalty while terms are dropped.
    max_iter : int, default=20
        Number of fits at most.
    normalize_columns : bool, default=False
        Whether ``threshold`` and ``alpha`` refer to columns of length one.
    unbias : bool, default=True
        Whether the terms left are fitted without the penalty in the end, and those that then are
        below the threshold left out.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    coef_path_ : ndarray of shape (n_iter_, n_targets, n_features)
        Coefficients after each iteration.
    intercept_ : float
        Zero: a constant is a term of the library.
    n_iter_ : int
        Number of fits.
    n_features_in_ : int
        Number of terms.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the terms, when all are strings.

    See Also
    --------
    SR3 : Relaxes the thresholding.
    MIOSR : The best subset of a given size.

    References
    ----------
    .. [1] S. L. Brunton, J. L. Proctor, J. N. Kutz, "Discovering governing equations from data by
       sparse identification of nonlinear dynamical systems", PNAS 113, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.optimizers import STLSQ
    >>> A = np.random.default_rng(0).normal(size=(50, 4))
    >>> STLSQ().fit(A, 2 * A[:, 1] - A[:, 3]).coef_.round(3)
    array([ 0.,  2.,  0., -1.])
    """

    _parameter_constraints: dict = {
        "threshold": [Interval(Real, 0, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "unbias": ["boolean"],
        "normalize_columns": ["boolean"],
    }

    def __init__(
        self,
        threshold: float = 0.1,
        *,
        alpha: float = 0.05,
        max_iter: int = 20,
        normalize_columns: bool = False,
        unbias: bool = True,
    ) -> None:
        self.threshold = threshold
        self.alpha = alpha
        self.max_iter = max_iter
        self.normalize_columns = normalize_columns
        self.unbias = unbias

    def _solve(self, problem):
        A, B, *_ = problem
        support = np.ones((B.shape[1], A.shape[1]), dtype=bool)
        path: list[Any] = []
        coef: Any = None
        before: Any = None
        for _ in range(self.max_iter):
            coef = fit_support(A, B, support, self.alpha)
            coef[np.abs(coef) < self.threshold] = 0.0
            path.append(coef)
            before, support = support, coef != 0.0
            if (support == before).all():
                break
        else:
            self._warn_of_no_convergence("terms were still being dropped")
        self.n_iter_ = len(path)
        if not self.unbias:
            return coef, np.stack(path)
        coef = fit_support(A, B, support)
        # Without the penalty, terms that hardly differ part, and some fall below the threshold.
        while (support == before).all() and (
            small := support & (np.abs(coef) < self.threshold)
        ).any():
            support = before = support & ~small
            coef = fit_support(A, B, support)
        return coef, np.stack(path)
