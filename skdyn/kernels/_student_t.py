"""Regression by a Student-t process."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Annotated, Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import gammaln
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process.kernels import Kernel, WhiteKernel
from sklearn.utils import check_random_state

from skdyn._scoring import r2
from skdyn._state import OPTIONAL, PlainState, Shape
from skdyn._validation import (
    Interval,
    StrOptions,
    check_is_fitted,
    clone,
    fit_context,
    validate_data,
)
from skdyn.exceptions import warn_user
from skdyn.kernels._nngp import NNGPKernel

__all__ = ["StudentTProcessRegressor"]


# Rows whose factor takes seconds, and rows whose matrix of pairs (34 GB) no machine is asked for.
_MANY, _MOST = 5_000, 2**16


class StudentTProcessRegressor(PlainState, MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Gaussian process whose scale is not taken for known: regression by a Student-t process.

    Values at any rows have a multivariate t distribution with ``nu`` degrees of freedom and the
    covariance K of the kernel: a Gaussian process whose variance was drawn from an inverse gamma
    distribution [1]_. Given n targets y, values elsewhere have :math:`\\nu + n` degrees of freedom,
    the mean of a Gaussian process, and its covariance times

    .. math:: \\frac{\\nu - 2 + y^\\top K^{-1} y}{\\nu + n - 2},

    so that targets which vary more than the kernel expects widen the intervals; those of a Gaussian
    process depend on where rows are, not on what was measured there.

    Parameters
    ----------
    kernel : kernel of scikit-learn or skdyn.kernels, or None, default=None
        Covariance, its hyperparameters chosen by the marginal likelihood. None is
        ``NNGPKernel(activation="erf", input_var=1.0) + WhiteKernel(0.1)``: a smooth function and
        noise.
    nu : float, default=5.0
        Degrees of freedom, above 2. Few let a scale far from that of the kernel pass; with many it
        is a Gaussian process.
    alpha : float, default=1e-10
        What is added to the diagonal of K. It keeps K invertible; noise to be learned is a
        ``WhiteKernel`` in the kernel.
    optimizer : "fmin_l_bfgs_b" or None, default="fmin_l_bfgs_b"
        How hyperparameters are chosen. None leaves them as they are.
    n_restarts_optimizer : int, default=0
        Number of further starts, from hyperparameters drawn within their bounds.
    normalize_y : bool, default=True
        Whether targets are brought to mean 0 and variance 1 before.
    random_state : int, RandomState instance or None, default=None
        Source of the further starts. Pass an int for the same model every time.

    Attributes
    ----------
    kernel_ : kernel
        The kernel with the hyperparameters that were chosen.
    X_train_ : ndarray of shape (n_samples, n_features_in_)
        The rows.
    y_train_ : ndarray of shape (n_samples, n_targets)
        Their targets, normalized.
    L_ : ndarray of shape (n_samples, n_samples)
        Lower Cholesky factor of K.
    alpha_ : ndarray of shape (n_samples, n_targets)
        Weights of the rows in the mean, :math:`K^{-1} y`.
    dof_ : float
        Degrees of freedom of the predictions, ``nu + n_samples``.
    scale_ : ndarray of shape (n_targets,)
        Factor on the covariance of the Gaussian process, for each target its own.
    log_marginal_likelihood_value_ : float
        Log-density of the normalized targets.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.

    See Also
    --------
    sklearn.gaussian_process.GaussianProcessRegressor : The limit of many degrees of freedom.

    Notes
    -----
    The scale is one number for all targets, so that a process with heavy tails does not mean noise
    with heavy tails: a single outlier moves the mean as it does that of a Gaussian process. From
    some hundred rows on both give nearly the same intervals.

    An interval of the predictions is that of ``scipy.stats.t(dof_, mean, std * sqrt((dof_ - 2) /
    dof_))``, with the standard deviation that ``predict`` returns.

    References
    ----------
    .. [1] A. Shah, A. G. Wilson, Z. Ghahramani, "Student-t Processes as Alternatives to Gaussian
       Processes", AISTATS 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.kernels import StudentTProcessRegressor
    >>> X = np.linspace(0, 6, 30)[:, None]
    >>> model = StudentTProcessRegressor().fit(X, np.sin(X[:, 0]))
    >>> mean, std = model.predict([[3.1], [20.0]], return_std=True)
    >>> bool(abs(mean[0] - np.sin(3.1)) < 0.01), bool(std[0] < std[1])
    (True, True)
    """

    kernel_: Kernel
    X_train_: Annotated[np.ndarray, Shape("n_samples n_features_in_")]
    y_train_: Annotated[np.ndarray, Shape("n_samples n_targets")]
    L_: Annotated[np.ndarray, Shape("n_samples n_samples")]
    alpha_: Annotated[np.ndarray, Shape("n_samples n_targets")]
    dof_: float
    scale_: Annotated[np.ndarray, Shape("n_targets")]
    log_marginal_likelihood_value_: float
    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    _y_mean: Annotated[np.ndarray, Shape("n_targets")]
    _y_std: Annotated[np.ndarray, Shape("n_targets")]
    _is_one_target: bool

    _sketch_parameters = {"optimizer": None}

    _parameter_constraints: dict = {
        "kernel": [Kernel, None],
        "nu": [Interval(Real, 2, None, closed="neither")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "optimizer": [StrOptions({"fmin_l_bfgs_b"}), None],
        "n_restarts_optimizer": [Interval(Integral, 0, None, closed="left")],
        "normalize_y": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        kernel: Kernel | None = None,
        *,
        nu: float = 5.0,
        alpha: float = 1e-10,
        optimizer: str | None = "fmin_l_bfgs_b",
        n_restarts_optimizer: int = 0,
        normalize_y: bool = True,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.kernel = kernel
        self.nu = nu
        self.alpha = alpha
        self.optimizer = optimizer
        self.n_restarts_optimizer = n_restarts_optimizer
        self.normalize_y = normalize_y
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Choose the hyperparameters, and solve for the weights of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, of one scale.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets. Several share the kernel; each has a scale of its own.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data cannot be used, are more than 65,536 rows, or K has no inverse.

        Warns
        -----
        UserWarning
            Beyond 5,000 rows, of what the matrix of all pairs costs.
        ConvergenceWarning
            If no start of the search for hyperparameters came to an end.
        """
        X, y = validate_data(
            self, X, y, multi_output=True, y_numeric=True, dtype=np.float64, ensure_min_samples=1
        )
        _check_size(len(X))
        self._is_one_target = y.ndim == 1
        y = y.reshape(len(y), -1).astype(np.float64)
        self._y_mean, self._y_std = np.zeros(y.shape[1]), np.ones(y.shape[1])
        if self.normalize_y:
            self._y_mean, spread = y.mean(axis=0), y.std(axis=0)
            # A constant target's deviations are what rounding left.
            varies = spread > 1e-14 * np.abs(self._y_mean)
            self._y_std = np.where(varies, spread, 1.0)
        self.X_train_, self.y_train_ = X, (y - self._y_mean) / self._y_std
        self.kernel_ = _default_kernel() if self.kernel is None else clone(self.kernel)
        if self.optimizer is not None and self.kernel_.n_dims:
            self.kernel_.theta = self._best_theta()
        L = self._factor(self.kernel_(X))
        if L is None:
            raise ValueError(
                f"The matrix of {self.kernel_} has no inverse on these rows: some are alike or too "
                f"close. Raise alpha={self.alpha}, or add a WhiteKernel to the kernel."
            )
        self.L_, self.alpha_ = L, cho_solve((L, True), self.y_train_)
        squares = (self.y_train_ * self.alpha_).sum(axis=0)
        self.dof_ = float(self.nu + len(X))
        self.scale_ = (self.nu - 2 + squares) / (self.dof_ - 2)
        self.log_marginal_likelihood_value_ = float(self._log_density(self.L_, squares).sum())
        return self

    def predict(
        self, X: Any, return_std: bool = False, return_cov: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Predict the mean, and how far from it values may lie.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        return_std : bool, default=False
            Whether to return the standard deviation.
        return_cov : bool, default=False
            Whether to return the covariance; only one of the two.

        Returns
        -------
        mean : ndarray of shape (n_samples,) or (n_samples, n_targets)
            Mean of the values.
        std : ndarray of shape (n_samples,) or (n_samples, n_targets)
            Standard deviation of t distributions with ``dof_`` degrees of freedom. Only with
            ``return_std=True``.
        cov : ndarray of shape (n_samples, n_samples) or (n_samples, n_samples, n_targets)
            Covariance. Only with ``return_cov=True``.

        Raises
        ------
        ValueError
            If the data cannot be used, or both are asked for.
        """
        check_is_fitted(self)
        if return_std and return_cov:
            raise ValueError("return_std and return_cov are both True: ask for one of them.")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        across: Any = self.kernel_(X, self.X_train_)
        mean = self._shaped(self._y_mean + self._y_std * (across @ self.alpha_))
        if not return_std and not return_cov:
            return mean
        explained = solve_triangular(self.L_, across.T, lower=True)
        factor = self.scale_ * np.square(self._y_std)
        if return_cov:
            left = self.kernel_(X) - explained.T @ explained
            return mean, self._shaped(left[..., None] * factor)
        left = self.kernel_.diag(X) - np.square(explained).sum(axis=0)
        # Below zero by rounding alone.
        return mean, self._shaped(np.sqrt(np.maximum(left, 0.0)[:, None] * factor))

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination of the means.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            True targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        float
            :math:`R^2`, the mean over the targets.
        """
        return r2(y, cast("Any", self.predict(X)), sample_weight)

    def sample_y(
        self, X: Any, n_samples: int = 1, random_state: int | np.random.RandomState | None = 0
    ) -> np.ndarray:
        """Draw functions and evaluate them at rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.
        n_samples : int, default=1
            Number of functions.
        random_state : int, RandomState instance or None, default=0
            Source of the draws.

        Returns
        -------
        values : ndarray of shape (n_rows, n_samples) or (n_rows, n_targets, n_samples)
            Values of the functions, each with a scale of its own.
        """
        random_state = check_random_state(random_state)
        mean, cov = self.predict(X, return_cov=True)
        means, covs = mean.reshape(len(mean), -1), cov.reshape(*cov.shape[:2], -1)
        drawn = []
        for center, spread in zip(means.T, np.moveaxis(covs, -1, 0), strict=True):
            normal = random_state.multivariate_normal(np.zeros(len(mean)), spread, n_samples)
            # A t distribution is a normal one whose variance is drawn, too.
            shrunk = random_state.chisquare(self.dof_, n_samples) / (self.dof_ - 2)
            drawn.append(center[:, None] + normal.T / np.sqrt(shrunk))
        values = np.stack(drawn, axis=1)
        return values[:, 0] if self._is_one_target else values

    def log_marginal_likelihood(
        self, theta: Any = None, eval_gradient: bool = False
    ) -> float | tuple[float, np.ndarray]:
        """Return the log-density of the normalized targets under hyperparameters.

        Parameters
        ----------
        theta : array-like of shape (n_dims,), default=None
            Logarithms of the hyperparameters; None are those of ``kernel_``.
        eval_gradient : bool, default=False
            Whether to return the gradient, too.

        Returns
        -------
        log_density : float
            Summed over the targets.
        gradient : ndarray of shape (n_dims,)
            By theta. Only with ``eval_gradient=True``.
        """
        check_is_fitted(self)
        theta = self.kernel_.theta if theta is None else np.asarray(theta, dtype=np.float64)
        value, gradient = self._likelihood(self.kernel_.clone_with_theta(theta))
        return (value, gradient) if eval_gradient else value

    def _likelihood(self, kernel):
        """Return the log-density and its gradient; minus infinity where K has no inverse."""
        K, slopes = kernel(self.X_train_, eval_gradient=True)
        L = self._factor(K)
        if L is None:
            return -np.inf, np.zeros(slopes.shape[2])
        weights = cho_solve((L, True), self.y_train_)
        squares = (self.y_train_ * weights).sum(axis=0)
        # Each target counts by how far it is from what its scale is thought to be.
        pulls = (self.nu + len(K)) / (self.nu - 2 + squares)
        inner = (weights * pulls) @ weights.T
        inner -= weights.shape[1] * cho_solve((L, True), np.eye(len(K)))
        gradient = 0.5 * np.tensordot(inner, slopes, axes=2)
        return float(self._log_density(L, squares).sum()), gradient

    def _log_density(self, L, squares):
        """Return the log-density of each target; ``squares`` are the y' K^-1 y."""
        n, nu = len(L), self.nu
        constant = gammaln((nu + n) / 2) - gammaln(nu / 2) - n / 2 * np.log((nu - 2) * np.pi)
        return constant - np.log(np.diag(L)).sum() - (nu + n) / 2 * np.log1p(squares / (nu - 2))

    def _factor(self, K):
        """Return the lower Cholesky factor of K with alpha on its diagonal, or None."""
        K[np.diag_indices_from(K)] += self.alpha
        try:
            return cholesky(K, lower=True)
        except np.linalg.LinAlgError:
            return None

    def _best_theta(self):
        bounds, random_state = self.kernel_.bounds, check_random_state(self.random_state)
        if self.n_restarts_optimizer and not np.isfinite(bounds).all():
            raise ValueError(
                f"n_restarts_optimizer={self.n_restarts_optimizer} draws hyperparameters within "
                "their bounds; make all bounds of the kernel finite and positive."
            )
        further = [
            random_state.uniform(bounds[:, 0], bounds[:, 1])
            for _ in range(self.n_restarts_optimizer)
        ]

        def loss(theta):
            value, gradient = self._likelihood(self.kernel_.clone_with_theta(theta))
            return -value, -gradient

        found = [
            minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
            for start in [self.kernel_.theta, *further]
        ]
        best = min(found, key=lambda result: result.fun)
        if not best.success:
            warn_user(
                f"The search for hyperparameters of {type(self).__name__} did not come to an end "
                f"({best.message}). Scale the columns of X, raise alpha, or set "
                "n_restarts_optimizer.",
                ConvergenceWarning,
            )
        return best.x

    def _shaped(self, values):
        """Return values without the axis of targets where y had none."""
        return values[..., 0] if self._is_one_target else values


def _default_kernel():
    return NNGPKernel(activation="erf", input_var=1.0) + WhiteKernel(0.1)


def _check_size(n):
    if n <= _MANY:
        return
    told = (
        f"A Student-t process of {n} rows needs several matrices of {8e-9 * n**2:.1f} GB, and time "
        f"that grows with the cube of the rows. Fit it to a sample of at most {_MANY} rows, or "
        "take an estimator for many rows: KANRegressor, with loss='quantile' for intervals."
    )
    if n > _MOST:
        raise ValueError(told)
    warn_user(told)
