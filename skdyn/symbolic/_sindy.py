"""Sparse identification of nonlinear dynamics."""

from __future__ import annotations

from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import has_fit_parameter

from skdyn._dynamics import refuse_unread
from skdyn._state import OPTIONAL, Shape
from skdyn._validation import Interval, StrOptions, check_is_fitted, clone, fit_context
from skdyn.symbolic._coefficients import (
    coefficient_table,
    powers_of,
    standard_errors,
    sums_of_terms,
)
from skdyn.symbolic._default_parts import DefaultParts
from skdyn.symbolic._doubts import disturbed, say_dependence, say_residuals, unexplained
from skdyn.symbolic._equations import SymbolicODEMixin
from skdyn.symbolic._implicit import fit_rational, rational_errors
from skdyn.symbolic._measurements import Measurements, dependence
from skdyn.symbolic._system import EquationSystem
from skdyn.symbolic.differentiation import Differentiator, FiniteDifference
from skdyn.symbolic.libraries import FeatureLibrary, PolynomialLibrary
from skdyn.symbolic.libraries._term import evaluate_terms
from skdyn.symbolic.optimizers import SSR, STLSQ
from skdyn.symbolic.optimizers._sparse_optimizer import SparseOptimizer

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SINDyRegressor"]


class SINDyRegressor(
    DefaultParts, SymbolicODEMixin, MultiOutputMixin, RegressorMixin, BaseEstimator
):
    """Sparse identification of nonlinear dynamics (SINDy), from parts of your choice.

    Finds few terms of a library that make up the derivatives of the states [1]_,

    .. math:: \\dot x_i = \\sum_j \\xi_{ij} \\, \\theta_j(x, u)

    or, with ``implicit_library``, rational right-hand sides [2]_ [3]_

    .. math:: \\dot x_i \\, \\Bigl(1 + \\sum_k \\delta_{ik} \\, \\psi_k(x, u)\\Bigr)
        = \\sum_j \\xi_{ij} \\, \\theta_j(x, u).

    The parts are objects, reachable in a search as ``sparse_optimizer__threshold``. Given ``y``, it
    is sparse regression of any target on a library, without a look at time.

    Parameters
    ----------
    feature_library : FeatureLibrary or None, default=None
        The terms; None is ``PolynomialLibrary(degree=2)``.
    differentiation_method : Differentiator or None, default=None
        How derivatives are estimated, or done without; None is ``FiniteDifference()``. Noisy data
        need another, such as ``SmoothedFiniteDifference()`` or ``WeakForm()``.
    sparse_optimizer : estimator or None, default=None
        Sparse linear regressor without intercept, of this package or of scikit-learn; None is
        ``STLSQ()``, and ``SSR()`` with ``implicit_library``. ``EnsembleOptimizer`` gives inclusion
        probabilities.
    implicit_library : FeatureLibrary or None, default=None
        Terms of denominators; its constant is the one that is there anyway. None has no
        denominators. Every term of the implicit equation is tried alone on the left [3]_, and
        the sets of terms that the optimizer passes are judged by rows held out.
    max_gap : float or "auto", default="auto"
        Time between neighboring complete rows beyond which a trajectory is cut, so that nothing is
        estimated across the hole that a splitter or a failed sensor leaves. "auto" is ten times
        the median.

    Attributes
    ----------
    coef_ : ndarray of shape (n_targets, n_terms)
        Coefficients; of the numerators with ``implicit_library``.
    std_errors_ : ndarray of shape (n_targets, n_terms)
        Standard errors of least squares on the terms found, zero for the others.
    denominator_coef_ : ndarray of shape (n_targets, n_denominator_terms)
        Coefficients of the denominators beside the one. Only with ``implicit_library``.
    feature_library_ : FeatureLibrary
        The fitted library.
    implicit_library_ : FeatureLibrary or None
        The fitted library of the denominators; None without.
    differentiation_method_ : Differentiator
        What estimates derivatives.
    sparse_optimizer_ : estimator or None
        The fitted optimizer; None with ``implicit_library``, which has many for each equation.
    time_unit_ : str or None
        Unit of the times in the equations: "days since 2020-01-01" where they came as dates (UTC),
        "days" where they came as durations; None where they were numbers.
    control_names_ : list of str
        Names of the controls.
    bounds_ : ndarray of shape (n_features, 2)
        Lowest and highest value of each state.
    system_ : EquationSystem
        The equations.
    n_features_in_ : int
        Number of states.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the states, when all are strings.

    See Also
    --------
    SymbolicODERegressor : Chooses terms, inner constants and sparsity by itself.

    Notes
    -----
    Standard errors take the terms found for the true ones and the errors of derivatives for
    independent, so that they are too small where noise is smoothed or windows overlap.

    References
    ----------
    .. [1] S. L. Brunton, J. L. Proctor, J. N. Kutz, "Discovering governing equations from data by
       sparse identification of nonlinear dynamical systems", PNAS 113, 2016.
    .. [2] N. M. Mangan, S. L. Brunton, J. L. Proctor, J. N. Kutz, "Inferring biological networks by
       sparse identification of nonlinear dynamics", IEEE Transactions on Molecular, Biological and
       Multi-Scale Communications 2(1), 2016.
    .. [3] K. Kaheman, J. N. Kutz, S. L. Brunton, "SINDy-PI: a robust algorithm for parallel
       implicit sparse identification of nonlinear dynamics", Proceedings of the Royal Society A
       476, 2020.

    Examples
    --------
    >>> from skdyn.datasets import make_lorenz63
    >>> from skdyn.symbolic import FiniteDifference, SINDyRegressor
    >>> X, t = make_lorenz63(n_timepoints=2000, t_span=(0, 10), random_state=0)
    >>> model = SINDyRegressor(differentiation_method=FiniteDifference(order=4)).fit(X, t=t)
    >>> model.print(precision=2)
    x0' = -10 x0 + 10 x1
    x1' = 28 x0 - x1 - x0 x2
    x2' = -2.7 x2 + x0 x1
    >>> model.simulate(X[0, :, 0], t).shape
    (2000, 3)
    """

    differentiation_method_: Differentiator
    feature_library_: FeatureLibrary
    implicit_library_: FeatureLibrary | None
    sparse_optimizer_: BaseEstimator | None
    coef_: Annotated[np.ndarray, Shape("equations terms")]
    std_errors_: Annotated[np.ndarray, Shape("equations terms", finite=False)]
    denominator_coef_: Annotated[np.ndarray, Shape("equations denominators"), OPTIONAL]
    denominator_std_errors_: Annotated[
        np.ndarray, Shape("equations denominators", finite=False), OPTIONAL
    ]

    _old_names = {"optimizer": "sparse_optimizer", "optimizer_": "sparse_optimizer_"}
    _parameter_constraints: dict = {
        "feature_library": [FeatureLibrary, None],
        "differentiation_method": [Differentiator, None],
        "sparse_optimizer": [BaseEstimator, None],
        "implicit_library": [FeatureLibrary, None],
        "max_gap": [Interval(Real, 0, None, closed="right"), StrOptions({"auto"})],
    }
    _default_parts = {
        "feature_library": PolynomialLibrary, "differentiation_method": FiniteDifference,
        "sparse_optimizer": STLSQ,
    }  # fmt: skip
    _expected_failed_checks = {
        "check_estimators_pickle": (
            "It asks for derivatives of incomplete states, since fit accepts NaN; they have none, "
            "and predict says so."
        )
    }

    def __init__(
        self,
        feature_library: FeatureLibrary | None = None,
        differentiation_method: Differentiator | None = None,
        sparse_optimizer: BaseEstimator | None = None,
        *,
        implicit_library: FeatureLibrary | None = None,
        max_gap: float | str = "auto",
    ) -> None:
        self.feature_library = feature_library
        self.differentiation_method = differentiation_method
        self.sparse_optimizer = sparse_optimizer
        self.implicit_library = implicit_library
        self.max_gap = max_gap

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.target_tags.required = False
        return tags

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        t: Any = None,
        u: Any = None,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        X_val: None = None,
        t_val: None = None,
    ) -> Self:
        """Find the equations.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features) or (n_cases, n_channels, n_timepoints)
            One trajectory, or trajectories; a list of ``(n_channels, n_timepoints_i)`` for unequal
            lengths. Rows with NaN are left out.
        y : array-like in the layout of X, or of shape (n_samples,), default=None
            Derivatives where they are known, or any other target. None estimates them over ``t``.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), or float, default=None
            Increasing times, a list for unequal lengths; or the step between them. None is 1. Dates
            and durations are read as numbers in ``time_unit_``.
        u : array-like in the layout of X, default=None
            Controls: further inputs of the equations.
        groups : array-like of shape (n_timepoints,), default=None
            Trajectory of each row of a 2-D ``X`` that holds several, with one time a row. Refused
            beside several cases.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. Only with ``y``.
        X_val, t_val : None, default=None
            Not read, and refused: nothing is watched. They are for ``score``.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data cannot be used, a state is constant or depends linearly on others, there
            are fewer rows than terms, or a term or denominator has no value on the data.

        Warns
        -----
        UserWarning
            If an equation leaves far more than the noise of the states explains, or its terms
            depend on each other along the data.
        """
        refuse_unread(self, X_val=X_val, t_val=t_val)
        self.__dict__.pop("system_", None)  # of an earlier fit
        method = self.differentiation_method
        self.differentiation_method_ = FiniteDifference() if method is None else clone(method)
        self.differentiation_method_._validate_params()
        data = self._learn(X, y, t, u, groups, sample_weight)
        self.feature_library_, self.implicit_library_ = self._fitted(self.feature_library), None
        if self.implicit_library is not None:
            self.implicit_library_ = self._fitted(self.implicit_library)
            data = data if y is not None else self._derived(data.segments)
        A, B = self._regression(data)
        if y is None:
            self._refuse_few(A)
        fit = self._fit_linear if self.implicit_library is None else self._fit_implicit
        fit(A, B, data)
        return self

    def _usable(self, data):
        method = self.differentiation_method_
        advice = "raise max_gap, or choose another differentiation_method"
        fewest = method._fewest()
        data = data.long(fewest, fewest, method, advice)
        if told := dependence(data.inputs, self._input_names()):
            raise ValueError(told)
        return data

    def _refuse_few(self, A):
        below = self.implicit_library_
        n_terms = A.shape[1] + (0 if below is None else below.n_output_features_)
        if len(A) < n_terms:
            raise ValueError(
                f"There are fewer samples, {len(A)} rows of the regression, than the {n_terms} "
                "terms of the library. Use a smaller library, a denser record or more of it."
            )

    def _fitted(self, library):
        """Fit a library to the names of its columns; there is nothing else that it needs."""
        library = PolynomialLibrary() if library is None else clone(library)
        names = self._input_names()
        library.terms_ = library._list_terms({name: f"x{i}" for i, name in enumerate(names)})
        library._functions = library._callables()
        library.n_features_in_, library.n_output_features_ = len(names), len(library.terms_)
        return library

    def _derived(self, segments):
        """Return estimated states with controls, and derivatives as targets."""
        inputs, slopes = [], []
        for t, X, u in segments:
            smooth, derivative = self.differentiation_method_.differentiate(X, t)
            known = np.isfinite(derivative).all(axis=1)
            inputs.append((smooth if u is None else np.hstack([smooth, u]))[known])
            slopes.append(derivative[known])
        return Measurements([], np.concatenate(inputs), np.concatenate(slopes))

    def _regression(self, data):
        """Return terms and what their sums should be."""
        if data.targets is not None:
            return self._terms(data.inputs), data.targets
        # All was checked when it was read: not again for each segment.
        method = self.differentiation_method_
        pairs = [
            method._system(lambda X, u=u: self._terms(X if u is None else np.hstack([X, u])), X, t)
            for t, X, u in data.segments
        ]
        return pairs[0] if len(pairs) == 1 else map(np.concatenate, zip(*pairs, strict=True))

    def _terms(self, inputs):
        """Evaluate the library on checked inputs."""
        library = self.feature_library_
        values = evaluate_terms(library.terms_, inputs, library._functions)
        # Only a sum of finite values is finite, but it may overflow: then look at each.
        return values if np.isfinite(values.sum()) else library.transform(inputs)

    def _fit_linear(self, A, B, data):
        weight = data.weight
        optimizer: Any = STLSQ() if self.sparse_optimizer is None else clone(self.sparse_optimizer)
        if isinstance(optimizer, SparseOptimizer):
            options = {}
            trapping: Any = optimizer
            if hasattr(trapping, "powers"):
                known = trapping.powers
                options["powers"] = powers_of(self.feature_library_) if known is None else known
            optimizer._validate_params()
            optimizer._fit_checked(A, B, weight, **options)
        elif weight is None:
            optimizer.fit(A, B)
        elif has_fit_parameter(optimizer, "sample_weight"):
            optimizer.fit(A, B, sample_weight=weight)
        else:
            raise ValueError(f"sample_weight was passed, but {optimizer} takes none.")
        if np.any(getattr(optimizer, "intercept_", 0.0)):
            raise ValueError(
                f"{optimizer} fitted an intercept beside the library's terms. Set "
                "fit_intercept=False; a constant is a term of the library."
            )
        self.sparse_optimizer_ = optimizer
        self.coef_ = np.reshape(optimizer.coef_, (B.shape[1], A.shape[1]))
        errors = B - A @ self.coef_.T
        self.std_errors_ = standard_errors(A, errors, weight, self.coef_ != 0.0)
        say_dependence(A, self.coef_ != 0.0, self.get_feature_names(), self._target_names())
        if data.targets is None:
            self._say_residuals(errors, B, data)

    def _say_residuals(self, errors, B, data):
        if (left := unexplained(errors, B)).any():
            A, B = self._regression(Measurements(disturbed(data.segments)))
            say_residuals(errors, B - A @ self.coef_.T - errors, left, self._target_names())

    def _fit_implicit(self, A, B, data):
        if data.weight is not None:
            raise ValueError("sample_weight has no meaning with implicit_library. Leave one out.")
        library: Any = self.implicit_library_
        below = library.transform(data.inputs)
        # The constant of the denominator is one already.
        below *= [float(term != ()) for term in library.terms_]
        optimizer = SSR() if self.sparse_optimizer is None else self.sparse_optimizer
        pairs = []
        for name, target in zip(self._target_names(), B.T, strict=True):
            found = fit_rational(optimizer, A, below, target, name)
            pairs.append((found, rational_errors(found, A, below, target)))
        functions, errors = zip(*pairs, strict=True)
        self.coef_, self.denominator_coef_ = map(np.stack, zip(*functions, strict=True))
        self.std_errors_, self.denominator_std_errors_ = map(np.stack, zip(*errors, strict=True))
        self.sparse_optimizer_ = None

    def _target_names(self):
        return self._targets or [f"{name}'" for name in self._state_names()]

    def _evaluate(self, inputs):
        values = self._terms(inputs) @ self.coef_.T
        if self.implicit_library_ is None:
            return values
        below = 1.0 + self.implicit_library_.transform(inputs) @ self.denominator_coef_.T
        if not below.all():
            row = int(np.argmin(below.all(axis=1)))
            raise ValueError(f"A denominator is zero in row {row} of X, at {inputs[row].tolist()}.")
        return values / below

    def score(  # pyright: ignore[reportIncompatibleMethodOverride]: of trajectories
        self,
        X: Any,
        y: Any = None,
        *,
        t: Any = None,
        u: Any = None,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        of: Literal["solution", "derivative"] = "derivative",
    ) -> float:
        """Return the coefficient of determination of derivatives, or of solutions.

        Parameters
        ----------
        X : array-like
            As in ``fit``.
        y : array-like, default=None
            As in ``fit``; compared with the right-hand sides, whatever ``of`` is.
        t, u, groups : array-like, default=None
            As in ``fit``.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. Only with ``y``.
        of : {"solution", "derivative"}, default="derivative"
            "derivative" compares rises of ``X`` over short windows with integrals of the right-hand
            sides along ``X``. "solution" solves the equations from the first state of each stretch
            of complete rows, and compares with ``X``.

        Returns
        -------
        float
            R2, mean over the equations. Of solutions it is at least -10, which is also the score of
            equations with a solution that blows up. Without ``y`` it means the same in all models
            of dynamics; see :class:`skdyn.metrics.DynamicsScorer`.
        """
        return self._score(X, y, t, u, groups, sample_weight, of)

    def get_feature_names(self) -> list[str]:
        """Return the names of the library's terms.

        Returns
        -------
        list of str
            One for each column of ``coef_``, such as "x0 x1".
        """
        check_is_fitted(self)
        return self.feature_library_.get_feature_names_out(self._input_names()).tolist()

    def coefficients(self) -> pd.DataFrame:
        """Return the coefficients as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each coefficient that is not zero, or that some model of an ensemble took:
            ``equation``, ``term``, ``coefficient``, ``std_error``; ``inclusion_probability`` with
            an ensemble; ``denominator``, whether the term is below, with ``implicit_library``.
        """
        import pandas as pd

        check_is_fitted(self)
        columns = {"coefficient": self.coef_, "std_error": self.std_errors_}
        chance = getattr(self.sparse_optimizer_, "inclusion_probabilities_", None)
        if chance is not None:
            columns["inclusion_probability"] = chance
        equations = self._target_names()
        table = coefficient_table(equations, self.get_feature_names(), **columns)
        if self.implicit_library_ is None:
            return table
        columns = {"coefficient": self.denominator_coef_, "std_error": self.denominator_std_errors_}
        names = self.implicit_library_.get_feature_names_out(self._input_names())
        below = coefficient_table(equations, names, **columns)
        parts = [table.assign(denominator=False), below.assign(denominator=True)]
        return pd.concat(parts).sort_values("equation", kind="stable", ignore_index=True)

    @cached_property
    def system_(self) -> EquationSystem:
        """The equations."""
        import sympy

        check_is_fitted(self)
        symbols = [sympy.Symbol(name, real=True) for name in self._input_names()]
        expressions = sums_of_terms(self.feature_library_.to_sympy(symbols), self.coef_)
        if self.implicit_library_ is not None:
            below = self.implicit_library_.to_sympy(symbols)
            below = sums_of_terms(below, self.denominator_coef_)
            expressions = [e / (1 + d) for e, d in zip(expressions, below, strict=True)]
        return EquationSystem(
            expressions, self._state_names(), self.control_names_, target_names=self._targets,
            functions=self.feature_library_._functions,
        )  # fmt: skip
