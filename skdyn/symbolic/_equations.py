"""What every estimator that finds equations offers once they are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.metrics import r2_score

from skdyn._controls import controls_of_cases
from skdyn._dynamics import WORST, check_of, derivative_score, solution_score
from skdyn._state import OPTIONAL, PlainState, Shape, Since
from skdyn._time_units import labeled_by, read_times
from skdyn._times import refuse_lost_times
from skdyn._trajectories import is_trajectories
from skdyn._validation import as_floats, check_is_fitted, validate_data
from skdyn.exceptions import SolverError
from skdyn.symbolic._fixed_points import FixedPoint
from skdyn.symbolic._measurements import check_inputs, read_measurements

if TYPE_CHECKING:
    import sympy

__all__ = ["SymbolicODEMixin"]

_MARGIN = 0.1
_ATOL = 1e-10  # absolute error of solutions, of states that are not small


class SymbolicODEMixin(PlainState, BaseEstimator):
    """The equations of a fitted estimator: shown, evaluated, solved.

    An estimator finds ``system_``, an :class:`EquationSystem`, in what ``_learn`` returns, and says
    in ``_usable`` what of the measurements it can use; it may evaluate derivatives itself in
    ``_evaluate``.
    """

    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    control_names_: list[str]
    bounds_: Annotated[np.ndarray, Shape("n_features_in_ 2")]
    _targets: list[str] | None
    _flat: bool = False
    time_unit_: Annotated[str | None, Since(lambda state: None)]
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
            state that is not complete (NaN), or whose controls are not, has derivatives NaN.
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
        given: Any = X
        cases = [as_floats(case) for case in given]
        controls = controls_of_cases(u, [len(case.T) for case in cases])
        pairs = zip(cases, controls, strict=True)
        out = [self._case_derivatives(case, u_case) for case, u_case in pairs]
        return out if isinstance(X, list | tuple) else np.stack(out)

    if TYPE_CHECKING:

        def _usable(self, data: Any) -> Any: ...

    def _learn(self, X, y, t, u, groups, sample_weight=None):
        """Return what fit is to learn from; keep its names and its range."""
        data = read_measurements(self, X, y, t, u, groups, sample_weight, reset=True)
        data = data if y is not None else self._usable(data)
        self._targets, self._flat = data.target_names, data.flat
        self._counts_times = data.counted
        X = data.inputs[:, : self.n_features_in_]
        self.bounds_ = np.stack([X.min(axis=0), X.max(axis=0)], axis=1)
        return data

    def _state_names(self):
        default = [f"x{i}" for i in range(self.n_features_in_)]
        return list(getattr(self, "feature_names_in_", default))

    def _input_names(self):
        return [*self._state_names(), *self.control_names_]

    def _case_derivatives(self, case, u):
        known = ~np.isnan(case).any(axis=0)
        X = validate_data(self, np.where(known, case, 0.0).T, reset=False)
        if u is not None:
            known &= ~np.isnan(u).any(axis=1)
            u = u[known]
        derivatives = self._derivatives(X[known], u)
        out = np.full((derivatives.shape[1], len(known)), np.nan)
        out[:, known] = derivatives.T
        return out

    def _derivatives(self, X, u):
        """Return derivatives of complete states, shape (n_samples, n_equations)."""
        return self._evaluate(check_inputs(X, u, self.control_names_))

    def _evaluate(self, inputs):
        """Return derivatives at states with controls to their right."""
        X, u = np.split(inputs, [self.n_features_in_], axis=1)
        values = self.system_.rhs(X, u if self.control_names_ else None)
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise ValueError(
                f"The equation {self.equations()[column]} has no finite value in row {row} of X, "
                f"at {X[row].tolist()}. Leave such states out."
            )
        return values

    def _score(self, X, y, t, u, groups, sample_weight, of):
        check_is_fitted(self)
        check_of(of)
        if y is None and self._targets is not None:
            raise ValueError("fit was given targets as y; score compares with targets too: pass y.")
        data = read_measurements(self, X, y, t, u, groups, sample_weight, reset=False)
        if y is not None:
            found = self._evaluate(data.inputs)
            return float(r2_score(data.targets, found, sample_weight=data.weight))
        refuse_lost_times(self, t)
        if of == "derivative":
            return derivative_score([(s.t, s.X, self._evaluate(s.inputs)) for s in data.segments])
        try:
            solved = [self.simulate(X[0], t, u) for t, X, u in data.segments]
        except SolverError:
            return WORST
        return solution_score(np.concatenate([s.X for s in data.segments]), np.concatenate(solved))

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
            One trajectory for one state, else one per case. One trajectory at dates or durations in
            an index of pandas is a frame with that index.

        Raises
        ------
        SolverError
            If a solution leaves the finite numbers or cannot be followed; it names time and state.
        """
        check_is_fitted(self)
        size = np.abs(self.bounds_).max(axis=1)
        options.setdefault("atol", _ATOL * np.where(size > 0.0, np.minimum(size, 1.0), 1.0))
        if "t0" in options:
            options["t0"] = read_times(self, options["t0"], reset=False, name="t0")
        solved = self.system_.simulate(x0, read_times(self, t, reset=False), u, **options)
        return labeled_by(t, solved, self._state_names())

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
