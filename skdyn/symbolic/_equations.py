"""What every estimator that finds equations offers once they are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skdyn._state import OPTIONAL, PlainState, Shape, Since
from skdyn._trajectories import is_trajectories
from skdyn._validation import as_floats, check_is_fitted, validate_data
from skdyn.symbolic._fixed_points import FixedPoint
from skdyn.symbolic._measurements import check_inputs, read_segments

if TYPE_CHECKING:
    import sympy

__all__ = ["SymbolicODEMixin"]

_MARGIN = 0.1
_ATOL = 1e-10  # absolute error of solutions, of states that are not small


class SymbolicODEMixin(PlainState, BaseEstimator):
    """The equations of a fitted estimator: shown, evaluated, solved.

    An estimator supplies ``system_``, an :class:`EquationSystem`, and ``bounds_``, the lowest and
    highest value of each state in the training data; it may evaluate derivatives itself in
    ``_derivatives``.
    """

    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    control_names_: list[str]
    bounds_: Annotated[np.ndarray, Shape("n_features_in_ 2")]
    _targets: list[str] | None
    _flat: bool = False
    _counts_times: Annotated[bool, Since(lambda state: True)]  # as was taken for granted
    if TYPE_CHECKING:  # of the estimators
        max_gap: Any
        system_: Any

    def equations(self, precision: int = 3) -> list[str]:
        """Return the equations as text.

        Parameters
        ----------
        precision : int, default=3
            Significant digits of the numbers.

        Returns
        -------
        list of str
            Such as "x' = 1.1 x - 0.4 x y".
        """
        check_is_fitted(self)
        return self.system_.equations(precision)

    def print(self, precision: int = 3) -> None:
        """Print the equations.

        Parameters
        ----------
        precision : int, default=3
            Significant digits of the numbers.
        """
        print("\n".join(self.equations(precision)))

    def latex(self, precision: int = 3) -> str:
        """Return the equations in LaTeX.

        Parameters
        ----------
        precision : int, default=3
            Significant digits of the numbers.

        Returns
        -------
        str
            An ``aligned`` block for mathematics mode.
        """
        check_is_fitted(self)
        return self.system_.latex(precision)

    def to_sympy(self) -> list[sympy.Expr]:
        """Return the right-hand sides as sympy expressions.

        Returns
        -------
        list of sympy.Expr
            In real symbols of the features' and controls' names.
        """
        check_is_fitted(self)
        return self.system_.to_sympy()

    def predict(self, X: ArrayLike | Sequence[ArrayLike], u: Any = None) -> Any:
        """Evaluate the right-hand sides: the derivatives of states, or whatever ``y`` was.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_cases, n_channels, n_timepoints)
            States; a list of ``(n_channels, n_timepoints_i)`` too. With three axes and in lists, a
            state that is not complete (NaN) has derivatives NaN.
        u : array-like, default=None
            Controls in the layout of ``X``.

        Returns
        -------
        ndarray or list of ndarray
            Derivatives in the layout of ``X``; of shape ``(n_samples,)`` where ``y`` was 1-D.

        Raises
        ------
        ValueError
            If the states or controls do not fit the equations, or an equation has no value.
        """
        check_is_fitted(self)
        if not is_trajectories(X):
            X = validate_data(self, X, reset=False, dtype=np.float64)
            return self._derivatives(X, u)[:, 0] if self._flat else self._derivatives(X, u)
        cases = [as_floats(case) for case in X]
        controls = [None] * len(cases) if u is None else list(u)
        if len(controls) != len(cases):
            raise ValueError(f"u must have a row for each of the {len(cases)} cases of X.")
        pairs = zip(cases, controls, strict=True)
        out = [self._case_derivatives(case, u_case) for case, u_case in pairs]
        return out if isinstance(X, list | tuple) else np.stack(out)

    def _segments(self, X, t, u, groups, reset):
        segments = read_segments(self, X, t, u, groups, max_gap=self.max_gap, reset=reset)
        check_inputs(segments[0].X, segments[0].u, self.control_names_)
        return segments

    def _state_names(self):
        default = [f"x{i}" for i in range(self.n_features_in_)]
        return list(getattr(self, "feature_names_in_", default))

    def _input_names(self):
        return [*self._state_names(), *self.control_names_]

    def _case_derivatives(self, case, u):
        rows = case.T
        known = ~np.isnan(rows).any(axis=1)
        rows = validate_data(self, np.where(known[:, None], rows, 0.0), reset=False)[known]
        if u is not None:
            u = np.atleast_2d(as_floats(u)).T
            if len(u) != len(known):
                raise ValueError(
                    f"u must have shape (n_controls, n_timepoints) in each case, as X has; got "
                    f"{u.T.shape} for {len(known)} time points."
                )
            u = u[known]
        derivatives = self._derivatives(rows, u)
        out = np.full((derivatives.shape[1], len(known)), np.nan)
        out[:, known] = derivatives.T
        return out

    def _derivatives(self, X, u):
        """Return derivatives of complete states, shape (n_samples, n_equations)."""
        values = self.system_.rhs(X, u)
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise ValueError(
                f"The equation {self.equations()[column]} has no finite value in row {row} of X, "
                f"at {X[row].tolist()}. Leave such states out."
            )
        return values

    def vector_field(self, X: ArrayLike, t: Any = None, u: ArrayLike | None = None) -> np.ndarray:
        """Return the velocities at states, as :class:`~skdyn.inspection.VectorFieldDisplay` wants.

        Parameters
        ----------
        X : array-like of shape (n_points, n_features)
            States.
        t : Ignored
            Not used: the equations do not depend on time. Present for API consistency.
        u : array-like of shape (n_points, n_controls), default=None
            Controls there.

        Returns
        -------
        ndarray of shape (n_points, n_features)
            Not finite where an equation has no value.
        """
        check_is_fitted(self)
        return self.system_.rhs(as_floats(X), u)

    def simulate(
        self,
        x0: ArrayLike,
        t: ArrayLike,
        u: ArrayLike | Callable[[float], Any] | None = None,
        **options: Any,
    ) -> np.ndarray:
        """Solve the equations from ``x0``.

        Parameters
        ----------
        x0 : array-like of shape (n_features,) or (n_cases, n_features)
            Start state, or states, at ``t[0]``.
        t : array-like of shape (n_timepoints,)
            Times, strictly increasing.
        u : callable or array-like of shape (n_timepoints, n_controls), default=None
            Controls: a function of time, or their values at ``t`` with straight lines in between.
        **options
            Further arguments of :meth:`EquationSystem.simulate`: ``t0``, ``rtol``, ``atol``,
            ``bound``, ``max_steps``. ``atol`` is 1e-10, or for states that were below 1 in the
            data, as much smaller as they were.

        Returns
        -------
        ndarray of shape (n_timepoints, n_features) or (n_cases, n_features, n_timepoints)
            One trajectory for one state, else one a case.

        Raises
        ------
        SolverError
            If a solution leaves the finite numbers or cannot be followed; it names time and state.
        """
        check_is_fitted(self)
        size = np.abs(self.bounds_).max(axis=1)
        options.setdefault("atol", _ATOL * np.where(size > 0.0, np.minimum(size, 1.0), 1.0))
        return self.system_.simulate(x0, t, u, **options)

    def fixed_points(
        self, bounds: ArrayLike | None = None, u: ArrayLike | None = None
    ) -> list[FixedPoint]:
        """Find where all derivatives vanish.

        Parameters
        ----------
        bounds : array-like of shape (n_features, 2), default=None
            Lowest and highest value of each state; None looks in the range of the training data
            and a tenth of it beyond.
        u : array-like of shape (n_controls,), default=None
            Values at which the controls rest.

        Returns
        -------
        list of FixedPoint
            Named tuples ``(point, eigenvalues, kind)``.
        """
        check_is_fitted(self)
        if bounds is None:  # data that approach a fixed point may not quite reach it
            around = _MARGIN * np.ptp(self.bounds_, axis=1)
            bounds = np.stack([self.bounds_[:, 0] - around, self.bounds_[:, 1] + around], axis=1)
        return self.system_.fixed_points(bounds, u)
