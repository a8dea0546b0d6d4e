"""What a search found, as plain values: formulas with their constants."""

import copy
import math
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np

from skdyn._state import ANY_NUMBER, OPTIONAL, Shape, Since
from skdyn._validation import check_is_fitted
from skdyn.formulas import show, to_sympy
from skdyn.symbolic._system import EquationSystem
from skdyn.symbolic.discovery._fitted import Parts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FoundMixin", "constants_table", "plain_equations", "system_of"]

_LARGE = 100.0  # exponents whose exponential, times a coefficient, may be no number any more
_TWO_SIDED = 1.959963984540054  # standard deviations that hold 95 % of a normal distribution


class FoundMixin:
    """What an estimator keeps of what its search found."""

    system_: EquationSystem
    noise_: Annotated[np.ndarray, Shape("equations")]
    misfit_: Annotated[np.ndarray, Shape("equations")]
    n_iter_: Annotated[int, OPTIONAL]  # files saved before lack it
    _front: list[list[list[tuple[str, list[float]]]]]
    _merits: list[list[Annotated[float, ANY_NUMBER]]]
    _rivals: Annotated[list[list[list[tuple[str, list[float]]]]], Since(lambda state: [])]
    _behind: Annotated[list[float], Since(lambda state: [])]
    _misfits: Annotated[np.ndarray, Shape("front equations")]
    _chosen: int
    _errors: list[list[list[Annotated[float, ANY_NUMBER]]]]
    _chances: list[dict[str, float]]

    def _keep(self, found):
        """Take over plain values: equations, and no terms with what they compile to."""
        self.noise_, self.misfit_, n_rows = found.noise, found.misfit, found.n_rows
        self.n_iter_ = found.n_iter
        self._front = [plain_equations(s.equations, s.coefficients) for s in found.front]
        self._merits = [[*s.merits(n_rows), s.score, *map(float, s.parts)] for s in found.front]
        self._rivals = [plain_equations(s.equations, s.coefficients) for s in found.rivals]
        self._behind = [float(s.score - found.best.score) for s in found.rivals]
        self._misfits = np.stack([s.rss / n_rows for s in found.front])
        self._chosen = next(i for i, s in enumerate(found.front) if s is found.best)
        self._errors, self._chances = found.errors, found.chances
        self.system_ = self._system(self._chosen)

    if TYPE_CHECKING:  # of the estimators
        control_names_: list[str]
        _targets: list[str] | None

        def _state_names(self) -> list[str]: ...

    def _system(self, row):
        return self._named(self._front[row])

    def _named(self, equations):
        return system_of(equations, self._state_names(), self.control_names_, self._targets)

    @property
    def pareto_front_(self) -> "pd.DataFrame":
        """The systems to choose from."""
        import pandas as pd

        check_is_fitted(self)
        names = ["complexity", "error", "score", *Parts._fields]
        table = pd.DataFrame(self._merits, columns=names)
        table["complexity"] = table["complexity"].astype(int)
        rows = range(len(self._front))
        table["equations"] = [self._system(row).equations() for row in rows]
        return table.assign(selected=[row == self._chosen for row in rows])

    @property
    def alternatives_(self) -> "pd.DataFrame":
        """Systems with other terms that describe the data almost as shortly."""
        import pandas as pd

        check_is_fitted(self)
        equations = [self._named(plain).equations() for plain in self._rivals]
        return pd.DataFrame({"behind": self._behind, "equations": equations})

    def select(self, row: int) -> Self:
        """Take another system of the Pareto front.

        Parameters
        ----------
        row : int
            Row of ``pareto_front_``.

        Returns
        -------
        SymbolicODERegressor
            A fitted copy with that system. Standard errors are known of the one found best only.
        """
        check_is_fitted(self)
        if not 0 <= row < len(self._front):
            raise ValueError(
                f"row must be one of the {len(self._front)} of pareto_front_; got {row}."
            )
        other = copy.deepcopy(self)
        if row != self._chosen:
            other._chosen, other.system_ = row, self._system(row)
            other.misfit_ = self._misfits[row]
            other._errors = [
                [[np.nan] * len(constants) for _, constants in terms] for terms in self._front[row]
            ]
        return other


