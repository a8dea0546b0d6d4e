"""Systems of equations in closed form: evaluated, solved, shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from skdyn._controls import refuse_other_columns
from skdyn._state import PlainState, declared_names
from skdyn._validation import as_floats
from skdyn.formulas import latex, show, to_sympy
from skdyn.formulas._expression import written
from skdyn.formulas._reader import read
from skdyn.symbolic._fixed_points import FixedPoint, find_fixed_points
from skdyn.symbolic._simulation import simulate_system

if TYPE_CHECKING:
    import sympy

__all__ = ["EquationSystem"]


class EquationSystem(PlainState):
    """Right-hand sides in closed form, :math:`\\dot x_i = f_i(x, u)`.

    Parameters
    ----------
    expressions : sequence of sympy.Expr or str
        The right-hand sides, in symbols of the names below; text is a formula as
        :mod:`skdyn.formulas` describes it and is never run.
    state_names : sequence of str
        Names of the states.
    control_names : sequence of str, default=()
        Names of the controls.
    target_names : sequence of str or None, default=None
        What to write on the left; None writes the derivatives of the states.
    functions : dict of str to callable or None, default=None
        The functions in the expressions that sympy does not have.

    Attributes
    ----------
    state_names : list of str
        Names of the states.
    control_names : list of str
        Names of the controls.
    target_names : list of str
        The left-hand sides.

    Raises
    ------
    ValueError
        If an expression has a name that is neither a state nor a control.

    See Also
    --------
    SymbolicODERegressor : Finds such systems.
    SINDyRegressor : Finds them in a library of terms.

    Examples
    --------
    >>> from skdyn.symbolic import EquationSystem
    >>> system = EquationSystem(["1.1*x - 0.4*x*y", "0.1*x*y - 0.4*y"], ["x", "y"])
    >>> system
    x' = 1.1 x - 0.4 x y
    y' = -0.4 y + 0.1 x y
    >>> system.simulate([5.0, 3.0], [0.0, 1.0, 2.0]).round(2)
    array([[5.  , 3.  ],
           [4.31, 3.21],
           [3.57, 3.19]])
    """

    state_names: list[str]
    control_names: list[str]
    target_names: list[str]
    functions: dict[str, Callable]
    _texts: list[str]
    _old_names = {"texts": "_texts"}

    def __init__(
        self,
        expressions: Sequence[sympy.Expr | str],
        state_names: Sequence[str],
        control_names: Sequence[str] = (),
        *,
        target_names: Sequence[str] | None = None,
        functions: Mapping[str, Callable] | None = None,
    ) -> None:
        self.state_names, self.control_names = list(state_names), list(control_names)
        names = self.state_names + self.control_names
        if len(set(names)) < len(names):
            raise ValueError(f"States and controls need names of their own; got {names}.")
        if target_names is None:
            target_names = [f"{name}'" for name in state_names]
        self.target_names, self.functions = list(target_names), dict(functions or {})
        if len(expressions) != len(self.target_names):
            raise ValueError(
                f"expressions must hold one for each of the {len(self.target_names)} equations; "
                f"got {len(expressions)}."
            )
        self._texts = [self._own_text(expression) for expression in expressions]

    # The names may be any text; inside, the variables are x0, x1, ..., first all states.
    @property
    def _variables(self):
        return [f"x{i}" for i in range(len(self.state_names) + len(self.control_names))]

    @cached_property
    def _symbols(self):
        import sympy

        return [sympy.Symbol(name, real=True) for name in self._variables]

    def _own_text(self, expression):
        names = self.state_names + self.control_names
        symbols = dict(zip(names, self._symbols, strict=True))
        if isinstance(expression, str):
            expression = to_sympy(expression, symbols, [*self.functions])
        else:
            import sympy

            expression = sympy.sympify(expression)
            unknown = sorted({symbol.name for symbol in expression.free_symbols} - set(symbols))
            if unknown:
                raise ValueError(
                    f"The expression {expression} contains {', '.join(unknown)}, but the states "
                    f"and controls are {', '.join(names)}."
                )
            own = {symbol: symbols[symbol.name] for symbol in expression.free_symbols}
            expression = expression.xreplace(own)
        return written(expression)

    @cached_property
    def _expressions(self):
        symbols = {symbol.name: symbol for symbol in self._symbols}
        return [to_sympy(text, symbols, [*self.functions]) for text in self._texts]

    def __getstate__(self):
        """Keep plain text and names, and nothing compiled."""
        return {name: vars(self)[name] for name in declared_names(type(self))}

    @classmethod
    def _check_state(cls, state):
        n_variables = len(state["state_names"]) + len(state["control_names"])
        if len(state["_texts"]) != len(state["target_names"]):
            raise ValueError(f"There are not as many expressions as names: {state}.")
        names = tuple(f"x{i}" for i in range(n_variables))
        for text in state["_texts"]:
            read(text, names, state["functions"])

    def __repr__(self):
        return "\n".join(self.equations())

    def __eq__(self, other):
        if not isinstance(other, EquationSystem):
            return NotImplemented
        return self.__getstate__() == other.__getstate__()

    __hash__ = None  # pyright: ignore[reportAssignmentType]: not hashable

    @cached_property
    def _compiled(self):
        return self._compile(self._expressions, "numpy")

    @cached_property
    def _compiled_scalar(self):
        """For one state of Python floats: without numpy's cost a call."""
        return self._compile(self._expressions, "math")

    @cached_property
    def _compiled_jacobian(self):
        import sympy

        states = self._symbols[: len(self.state_names)]
        flat = [expression.diff(state) for expression in self._expressions for state in states]
        flat = [slope.replace(sympy.DiracDelta, _nowhere) for slope in flat]  # steps have no slope
        return self._compile(flat, "numpy")

    def _compile(self, expressions, module):
        import sympy

        modules = [self.functions, module] if self.functions else module
        return sympy.lambdify(self._symbols, expressions, modules=modules, cse=True)

    def _columns(self, X, u):
        X = as_floats(X)
        n_states, n_controls = len(self.state_names), len(self.control_names)
        if X.ndim != 2 or X.shape[1] != n_states:
            raise ValueError(
                f"X must hold states, shape (n_samples, {n_states}); got shape {X.shape}."
            )
        if n_controls == 0:
            if u is not None:
                raise ValueError("u was passed, but the equations have no controls. Leave it out.")
            return X.T
        if u is None:
            raise ValueError(
                f"The equations have the controls {', '.join(self.control_names)}: pass u, shape "
                f"(n_samples, {n_controls})."
            )
        refuse_other_columns(u, self.control_names, "u")
        u = as_floats(u)
        u = u[:, None] if u.ndim == 1 and n_controls == 1 else u
        if u.shape not in ((len(X), n_controls), (1, n_controls), (n_controls,)):
            raise ValueError(
                f"u must have shape {(len(X), n_controls)}, one row for each of X; got {u.shape}."
            )
        return [*X.T, *np.broadcast_to(u, (len(X), n_controls)).T]

    def rhs(self, X: ArrayLike, u: ArrayLike | None = None) -> np.ndarray:
        """Evaluate the right-hand sides.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_states)
            States.
        u : array-like of shape (n_samples, n_controls), default=None
            Controls; one row, ``(n_controls,)``, serves all samples.

        Returns
        -------
        ndarray of shape (n_samples, n_equations)
            Not finite where an expression has no value.
        """
        columns = self._columns(X, u)
        values = np.empty((len(columns[0]), len(self._texts)))
        with np.errstate(all="ignore"):
            for i, value in enumerate(self._compiled(*columns)):
                values[:, i] = value
        return values

    def jacobian(self, X: ArrayLike, u: ArrayLike | None = None) -> np.ndarray:
        """Evaluate the derivatives of the right-hand sides by the states.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_states)
            States.
        u : array-like of shape (n_samples, n_controls), default=None
            Controls; one row, ``(n_controls,)``, serves all samples.

        Returns
        -------
        ndarray of shape (n_samples, n_equations, n_states)
            ``[:, i, j]`` is the derivative of equation ``i`` by state ``j``.
        """
        columns = self._columns(X, u)
        n, d, k = len(columns[0]), len(self.state_names), len(self._texts)
        if self.functions:
            return self._jacobian_by_differences(as_floats(X), u)
        values = np.empty((n, k * d))
        with np.errstate(all="ignore"):
            for i, value in enumerate(self._compiled_jacobian(*columns)):
                values[:, i] = value
        return values.reshape(n, k, d)

    def _jacobian_by_differences(self, X, u):
        """Differentiate what sympy cannot: functions that it does not know."""
        slopes = []
        for column in range(X.shape[1]):
            step = np.finfo(float).eps ** (1 / 3) * np.maximum(1.0, np.abs(X[:, column]))
            ahead, behind = X.copy(), X.copy()
            ahead[:, column] += step
            behind[:, column] -= step
            slopes.append((self.rhs(ahead, u) - self.rhs(behind, u)) / (2 * step[:, None]))
        return np.stack(slopes, axis=2)

    def simulate(
        self,
        x0: ArrayLike,
        t: ArrayLike,
        u: ArrayLike | Callable[[float], Any] | None = None,
        *,
        t0: float | None = None,
        rtol: float = 1e-8,
        atol: float = 1e-10,
        bound: float | None = None,
        max_steps: int = 100_000,
    ) -> np.ndarray:
        """Solve the equations from start states by LSODA [1]_.

        Parameters
        ----------
        x0 : array-like of shape (n_states,) or (n_cases, n_states)
            Start state, or states.
        t : array-like of shape (n_timepoints,)
            Times, strictly increasing.
        u : callable or array-like of shape (n_timepoints, n_controls), default=None
            Controls: a function of time that returns their values; or their values at ``t``,
            straight lines in between.
        t0 : float or None, default=None
            Time of ``x0``; None is the first of ``t``.
        rtol, atol : float, default=1e-8, 1e-10
            Relative and absolute tolerance of a step.
        bound : float or None, default=None
            Size of a state that counts as a blow-up; None waits until numbers overflow.
        max_steps : int, default=100_000
            Steps from one time to the next at most.

        Returns
        -------
        ndarray of shape (n_timepoints, n_states) or (n_cases, n_states, n_timepoints)
            One trajectory for one state, else one per case.

        Raises
        ------
        ValueError
            If start states, times or controls cannot be used.
        SolverError
            If a solution leaves the finite numbers, the bound, or what the expressions are
            defined for, or takes too many steps; the error has ``t`` and ``case``.

        References
        ----------
        .. [1] Linda Petzold, "Automatic selection of methods for solving stiff and nonstiff
           systems of ordinary differential equations", SIAM Journal on Scientific and Statistical
           Computing 4(1), 1983.
        """
        return simulate_system(self, x0, t, u, t0, rtol, atol, bound, max_steps)

    def fixed_points(self, bounds: ArrayLike, u: ArrayLike | None = None) -> list[FixedPoint]:
        """Find where all right-hand sides vanish.

        Newton's method runs from a grid of start states, all at once; a polynomial in one state is
        solved for all of its roots.

        Parameters
        ----------
        bounds : array-like of shape (n_states, 2)
            Lowest and highest value of each state to look between.
        u : array-like of shape (n_controls,), default=None
            Values at which the controls rest.

        Returns
        -------
        list of FixedPoint
            Named tuples ``(point, eigenvalues, kind)``, ordered by their states. Where a curve of
            fixed points is found, some of its points are returned, of the kind "degenerate".

        Raises
        ------
        ValueError
            If the bounds or the controls cannot be used.
        """
        return find_fixed_points(self, bounds, u)

    def equations(self, precision: int = 3) -> list[str]:
        """Write the equations for the reader.

        Parameters
        ----------
        precision : int, default=3
            Significant digits of the numbers.

        Returns
        -------
        list of str
            Such as "x' = 1.1 x - 0.4 x y".
        """
        names = dict(zip(self._variables, self.state_names + self.control_names, strict=True))
        return [
            f"{target} = {show(expression, precision, names)}"
            for target, expression in zip(self.target_names, self._expressions, strict=True)
        ]

    def latex(self, precision: int = 3) -> str:
        """Write the equations in LaTeX.

        Parameters
        ----------
        precision : int, default=3
            Significant digits of the numbers.

        Returns
        -------
        str
            An ``aligned`` block for mathematics mode.
        """
        import sympy

        lines = []
        for target, expression in zip(self.target_names, self.to_sympy(), strict=True):
            name = target.removesuffix("'")
            left = sympy.latex(sympy.Symbol(name))
            left = left if name == target else f"\\dot{{{left}}}"
            lines.append(f"{left} &= {latex(expression, precision)}")
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def to_sympy(self) -> list[sympy.Expr]:
        """Return the right-hand sides as sympy expressions.

        Returns
        -------
        list of sympy.Expr
            In real symbols of the states' and controls' names.
        """
        import sympy

        names = self.state_names + self.control_names
        named = {
            own: sympy.Symbol(name, real=True)
            for own, name in zip(self._symbols, names, strict=True)
        }
        found: list[Any] = [expression.xreplace(named) for expression in self._expressions]
        return found


def _nowhere(*arguments):
    import sympy

    return sympy.Integer(0)
