"""Sparse relaxed regression under linear constraints."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from skdyn._validation import Interval, StrOptions
from skdyn.symbolic.optimizers._constraints import LinearConstraints
from skdyn.symbolic.optimizers._relaxation import (
    checked_threshold,
    constrained_fit,
    constrained_relaxation,
)
from skdyn.symbolic.optimizers._sparse_optimizer import SparseOptimizer

__all__ = ["ConstrainedSR3"]

_FLOAT: Any = np.float64  # scikit-learn's default, a text, is all that checkers see


class ConstrainedSR3(SparseOptimizer):
    """Sparse regressor whose coefficients obey linear equalities and inequalities.

    :class:`SR3` with, for the coefficients w of all targets together, [1]_

    .. math:: C \\, \\mathrm{vec}(w) = d \\quad \\text{or} \\quad C \\, \\mathrm{vec}(w) \\le d

    The terms that are left are fitted again under the same constraints, so that ``coef_`` is
    sparse and obeys them to rounding. Where it could not, terms come back, largest first.

    Parameters
    ----------
    constraint_lhs : array-like of shape (n_constraints, n_targets * n_features), default=None
        Matrix C. The coefficients run as in ``coef_.ravel()``: all of the first target, then all
        of the second. None constrains nothing.
    constraint_rhs : array-like of shape (n_constraints,), default=None
        Vector d; None is zero.
    constraint_type : {"equality", "inequality"} or array-like of these, default="equality"
        Whether the two sides are equal or the left is at most the right; one per row, or one for
        all.
    threshold : float or array-like of shape (n_targets, n_features), default=0.1
        Magnitude up to which a coefficient is set to zero; an array says it for each one.
    regularizer : {"l0", "l1"}, default="l0"
        Hard or soft thresholding.
    nu : float, default=1.0
        How far the thresholded coefficients may be from those fitted.
    tol : float, default=0.00001
        Change of the coefficients, divided by nu, at which to stop.
    max_iter : int, default=30
        Number of iterations at most.
    normalize_columns : bool, default=False
        Whether ``threshold`` and ``nu`` refer to columns of length one. The constraints are on
        the coefficients as they are.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    coef_path_ : ndarray of shape (n_iter_, n_targets, n_features)
        The thresholded coefficients after each iteration.
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
    SR3 : Without constraints.
    TrappingSR3 : Constraints of conserved energy, written for you.

    References
    ----------
    .. [1] K. Champion, P. Zheng, A. Y. Aravkin, S. L. Brunton, J. N. Kutz, "A Unified Sparse
       Optimization Framework to Learn Parsimonious Physics-Informed Models From Data",
       IEEE Access 8, 2020.

    Examples
    --------
    Two coefficients that are known to be opposite:

    >>> import numpy as np
    >>> from skdyn.symbolic.optimizers import ConstrainedSR3
    >>> rng = np.random.default_rng(0)
    >>> A = rng.normal(size=(50, 4))
    >>> b = A[:, 1] - A[:, 3] + 0.1 * rng.normal(size=50)
    >>> coef = ConstrainedSR3([[0, 1, 0, 1]]).fit(A, b).coef_
    >>> bool(abs(coef[1] + coef[3]) < 1e-12)
    True
    """

    _parameter_constraints: dict = {
        "constraint_lhs": ["array-like", None],
        "constraint_rhs": ["array-like", None],
        "constraint_type": [StrOptions({"equality", "inequality"}), "array-like"],
        "threshold": [Interval(Real, 0, None, closed="left"), "array-like"],
        "regularizer": [StrOptions({"l0", "l1"})],
        "nu": [Interval(Real, 0, None, closed="neither")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "normalize_columns": ["boolean"],
    }

    def __init__(
        self,
        constraint_lhs: ArrayLike | None = None,
        constraint_rhs: ArrayLike | None = None,
        constraint_type: str | ArrayLike = "equality",
        *,
        threshold: float | ArrayLike = 0.1,
        regularizer: str = "l0",
        nu: float = 1.0,
        tol: float = 0.00001,
        max_iter: int = 30,
        normalize_columns: bool = False,
    ) -> None:
        self.constraint_lhs = constraint_lhs
        self.constraint_rhs = constraint_rhs
        self.constraint_type = constraint_type
        self.threshold = threshold
        self.regularizer = regularizer
        self.nu = nu
        self.tol = tol
        self.max_iter = max_iter
        self.normalize_columns = normalize_columns

    def _solve(self, problem):
        A, B, *_ = problem
        coef, path, converged = constrained_relaxation(
            problem, self._constraints(B.shape[1], A.shape[1]),
            threshold=checked_threshold(self.threshold, B.shape[1], A.shape[1]),
            regularizer=self.regularizer, nu=self.nu, tol=self.tol, max_iter=self.max_iter,
        )  # fmt: skip
        if not converged:
            self._warn_of_no_convergence(f"the coefficients still changed by more than {self.tol}")
        self.n_iter_ = len(path)
        return coef, path

    def _refitted(self, A, B, support):
        return constrained_fit(A, B, support, self._constraints(*support.shape))

    def _constraints(self, n_targets, n_features):
        if self.constraint_lhs is None:
            if self.constraint_rhs is not None:
                raise ValueError("constraint_rhs was passed without constraint_lhs; pass both.")
            nothing = np.zeros((0, n_targets, n_features))
            return LinearConstraints(nothing, np.zeros(0), np.zeros(0, dtype=bool))
        lhs = check_array(self.constraint_lhs, dtype=_FLOAT, input_name="constraint_lhs")
        if lhs.shape[1] != n_targets * n_features:
            raise ValueError(
                f"constraint_lhs has {lhs.shape[1]} columns for {n_targets} targets and "
                f"{n_features} terms; it needs one for each coefficient of coef_.ravel(): "
                f"{n_targets * n_features}."
            )
        rhs = np.zeros(len(lhs))
        if self.constraint_rhs is not None:
            rhs = check_array(
                self.constraint_rhs, dtype=_FLOAT, ensure_2d=False, input_name="constraint_rhs"
            )
        types = np.broadcast_to(self.constraint_type, np.shape(self.constraint_type) or len(lhs))
        for name, length in {"constraint_rhs": rhs.shape, "constraint_type": types.shape}.items():
            if length != (len(lhs),):
                raise ValueError(
                    f"{name} has shape {length}; constraint_lhs has {len(lhs)} rows, so that "
                    f"({len(lhs)},) was expected."
                )
        unknown = sorted(set(types.tolist()) - {"equality", "inequality"})
        if unknown:
            raise ValueError(
                f"constraint_type holds {unknown}; each must be 'equality' or 'inequality'."
            )
        return LinearConstraints(lhs.reshape(-1, n_targets, n_features), rhs, types == "equality")
