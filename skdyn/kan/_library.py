"""The functions of one variable that an edge can be called by.

A function is a formula in ``x``, kept as text: the text is its name, its definition for torch and
for sympy alike, and all that a saved model needs.
"""

import ast
import itertools
import math
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
import torch

from skdyn.formulas import on_tensors, to_sympy
from skdyn.formulas._functions import FUNCTIONS, function_named
from skdyn.formulas._reader import read
from skdyn.formulas._values import compiled

# Unit of complexity: what a factor of three in unexplained variance is worth. A function has one
# for itself, one for each of scale and shift that constants outside it cannot replace, and one
# for being rare in formulas. Left out, as others can stand in for them: cos, sigmoid and arccos.
_NAMED = ("abs", "sin", "tan", "tanh", "arcsin", "arctan", "arctanh", "arcsinh")
DEFAULT_LIBRARY = {
    "0": 0, "x": 1, "x^2": 2, "x^3": 3, "x^4": 3, "1/x": 2, "1/x^2": 3, "sqrt": 2, "1/sqrt": 3,
    "exp": 2, "log": 2, **{name: cast("Any", function_named(name)).cost for name in _NAMED},
    "gaussian": 4,
}  # fmt: skip
_ALIASES = {"1/sqrt": "1/sqrt(x)", "gaussian": "exp(-x^2)", "sigmoid": "1/(1+exp(-x))"}
_OPERATIONS = ast.BinOp | ast.UnaryOp | ast.Call
_REACH = 20.0  # how far from zero the ends of a domain are looked for
_STEP = 0.01
_NEAR, _HUGE = 1e-8, 1e3  # beside a pole; log and its like rise too slowly to harm


class SymbolicFunction(NamedTuple):
    """A function of one variable, for torch and for sympy."""

    name: str
    text: str
    complexity: int
    domain: tuple[float, float]  # the widest interval on which it is real and has no pole

    def __call__(self, u):
        """Return the function of a tensor, evaluated at the end of its domain beyond it."""
        low, high = self.domain
        if math.isfinite(low) or math.isfinite(high):
            margin = torch.finfo(u.dtype).eps
            u = u.clamp(low + margin, high - margin)
        return self.raw(u)

    def raw(self, u):
        """Return the function of a tensor as it is: NaN where it is not real."""
        return on_tensors(self.text, {"x": u})

    def between_poles(self):
        """Return the domain, without bounds where it ends in no pole."""
        low, high = self.domain
        beside = torch.tensor([low + _NEAR, high - _NEAR], dtype=torch.float64)
        at_low, at_high = (self.raw(beside).abs() > _HUGE).tolist()
        return low if at_low else -math.inf, high if at_high else math.inf

    def sympy(self, u):
        """Return the function of a sympy expression; its own numbers are exact, as users mean."""
        import sympy

        x = sympy.Dummy("x", real=True)
        form = to_sympy(self.text, {"x": x})
        exact = {number: sympy.Rational(repr(float(number))) for number in form.atoms(sympy.Float)}
        return form.xreplace(exact).xreplace({x: u})


@lru_cache(maxsize=256)
def torch_function(name):
    """Return the function of a name.

    Parameters
    ----------
    name : str
        A name of the default library, of an elementary function, or an expression in ``x``.

    Returns
    -------
    SymbolicFunction

    Raises
    ------
    ValueError
        If the name is none, or the expression is nowhere real.
    """
    text: Any = _ALIASES.get(name, name)
    if function_named(text) is not None:
        text = f"{text}(x)"
    try:
        domain = _domain(read(text, ("x",)))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"library knows no function {name!r}: {error} Take names out of "
            f"{list(DEFAULT_LIBRARY)}, functions out of {list(FUNCTIONS)}, or a formula in x made "
            "of them, such as 'x*exp(-x)'."
        ) from error
    if domain is None:
        raise ValueError(f"library names {name!r}, which is real nowhere near zero. Shift it.")
    known, nodes = function_named(name), ast.walk(read(text, ("x",)))
    cost = known.cost if known else 2 + sum(isinstance(node, _OPERATIONS) for node in nodes)
    return SymbolicFunction(name, text, DEFAULT_LIBRARY.get(name, cost), domain)


