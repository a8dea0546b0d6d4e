"""What the sparse linear regressors share: rows in, coefficients without an intercept out."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning

from skdyn._scoring import r2
from skdyn._state import OPTIONAL, PlainState, Shape
from skdyn._validation import check_is_fitted, check_weights, fit_context, validate_data
from skdyn.exceptions import warn_user


class SparseProblem(NamedTuple):
    """Find few columns of A that explain B.

    Attributes
    ----------
    A : ndarray of shape (n_rows, n_features)
        Terms, their columns divided by ``scale``.
    B : ndarray of shape (n_rows, n_targets)
        Targets.
    scale : ndarray of shape (n_features,)
        What coefficients are to be divided by in the end.
    n_samples : float
        Number of samples the rows stand for: the total of their weights.
    """

    A: np.ndarray
    B: np.ndarray
    scale: np.ndarray
    n_samples: float


def compressed(A: np.ndarray, B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn the rows so that all but the first few vanish, and leave those out.

    With the QR decomposition of [A B], ``norm(A x - B)`` is the same for every ``x``, ridge
    penalties and subsets of columns included, and no normal equations square the condition.
    """
    n_features = A.shape[1]
    width = n_features + B.shape[1]
    if len(A) <= width:
        return A, B
    # Block by block in Fortran's order: the block stays in the cache, four times faster.
    n_block = max(2000, 4 * width)
    R: Any = np.empty((0, width))
    for start in range(0, len(A), n_block):
        rows = slice(start, start + n_block)
        block = np.empty((len(R) + len(A[rows]), width), order="F")
        block[: len(R)] = R
        block[len(R) :, :n_features] = A[rows]
        block[len(R) :, n_features:] = B[rows]
        R = scipy.linalg.qr(block, mode="r", overwrite_a=True, check_finite=False)[0][:width]
    return R[:, :n_features], R[:, n_features:]


