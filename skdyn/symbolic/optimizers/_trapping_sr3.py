"""Sparse relaxed regression whose non-linear terms conserve energy."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array

from skdyn._state import ANY_NUMBER, OPTIONAL, Shape
from skdyn._validation import Interval, StrOptions, fit_context
from skdyn.exceptions import warn_user
from skdyn.symbolic.optimizers._constraints import InfeasibleError, LinearConstraints
from skdyn.symbolic.optimizers._energy import calmest_center, energy_constraints, gradients, growth
from skdyn.symbolic.optimizers._relaxation import (
    checked_threshold,
    constrained_fit,
    constrained_relaxation,
)
from skdyn.symbolic.optimizers._sparse_optimizer import SparseOptimizer, SparseProblem

__all__ = ["TrappingSR3"]

_FLOAT: Any = np.float64  # scikit-learn's default, a text, is all that checkers see


class TrappingSR3(SparseOptimizer):
    """Sparse regressor for dynamics whose non-linear terms conserve energy.

    :class:`SR3` for polynomial terms, with coefficients such that the terms N of degree two and
    more neither add energy nor take any away [1]_,

    .. math:: x \\cdot N(x) = 0 \\quad \\text{for all } x

    as in fluids. With a ``stability_margin``, quadratic dynamics are bounded too: seen from a
    center m, which is searched for, the symmetric part of the Jacobian has no eigenvalue above
    minus the margin, so that all trajectories end in a ball around m [2]_. Without one, the linear
    terms may let solutions grow without bound.

    Parameters
    ----------
    powers : array-like of shape (n_terms, n_states), default=None
        Exponents of the states in each term, as scikit-learn's ``PolynomialFeatures.powers_``;
        more columns than targets are controls. Where None, ``fit`` has to be given them.
    stability_margin : float or None, default=None
        Rate at which energy has to decay at least, in all directions around the center.
        None does not ask for stability.
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
        Whether ``threshold`` and ``nu`` refer to columns of length one.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    coef_path_ : ndarray of shape (n_iter_, n_targets, n_features)
        The thresholded coefficients after each iteration.
    growth_rates_ : ndarray of shape (n_targets,)
        Eigenvalues at the center, in ascending order. Only with a ``stability_margin``.
    trapping_center_ : ndarray of shape (n_targets,)
        The center m. Only with a ``stability_margin``.
    trapping_radius_ : float
        Outside the ball of this radius around the center energy decays; infinite if some growth
        rate is positive. Only with a ``stability_margin``.
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
    ConstrainedSR3 : Under constraints of your own.

    References
    ----------
    .. [1] A. A. Kaptanoglu, J. L. Callaham, A. Aravkin, C. J. Hansen, S. L. Brunton, "Promoting
       global stability in data-driven models of quadratic nonlinear dynamics", Physical Review
       Fluids 6, 2021.
    .. [2] M. Schlegel, B. R. Noack, "On long-term boundedness of Galerkin models", Journal of
       Fluid Mechanics 765, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import PolynomialFeatures
    >>> from skdyn.symbolic.optimizers import TrappingSR3
    >>> rng = np.random.default_rng(0)
    >>> x, y, z = X = rng.normal(size=(3, 200))
    >>> dX = np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], axis=1)
    >>> library = PolynomialFeatures(2).fit(X.T)
    >>> model = TrappingSR3(library.powers_, threshold=0.5)
    >>> model.fit(library.transform(X.T), dX + 0.1 * rng.normal(size=dX.shape)).coef_.shape
    (3, 10)
    >>> bool(abs(model.coef_[1, 6] + model.coef_[2, 5]) < 1e-12)  # x z in dy, x y in dz
    True
    """

    trapping_center_: Annotated[np.ndarray, Shape("states"), OPTIONAL]
    growth_rates_: Annotated[np.ndarray, Shape("states"), OPTIONAL]
    trapping_radius_: Annotated[float, ANY_NUMBER, OPTIONAL]

    _parameter_constraints: dict = {
        "powers": ["array-like", None],
        "stability_margin": [Interval(Real, 0, None, closed="neither"), None],
        "threshold": [Interval(Real, 0, None, closed="left"), "array-like"],
        "regularizer": [StrOptions({"l0", "l1"})],
        "nu": [Interval(Real, 0, None, closed="neither")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "normalize_columns": ["boolean"],
    }

    def __init__(
        self,
        powers: ArrayLike | None = None,
        stability_margin: float | None = None,
        *,
        threshold: float | ArrayLike = 0.1,
        regularizer: str = "l0",
        nu: float = 1.0,
        tol: float = 0.00001,
        max_iter: int = 30,
        normalize_columns: bool = False,
    ) -> None:
        self.powers = powers
        self.stability_margin = stability_margin
        self.threshold = threshold
        self.regularizer = regularizer
        self.nu = nu
        self.tol = tol
        self.max_iter = max_iter
        self.normalize_columns = normalize_columns

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        powers: ArrayLike | None = None,
    ) -> TrappingSR3:
        """Find the coefficients.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Values of the library's terms, one column each.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Time derivatives, one column a state.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a whole number counts as so many repeats of the row.
        powers : array-like of shape (n_features, n_states), default=None
            Exponents of the states in each term, where the parameter ``powers`` is None.

        Returns
        -------
        self : object
            The fitted optimizer.

        Raises
        ------
        ValueError
            If the data or a parameter cannot be used.
        """
        known = self.powers if powers is None else powers
        return self._fit(X, y, sample_weight, powers=known)

    def _solve(self, problem, powers):
        A, B, *_ = problem
        powers = self._checked_powers(powers, B.shape[1], A.shape[1])
        constraints = energy_constraints(powers, B.shape[1])
        coef, path, converged = constrained_relaxation(
            problem, constraints,
            threshold=checked_threshold(self.threshold, B.shape[1], A.shape[1]),
            regularizer=self.regularizer, nu=self.nu, tol=self.tol, max_iter=self.max_iter,
        )  # fmt: skip
        if not converged:
            self._warn_of_no_convergence(f"the coefficients still changed by more than {self.tol}")
        self.n_iter_ = len(path)
        if self.stability_margin is not None:
            coef = self._trap(problem, coef, constraints, powers)
        return coef, path

    def _refitted(self, A, B, support):
        powers = self._checked_powers(self.powers, *support.shape)
        constraints = energy_constraints(powers, len(support))
        coef = constrained_fit(A, B, support, constraints)
        if self.stability_margin is None:
            return coef
        problem = SparseProblem(A, B, np.ones(A.shape[1]), float(len(A)))
        return self._trap(problem, coef, constraints, powers)

    def _checked_powers(self, powers, n_states, n_terms):
        if powers is None:
            warn_user(
                "TrappingSR3 was told no powers, so that it takes no term to be non-linear and "
                "constrains nothing. Pass powers=, the exponents of the states in each term.",
                UserWarning,
            )
            return np.zeros((n_terms, n_states))
        powers = check_array(powers, dtype=_FLOAT, input_name="powers")
        if powers.shape[0] != n_terms or powers.shape[1] < n_states:
            raise ValueError(
                f"powers has shape {powers.shape}; one row per term and a column for each state "
                f"were expected: ({n_terms}, {n_states}), or more columns for controls."
            )
        quadratic = powers.shape[1] == n_states and powers.sum(axis=1).max() <= 2
        if self.stability_margin is not None and not quadratic:
            raise ValueError(
                f"stability_margin={self.stability_margin} was asked for; that is known for terms "
                "of the states of degree two at most. Set it to None, or use a smaller library."
            )
        return powers

    def _trap(self, problem, coef, constraints, powers):
        """Refit until distances from the calmest center shrink in every direction."""
        constant, linear = gradients(powers, len(coef))
        center: Any = None
        gradient: Any = None
        for _ in range(10):  # each round's fit is no worse than the one before
            before = coef
            center = calmest_center(coef / problem.scale, constant, linear)
            gradient = constant + np.tensordot(center, linear, 1)
            try:
                coef = self._decaying_fit(problem, before, constraints, gradient)
            except InfeasibleError:
                warn_user(
                    f"No coefficients of the terms found decay at stability_margin="
                    f"{self.stability_margin}; they only conserve energy. Lower threshold or the "
                    "margin.",
                    ConvergenceWarning,
                )
                break
            if np.allclose(coef, before, rtol=1e-8):
                break
        self.trapping_center_ = center
        self.growth_rates_ = np.linalg.eigvalsh(growth(coef / problem.scale, gradient))
        fastest = self.growth_rates_[-1]
        terms = np.prod(center**powers, axis=1)
        force = np.linalg.norm(coef / problem.scale @ terms)
        self.trapping_radius_ = float(force / -fastest) if fastest < 0.0 else np.inf
        return coef

    def _decaying_fit(self, problem, coef, constraints, gradient):
        """Cut off, direction by direction, the coefficients that let distances grow."""
        support = coef != 0.0
        lhs, rhs, equal = constraints
        margin: Any = self.stability_margin
        for _ in range(200):
            rates, directions = np.linalg.eigh(growth(coef / problem.scale, gradient))
            growing = rates > -margin
            if not growing.any():
                return coef
            v = directions[:, growing].T
            cuts = np.einsum("ci,ct->cit", v, v @ gradient)
            lhs = np.concatenate([lhs, cuts])
            # A little beyond the margin, so that finitely many cuts reach it.
            rhs = np.concatenate([rhs, np.full(len(v), -1.01 * margin)])
            equal = np.concatenate([equal, np.zeros(len(v), dtype=bool)])
            scaled = LinearConstraints(lhs / problem.scale, rhs, equal)
            coef = constrained_fit(problem.A, problem.B, support, scaled)
        raise InfeasibleError("the cuts did not end")