def make_library(library=None):
    """Return the functions that edges may be called by.

    Parameters
    ----------
    library : iterable of str or dict of str to int, default=None
        Names or expressions in ``x``; a dict also gives the complexity of each. None takes the
        default library.

    Returns
    -------
    list of SymbolicFunction

    Raises
    ------
    ValueError
        If the library is empty or names an unknown function.
    """
    if isinstance(library, str):
        library = [library]
    names = list(DEFAULT_LIBRARY if library is None else library)
    if not names:
        raise ValueError(
            "library is empty: no edge can be called by a function. Take names out of "
            f"{list(DEFAULT_LIBRARY)}, or leave library=None for all of them."
        )
    functions = [torch_function(name) for name in names]
    if isinstance(library, dict):
        functions = [f._replace(complexity=library[f.name]) for f in functions]
    return functions


def _domain(tree):
    """Return the widest interval on which an expression is real and has no pole; None if none."""
    # Off the round numbers, so that a pole lies between two points and its sign change shows.
    mesh = np.arange(-_REACH, _REACH, _STEP) + _STEP / 3
    parts = [(_compiled(tree), ""), *_guards(tree)]
    breaks = np.flatnonzero(~_connected(parts, mesh)).tolist()
    runs = [
        (float(mesh[first + 1]), float(mesh[last]))
        for first, last in itertools.pairwise([-1, *breaks, len(mesh) - 1])
        if last > first + 1
    ]
    if not runs:
        return None

    def preference(run):
        center = (run[0] + run[1]) / 2
        return round(run[1] - run[0], 1), -round(abs(center), 1), center

    low, high = max(runs, key=preference)
    return (
        -math.inf if low == mesh[0] else _end(parts, low, low - _STEP),
        math.inf if high == mesh[-1] else _end(parts, high, high + _STEP),
    )


def _end(parts, inside, outside):
    """Return where, between a point of a domain and one outside, the domain ends."""
    for _ in range(50):
        middle = (inside + outside) / 2
        pair = np.array(sorted([middle, inside]))
        inside, outside = (middle, outside) if _connected(parts, pair) else (inside, middle)
    return round(inside, 9)


@np.errstate(all="ignore")
def _connected(parts, mesh):
    """Return between which neighbors on a mesh an expression is real and continuous."""
    connected = np.ones(len(mesh) - 1, dtype=bool)
    for function, must in parts:
        value = np.broadcast_to(function(mesh), mesh.shape)
        connected &= np.isfinite(value[1:]) & np.isfinite(value[:-1])
        if must:
            connected &= np.sign(value[1:]) * np.sign(value[:-1]) > 0
        if must == "be positive":
            connected &= value[1:] > 0
    return connected


def _guards(tree):
    """List the parts of a formula that must be positive, or must not change their sign."""
    guards = []
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(op=ast.Div()):
                root = node.right
                while isinstance(root, ast.BinOp) and isinstance(root.op, ast.Pow):
                    root = root.left  # an even power hides that its base has a root
                guards.append((_compiled(root), "not change sign"))
            case ast.BinOp(op=ast.Pow()):
                power = _constant(node.right)
                if power is None or not power.is_integer():
                    guards.append((_compiled(node.left), "be positive"))
                elif power < 0:
                    guards.append((_compiled(node.left), "not change sign"))
            case ast.Call(func=ast.Name(id=name)):
                function, inside = FUNCTIONS[name], _compiled(node.args[0])
                for formula, must in (
                    (function.positive, "be positive"), (function.nonzero, "not change sign"),
                ):  # fmt: skip
                    if formula:
                        guards.append((_after(compiled(formula, ("x",)), inside), must))
    return guards


def _after(outer, inner):
    return lambda x: outer(inner(x))


def _compiled(tree):
    return compiled(ast.unparse(tree), ("x",))


def _constant(tree):
    """Return the number that a part of a formula is; None if it varies."""
    if any(isinstance(node, ast.Name) and node.id == "x" for node in ast.walk(tree)):
        return None
    return float(_compiled(tree)(None))
