"""The one table of functions that a formula may call."""

from collections.abc import Callable
from functools import lru_cache, reduce
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
    kind : str
        The kind of term that it makes, see :class:`~skdyn.SymbolicODERegressor`.
    several : bool
        Whether it takes two values or more, and not one.
    """

    name: str
    array: str
    aliases: tuple[str, ...] = ()
    positive: str = ""
    nonzero: str = ""
    cost: int = 3
    kind: str = "sigmoid"
    several: bool = False


_TABLE = (
    Function("Abs", "abs", ("abs",), kind="absolute"),
    Function("sign", "sign", ("sgn",), kind="absolute"),
    Function("sqrt", "sqrt", positive="x", cost=2, kind="power"),
    Function("exp", "exp", cost=2, kind="exponential"),
    Function("log", "log", ("ln",), positive="x", cost=2, kind="logarithmic"),
    Function("sin", "sin", kind="trigonometric"),
    Function("cos", "cos", kind="trigonometric"),
    Function("tan", "tan", nonzero="cos(x)", cost=4, kind="trigonometric"),
    Function("cot", "1/tan", nonzero="sin(x)", cost=4, kind="trigonometric"),
    Function("sec", "1/cos", nonzero="cos(x)", cost=4, kind="trigonometric"),
    Function("csc", "1/sin", nonzero="sin(x)", cost=4, kind="trigonometric"),
    Function("asin", "arcsin", ("arcsin",), positive="1 - x^2", cost=4, kind="trigonometric"),
    Function("acos", "arccos", ("arccos",), positive="1 - x^2", kind="trigonometric"),
    Function("atan", "arctan", ("arctan",), cost=4),
    Function("sinh", "sinh", kind="exponential"),
    Function("cosh", "cosh", kind="exponential"),
    Function("tanh", "tanh", cost=4),
    Function("coth", "1/tanh", nonzero="x", cost=4),
    Function("sech", "1/cosh", cost=4),
    Function("csch", "1/sinh", nonzero="x", cost=4, kind="exponential"),
    Function("asinh", "arcsinh", ("arcsinh",), cost=4, kind="logarithmic"),
    Function("acosh", "arccosh", ("arccosh",), positive="x - 1", kind="logarithmic"),
    Function("atanh", "arctanh", ("arctanh",), positive="1 - x^2", cost=4, kind="logarithmic"),
    Function("Max", "maximum", ("max",), several=True, kind="absolute"),
    Function("Min", "minimum", ("min",), several=True, kind="absolute"),
)
FUNCTIONS = {function.name: function for function in _TABLE}
_BY_NAME = {name: function for function in _TABLE for name in (function.name, *function.aliases)}


def function_named(name: str) -> Function | None:
    """Return the function of a name or an alias, or None."""
    return _BY_NAME.get(name)


@lru_cache(maxsize=2)
def functions_for(backend: str) -> dict[str, Callable]:
    """Return what computes each function of the table in "numpy" or in "torch", by its name."""
    module = import_module(backend)
    prepared = _as_is if backend == "numpy" else _as_tensors
    return {f.name: prepared(_computed(module, f)) for f in _TABLE}


def _computed(module, entry):
    function = getattr(module, entry.array.removeprefix("1/"))
    if entry.several:
        return lambda *arguments: reduce(function, arguments)
    return (lambda x: 1.0 / function(x)) if entry.array.startswith("1/") else function


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
