"""The one table of functions that a formula may call."""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import NamedTuple

import numpy as np

__all__ = ["CONSTANTS", "FUNCTIONS", "Function", "function_named", "functions_for"]

CONSTANTS = {"pi": np.pi, "E": np.e}


class Function(NamedTuple):
    """A function of the table.

    Attributes
    ----------
    name : str
        Its name, which is sympy's.
    array : str
        Its name in numpy and in torch; after "1/" that of its inverse value.
    aliases : tuple of str
        Other ways to write it.
    positive : str
        A formula in x that must be positive for the function to be real.
    nonzero : str
        A formula in x that changes its sign at a pole.
    cost : int
        How rare the function is in formulas, as :mod:`skdyn.kan` weighs it.
    n_arguments : int
        Number of arguments.
    """

    name: str
    array: str
    aliases: tuple[str, ...] = ()
    positive: str = ""
    nonzero: str = ""
    cost: int = 3
    n_arguments: int = 1


_TABLE = (
    Function("Abs", "abs", ("abs",)),
    Function("sign", "sign", ("sgn",)),
    Function("sqrt", "sqrt", positive="x", cost=2),
    Function("exp", "exp", cost=2),
    Function("log", "log", ("ln",), positive="x", cost=2),
    Function("sin", "sin"),
    Function("cos", "cos"),
    Function("tan", "tan", nonzero="cos(x)", cost=4),
    Function("cot", "1/tan", nonzero="sin(x)", cost=4),
    Function("sec", "1/cos", nonzero="cos(x)", cost=4),
    Function("csc", "1/sin", nonzero="sin(x)", cost=4),
    Function("asin", "arcsin", ("arcsin",), positive="1 - x^2", cost=4),
    Function("acos", "arccos", ("arccos",), positive="1 - x^2"),
    Function("atan", "arctan", ("arctan",), cost=4),
    Function("sinh", "sinh"),
    Function("cosh", "cosh"),
    Function("tanh", "tanh", cost=4),
    Function("coth", "1/tanh", nonzero="x", cost=4),
    Function("sech", "1/cosh", cost=4),
    Function("csch", "1/sinh", nonzero="x", cost=4),
    Function("asinh", "arcsinh", ("arcsinh",), cost=4),
    Function("acosh", "arccosh", ("arccosh",), positive="x - 1"),
    Function("atanh", "arctanh", ("arctanh",), positive="1 - x^2", cost=4),
    Function("Max", "maximum", ("max",), n_arguments=2),
    Function("Min", "minimum", ("min",), n_arguments=2),
)
FUNCTIONS = {function.name: function for function in _TABLE}
_BY_NAME = {name: function for function in _TABLE for name in (function.name, *function.aliases)}


def function_named(name: str) -> Function | None:
    """Return the function of a name or an alias, or None.

    Parameters
    ----------
    name : str
        Such as "asin" or "arcsin".

    Returns
    -------
    Function or None
    """
    return _BY_NAME.get(name)


@lru_cache(maxsize=2)
def functions_for(backend: str) -> dict[str, Callable]:
    """Return what computes each function of the table.

    Parameters
    ----------
    backend : {"numpy", "torch"}
        On arrays or on tensors.

    Returns
    -------
    dict of str to callable
        By their names in the table.
    """
    module = import_module(backend)
    prepared = _as_is if backend == "numpy" else _as_tensors
    return {f.name: prepared(_computed(module, f.array)) for f in _TABLE}


def _computed(module, name):
    function = getattr(module, name.removeprefix("1/"))
    return (lambda x: 1.0 / function(x)) if name.startswith("1/") else function


def _as_is(function):
    return function


def _as_tensors(function):
    """A number stands for a tensor without axes, which leaves the precision of others alone."""
    import torch

    def computed(*arguments):
        return function(*(
            value if isinstance(value, torch.Tensor) else torch.tensor(value, dtype=torch.float64)
            for value in arguments
        ))  # fmt: skip

    return computed