def plain_equations(equations, coefficients):
    """Write equations as lists of formulas and their constants.

    Parameters
    ----------
    equations : tuple of tuple of Term
        Terms of each equation.
    coefficients : tuple of tuple of float
        Their coefficients.

    Returns
    -------
    list of list of (str, list of float)
        Of each term its formula, with variables x0, x1, ... and constants k0, k1, ...; and the
        coefficient, followed by those constants.
    """
    return [
        [
            (term.form.text, [float(c), *map(float, term.inner)])
            for term, c in zip(terms, row, strict=True)
        ]
        for terms, row in zip(equations, coefficients, strict=True)
    ]


def system_of(equations, state_names, control_names, target_names=None):
    """Build the system of equations with their constants put in.

    Parameters
    ----------
    equations : list of list of (str, list of float)
        As :func:`plain_equations` writes them.
    state_names, control_names : list of str
        Names of the variables.
    target_names : list of str or None, default=None
        Names of the left-hand sides, if they are not the derivatives of the states.

    Returns
    -------
    EquationSystem
    """
    import sympy

    names = [*state_names, *control_names]
    symbols = {f"x{i}": sympy.Symbol(name, real=True) for i, name in enumerate(names)}
    sums = []
    for terms in equations:
        total = sympy.Integer(0)
        for text, (factor, *inner) in terms:
            constants = {f"k{j}": sympy.Dummy(real=True) for j in range(len(inner))}
            values = dict(zip(constants.values(), map(_number, inner), strict=True))
            # Numbers come in last: sympy takes floats out of exponents, beyond what floats hold.
            expression = to_sympy(text, symbols | constants).replace(
                sympy.exp, lambda exponent, values=values: _exp(exponent.xreplace(values))
            )
            total += _number(factor) * expression.xreplace(values)
        sums.append(total)
    return EquationSystem(sums, state_names, control_names, target_names=target_names)


def _number(value):
    """Whole numbers as such: ``x**2`` for ``x**2.0``."""
    import sympy

    return sympy.Integer(int(value)) if value == round(value) else sympy.Float(value)


def _exp(exponent):
    """Write ``exp(a + b*x)`` as a number times ``exp(b*x)``, where there is such a number."""
    import sympy

    constant, rest = exponent.as_coeff_Add()
    if constant == 0:
        return sympy.exp(exponent)
    if abs(constant) > _LARGE:
        return sympy.exp(sympy.Rational(f"{float(constant):.9f}") + rest)
    return sympy.Float(math.exp(constant)) * sympy.exp(rest)


def constants_table(equations, errors, chances, names, left):
    """Make a table of all constants.

    Parameters
    ----------
    equations : list of list of (str, list of float)
        As :func:`plain_equations` writes them.
    errors : list of list of list of float
        Standard errors of the constants.
    chances : list of dict of str to float
        Inclusion probabilities of the formulas in each equation.
    names : list of str
        Names of the variables.
    left : list of str
        Left-hand sides.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    rows = []
    for name, terms, row_errors, chance in zip(left, equations, errors, chances, strict=True):
        for (text, values), deviations in zip(terms, row_errors, strict=True):
            shown = _shown(text, names)
            for j, (value, sd) in enumerate(zip(values, deviations, strict=True)):
                parameter = f"k{j - 1}" if j else "coefficient"
                around = value - _TWO_SIDED * sd, value + _TWO_SIDED * sd
                rows.append((name, shown, parameter, value, sd, *around, chance.get(text, np.nan)))
    columns = ["equation", "term", "parameter", "value", "std_error", "lower", "upper"]
    return pd.DataFrame(rows, columns=[*columns, "inclusion_probability"])


def _shown(text, names):
    import sympy

    own = {f"x{i}": name for i, name in enumerate(names)}
    symbols = {name: sympy.Symbol(name, real=True) for name in [*own, "k0", "k1", "k2"]}
    return show(to_sympy(text, symbols), 3, own)