def with_ridge(
    A: np.ndarray, B: np.ndarray, alpha: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Append the rows whose squared error is ``sum(alpha * x**2)``."""
    n_features = A.shape[1]
    return (
        np.vstack([A, np.diag(np.broadcast_to(np.sqrt(alpha), n_features))]),
        np.vstack([B, np.zeros((n_features, B.shape[1]))]),
    )


def least_ridge(A: np.ndarray) -> np.ndarray:
    """A penalty too small to change a fit that makes triangular factors of any columns regular."""
    length = np.linalg.norm(A, axis=0)
    return (1e-11 * np.where(length > 0.0, length, 1.0)) ** 2


def least_squares(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Solve A x = B in the least squares sense; of several answers, the shortest."""
    cutoff = max(A.shape) * np.finfo(float).eps
    found: Any = scipy.linalg.lstsq(A, B, cond=cutoff, lapack_driver="gelsy", check_finite=False)
    return found[0]


def fit_support(
    A: np.ndarray, B: np.ndarray, support: np.ndarray, alpha: float = 0.0
) -> np.ndarray:
    """Fit each target by its own columns.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_features)
        Terms.
    B : ndarray of shape (n_rows, n_targets)
        Targets.
    support : ndarray of shape (n_targets, n_features), bool
        The columns of each target.
    alpha : float, default=0.0
        Strength of the ridge penalty.

    Returns
    -------
    ndarray of shape (n_targets, n_features)
        Coefficients, zero outside the support.
    """
    if alpha > 0.0:
        A, B = with_ridge(A, B, alpha)
    if support.all():
        return least_squares(A, B).T
    coef = np.zeros(support.shape)
    for target, columns in enumerate(support):
        if columns.any():
            coef[target, columns] = least_squares(A[:, columns], B[:, target])
    return coef


class SparseOptimizer(PlainState, MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Base of the sparse linear regressors: validates, weighs, scales and compresses once.

    Subclasses supply ``_solve``.
    """

    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    n_iter_: int
    coef_: (
        Annotated[np.ndarray, Shape("n_features_in_")]
        | Annotated[np.ndarray, Shape("outputs n_features_in_")]
    )
    coef_path_: Annotated[np.ndarray, Shape("steps outputs n_features_in_")]
    intercept_: float
    _y_is_1d: bool

    _parameter_constraints: dict = {}
    if TYPE_CHECKING:  # of those that have them
        max_iter: Any
        threshold: Any

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> SparseOptimizer:
        """Find the coefficients.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Values of the library's terms, one column each.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets: time derivatives, one column a state.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a whole number counts as so many repeats of the row.

        Returns
        -------
        self : object
            The fitted optimizer.

        Raises
        ------
        ValueError
            If the data or a parameter cannot be used.
        """
        return self._fit(X, y, sample_weight)

    def _fit(self, X, y, sample_weight, **knowledge):
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        weight = check_weights(sample_weight, X)
        Y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        self._fit_checked(X, Y, weight, **knowledge)
        if y.ndim == 1:
            self.coef_, self._y_is_1d = self.coef_[0], True
        return self

    def _fit_checked(self, A, B, weight=None, **knowledge):
        """Fit rows that were checked: by ``fit``, or by an estimator that this is a part of."""
        self.n_features_in_ = A.shape[1]
        self.coef_ = self._coefficients(A, B, weight, **knowledge)
        if hasattr(self, "threshold"):
            self._warn_of_empty_equations(self.coef_, B)
        self.intercept_ = 0.0
        self._y_is_1d = False

    @classmethod
    def _check_state(cls, state):
        if "coef_" in state and (state["coef_"].ndim == 1) != state["_y_is_1d"]:
            raise ValueError(f"coef_ has the shape {state['coef_'].shape}, which y had not.")

    def _coefficients(self, X, Y, weight, *args: Any, **knowledge: Any) -> Any:
        n_samples = float(len(X))
        if weight is not None:
            n_samples = weight.sum()
            root = np.sqrt(weight)[:, None]
            X, Y = X * root, Y * root
        A, B = compressed(X, Y)
        scale = np.ones(A.shape[1])
        if getattr(self, "normalize_columns", False):
            scale = np.linalg.norm(A, axis=0)
            scale[scale == 0.0] = 1.0
            A = A / scale
        coef, path = self._solve(SparseProblem(A, B, scale, n_samples), **knowledge)
        self.coef_path_ = path / scale
        return coef / scale

    @abstractmethod
    def _solve(self, problem, *args: Any, **knowledge: Any) -> Any:
        """Return (coefficients, path) and set ``n_iter_``.

        The path has shape (n_steps, n_targets, n_features); both are in units of A.
        """

    def _refitted(self, A, B, support, *args: Any, **knowledge: Any) -> Any:
        """Fit the terms of a support, as the optimizer would had it found them."""
        return fit_support(A, B, support)

    def _warn_of_empty_equations(self, coef, Y):
        empty = np.flatnonzero(~coef.any(axis=1) & Y.any(axis=0))
        if empty.size:
            warn_user(
                f"{type(self).__name__}: no term is left for target(s) {empty.tolist()}: every "
                f"coefficient fell below threshold={self.threshold!r}. Lower it, or rescale the "
                "states so that their coefficients are larger.",
                ConvergenceWarning,
            )

    def _warn_of_no_convergence(self, change):
        warn_user(
            f"{type(self).__name__}: {change} after max_iter={self.max_iter} iterations. "
            "Raise max_iter.",
            ConvergenceWarning,
        )

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Evaluate the linear model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Values of the terms.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            ``X @ coef_.T``.
        """
        check_is_fitted(self)
        return validate_data(self, X, dtype=np.float64, reset=False) @ self.coef_.T

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination of the predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        float
            :math:`R^2`, the mean over the outputs.
        """
        return r2(y, self.predict(X), sample_weight)
