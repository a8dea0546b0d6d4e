"""Functions of the user's choice."""

import inspect
import re
from collections.abc import Sequence
from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np

from skdyn.formulas._functions import function_named, functions_for
from skdyn.formulas._reader import names_in, renamed, right_side
from skdyn.symbolic.libraries._base import FeatureLibrary

__all__ = ["FunctionLibrary"]


class FunctionLibrary(FeatureLibrary):
    """Given functions of one column, or of several.

    Parameters
    ----------
    functions : list or tuple of str or callable, default=("x*abs(x)",)
        Formulas such as "exp(-x)" or "x*y/(1+x)", see :mod:`skdyn.formulas`. Each is taken of every
        column, one of several variables of every choice of as many columns; the variables in
        alphabetical order stand for the columns from left to right. Callables take arrays of shape
        (n_samples,) and return one; formulas may call them by name.
    names : list or tuple of str or None, default=None
        Names of the callables among ``functions``, in order; None takes their own, and "f0", "f1",
        ... for those without.
    interaction_only : bool, default=True
        Whether a function of several columns is taken of different columns only.

    Attributes
    ----------
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    n_output_features_ : int
        Number of terms.
    terms_ : list of tuple of (str, int)
        The terms: formulas in x0, x1, ... with their powers.

    See Also
    --------
    ColumnLibrary : Takes functions of some columns only.

    Notes
    -----
    Prefer formulas: they are shown as they are, known to sympy, and pickled, which a lambda is not.

    Examples
    --------
    >>> from skdyn.symbolic.libraries import FunctionLibrary
    >>> library = FunctionLibrary(["x*abs(x)", "x/(1+y)"])
    >>> library.fit_transform([[-2.0, 3.0]])
    array([[-4. ,  9. , -0.5]])
    >>> library.get_feature_names_out()
    array(['x0*abs(x0)', 'x1*abs(x1)', 'x0/(1+x1)'], dtype=object)
    >>> library.to_sympy()
    [x0*Abs(x0), x1*Abs(x1), x0/(x1 + 1)]
    >>> def hill(x, y):
    ...     return x / (1 + y**2)
    >>> FunctionLibrary([hill, "y*hill(x, y)"]).fit([[0.0, 1.0]]).get_feature_names_out()
    array(['hill(x0, x1)', 'x1*hill(x0, x1)'], dtype=object)
    """

    _parameter_constraints = {
        "functions": [list, tuple],
        "names": [list, tuple, None],
        "interaction_only": ["boolean"],
    }

    def __init__(
        self,
        functions: Sequence[Any] = ("x*abs(x)",),
        names: Sequence[str] | None = None,
        interaction_only: bool = True,
    ) -> None:
        self.functions = functions
        self.names = names
        self.interaction_only = interaction_only

    def _terms(self, inputs):
        choose = combinations if self.interaction_only else combinations_with_replacement
        for formula, variables in self._formulas():
            if len(variables) > len(inputs):
                raise ValueError(
                    f"{formula} needs {len(variables)} columns, but there "
                    f"{'is 1' if len(inputs) == 1 else f'are {len(inputs)}'}. Leave it out."
                )
            for chosen in choose(inputs.values(), len(variables)):
                text = renamed(formula, dict(zip(variables, chosen, strict=True)))
                yield () if text == "1" else ((text, 1),)

    def _formulas(self):
        """Yield each function as a formula with its variables."""
        named = self._named_callables()
        names = iter(named)
        for function in self.functions:
            if callable(function):
                name = next(names)
                variables = [f"v{i}" for i in range(_n_arguments(function, name))]
                yield f"{name}({', '.join(variables)})", variables
            elif isinstance(function, str):
                formula = right_side(function).replace("^", "**")
                yield formula, _variables(formula, named)
            else:
                raise TypeError(
                    f"functions must be formulas or callables; got {function!r}, a "
                    f"{type(function).__name__}."
                )

    def _callables(self):
        named = self._named_callables().items()
        return {name: function for name, function in named if _known(name) is not function}

    def _named_callables(self):
        given = [function for function in self.functions if callable(function)]
        names = self.names
        if names is None:
            names = [_own_name(function, i) for i, function in enumerate(given)]
        if len(names) != len(given):
            raise ValueError(
                f"names must hold one for each of the {len(given)} callables in functions; got "
                f"{len(names)}."
            )
        named = dict(zip(names, given, strict=True))
        if len(named) < len(names):
            raise ValueError(f"Callables must have different names; got {list(names)}. Set names.")
        for name, function in named.items():
            known = function_named(name) is not None and _known(name) is not function
            if known or not name.isidentifier() or re.fullmatch(r"[vx]\d+|pi", name):
                raise ValueError(
                    f"A callable cannot be named {name!r}: known functions, pi, x0, x1, ... and "
                    "v0, v1, ... have a meaning already. Set names."
                )
        return named


def _variables(formula, callables):
    try:
        variables = names_in(formula, callables)
    except ValueError as error:
        raise ValueError(f"functions: {error} Pass a callable for anything else.") from error
    if not variables and formula != "1":
        raise ValueError(
            f"functions names {formula!r}, but it has no variable; the only constant is '1'."
        )
    return variables


def _known(name):
    """Return the function of numpy's that formulas call by a name, or None."""
    function = function_named(name)
    return None if function is None else functions_for("numpy")[function.name]


def _own_name(function, number):
    """Return the name of a function of numpy's that is known, its own, or a number."""
    known = [name.lower() for name, value in functions_for("numpy").items() if value is function]
    own = getattr(function, "__name__", "")
    return known[0] if known else own if own.isidentifier() else f"f{number}"


def _n_arguments(function, name):
    """Count the arguments that a callable needs."""
    if isinstance(function, np.ufunc):
        return function.nin  # codespell:ignore nin
    parameters = inspect.signature(function).parameters.values()
    needed = [p for p in parameters if p.default is p.empty]
    if not needed or any(
        p.kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in needed
    ):
        raise ValueError(
            f"The callable {name} must take a fixed number of columns as positional arguments; its "
            f"signature is {name}{inspect.signature(function)}."
        )
    return len(needed)
