"""Sparse relaxed regularized regression."""

from __future__ import annotations

from numbers import Integral, Real

from numpy.typing import ArrayLike

from skdyn._validation import Interval, StrOptions
from skdyn.symbolic.optimizers._relaxation import checked_threshold, relax_and_split
from skdyn.symbolic.optimizers._sparse_optimizer import SparseOptimizer, fit_support

__all__ = ["SR3"]


class SR3(SparseOptimizer):
    """Sparse regressor that relaxes thresholding: terms come back if the fit wants them.

    Alternates between the two minima of [1]_ [2]_

    .. math:: \\tfrac12 \\|b - A w\\|^2 + \\lambda R(u) + \\tfrac{1}{2 \\nu} \\|w - u\\|^2

    where R counts ("l0") or adds up ("l1") the entries of u. In u the minimum is w, hard or soft
    thresholded at tau, with :math:`\\lambda = \\tau^2 / 2 \\nu` or :math:`\\lambda = \\tau / \\nu`.

    Parameters
    ----------
    threshold : float or array-like of shape (n_targets, n_features), default=0.1
        Magnitude tau up to which a coefficient is set to zero; an array says it for each one.
    regularizer : {"l0", "l1"}, default="l0"
        "l0" leaves larger coefficients as they are, "l1" makes them smaller by tau.
    nu : float, default=1.0
        How far u may be from w. Smaller is nearer and takes more iterations.
    tol : float, default=0.00001
        Change of u, divided by nu, at which to stop.
    max_iter : int, default=30
        Number of iterations at most.
    normalize_columns : bool, default=False
        Whether ``threshold`` and ``nu`` refer to columns of length one.
    unbias : bool, default=True
        Whether the terms left are fitted by least squares in the end.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    coef_path_ : ndarray of shape (n_iter_, n_targets, n_features)
        The sparse coefficients u after each iteration.
    intercept_ : float
        Zero: a constant is a term of the library.
    n_iter_ : int
        Number of iterations.
    n_features_in_ : int
        Number of terms.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the terms, when all are strings.

    See Also
    --------
    ConstrainedSR3 : The same under linear constraints.
    STLSQ : Terms that are dropped stay away.

    References
    ----------
    .. [1] P. Zheng, T. Askham, S. L. Brunton, J. N. Kutz, A. Y. Aravkin, "A Unified Framework for
       Sparse Relaxed Regularized Regression: SR3", IEEE Access 7, 2019.
    .. [2] K. Champion, P. Zheng, A. Y. Aravkin, S. L. Brunton, J. N. Kutz, "A Unified Sparse
       Optimization Framework to Learn Parsimonious Physics-Informed Models From Data",
       IEEE Access 8, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.optimizers import SR3
    >>> A = np.random.default_rng(0).normal(size=(50, 4))
    >>> SR3().fit(A, 2 * A[:, 1] - A[:, 3]).coef_.round(3)
    array([ 0.,  2.,  0., -1.])
    """

    _parameter_constraints: dict = {
        "threshold": [Interval(Real, 0, None, closed="left"), "array-like"],
        "regularizer": [StrOptions({"l0", "l1"})],
        "nu": [Interval(Real, 0, None, closed="neither")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "unbias": ["boolean"],
        "normalize_columns": ["boolean"],
    }

    def __init__(
        self,
        threshold: float | ArrayLike = 0.1,
        *,
        regularizer: str = "l0",
        nu: float = 1.0,
        tol: float = 0.00001,
        max_iter: int = 30,
        normalize_columns: bool = False,
        unbias: bool = True,
    ) -> None:
        self.threshold = threshold
        self.regularizer = regularizer
        self.nu = nu
        self.tol = tol
        self.max_iter = max_iter
        self.normalize_columns = normalize_columns
        self.unbias = unbias

    def _solve(self, problem):
        A, B, *_ = problem
        path, _, converged = relax_and_split(
            A, B, threshold=checked_threshold(self.threshold, B.shape[1], A.shape[1]),
            regularizer=self.regularizer, nu=self.nu, tol=self.tol, max_iter=self.max_iter,
        )  # fmt: skip
        if not converged:
            self._warn_of_no_convergence(f"the coefficients still changed by more than {self.tol}")
        self.n_iter_ = len(path)
        return fit_support(A, B, path[-1] != 0.0) if self.unbias else path[-1], path
