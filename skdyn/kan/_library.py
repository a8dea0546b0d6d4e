"""The functions of one variable that an edge can be called by.

A function is an expression in ``x``, kept as text: the text is its name, its definition for torch
and for sympy alike, and all that a saved model needs. It is read by a small interpreter, which
knows arithmetic and the functions below and nothing else.
"""

import ast
import itertools
import math
import operator
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import torch

from skdyn._formula_text import formula_tree

# Unit of complexity: what a factor of three in unexplained variance is worth. A function has one
# for itself, one for each of scale and shift that constants outside it cannot replace, and one
# for being rare in formulas. Left out, as others can stand in for them: cos, sigmoid and arccos.
DEFAULT_LIBRARY = {
    "0": 0, "x": 1, "x^2": 2, "x^3": 3, "x^4": 3, "1/x": 2, "1/x^2": 3, "sqrt": 2, "1/sqrt": 3,
    "exp": 2, "log": 2, "abs": 3, "sin": 3, "tan": 4, "tanh": 4, "arcsin": 4, "arctan": 4,
    "arctanh": 4, "arcsinh": 4, "gaussian": 4,
}  # fmt: skip
_ALIASES = {
    "1/sqrt": "1/sqrt(x)", "gaussian": "exp(-x^2)", "sigmoid": "1/(1+exp(-x))", "sgn": "sign(x)",
}  # fmt: skip
_FUNCTIONS = (
    "abs", "arccos", "arcsin", "arcsinh", "arctan", "arctanh", "cos", "cosh", "exp", "log", "sign",
    "sin", "sinh", "sqrt", "tan", "tanh",
)  # fmt: skip
_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_HIGHEST_POWER = 100
_REACH = 20.0  # how far from zero the ends of a domain are looked for
_STEP = 0.01
_NEAR, _HUGE = 1e-8, 1e3  # beside a pole; log and its like rise too slowly to harm


class SymbolicFunction(NamedTuple):
    """A function of one variable, for torch and for sympy."""

    name: str
    tree: ast.expr
    complexity: int
    domain: tuple[float, float]  # the widest interval on which it is real and has no pole

    def __call__(self, u):
        """Return the function of a tensor, evaluated at the end of its domain beyond it."""
        low, high = self.domain
        if math.isfinite(low) or math.isfinite(high):
            margin = torch.finfo(u.dtype).eps
            u = u.clamp(low + margin, high - margin)
        return _in_torch(self.tree, u)

    def raw(self, u):
        """Return the function of a tensor as it is: NaN where it is not real."""
        return _in_torch(self.tree, u)

    def between_poles(self):
        """Return the domain, without bounds where it ends in no pole."""
        low, high = self.domain
        beside = torch.tensor([low + _NEAR, high - _NEAR], dtype=torch.float64)
        at_low, at_high = (self.raw(beside).abs() > _HUGE).tolist()
        return low if at_low else -math.inf, high if at_high else math.inf

    def sympy(self, u):
        """Return the function of a sympy expression."""
        import sympy

        names = {name: getattr(sympy, name.replace("arc", "a")) for name in _FUNCTIONS[1:]}
        names["abs"] = sympy.Abs
        return _evaluate(self.tree, u, names, sympy.Rational, sympy.Rational)


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
    text = _ALIASES.get(name, name)
    text = f"{text}(x)" if text in _FUNCTIONS else text
    try:
        tree = formula_tree(text.replace("^", "**"))
        with torch.device("cpu"):  # a skeleton of a network is built on the meta device
            domain = _domain(tree)
    except (ArithmeticError, RecursionError, SyntaxError, TypeError, ValueError) as error:
        raise ValueError(
            f"library knows no function {name!r}. Take names out of {list(DEFAULT_LIBRARY)}, "
            f"functions out of {list(_FUNCTIONS)}, or an expression in x made of them, such as "
            "'x*exp(-x)'."
        ) from error
    if domain is None:
        raise ValueError(f"library names {name!r}, which is real nowhere near zero. Shift it.")
    n_operations = sum(isinstance(n, ast.BinOp | ast.UnaryOp | ast.Call) for n in ast.walk(tree))
    return SymbolicFunction(name, tree, DEFAULT_LIBRARY.get(name, 2 + n_operations), domain)


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


def _in_torch(tree, u, watch=None):
    def exponent(value):
        return value.numerator if value.denominator == 1 else float(value)

    def number(value):
        return torch.tensor(float(value), dtype=torch.float64)

    value = _evaluate(tree, u, torch.__dict__, number, exponent, watch)
    return value if value.shape == u.shape else value + 0 * u


def _evaluate(node, x, functions, number, exponent, watch=None):
    """Evaluate an expression; what is not arithmetic of x and known functions raises ValueError.

    ``watch(value, must)`` is told of each intermediate value that must be positive, or must not
    change its sign, for the expression to be real and continuous.
    """

    def of(child):
        return _evaluate(child, x, functions, number, exponent, watch)

    def warn(value, must):
        if watch is not None:
            watch(value, must)

    match node:
        case ast.Name(id="x"):
            return x
        case ast.Constant(value=int() | float()):
            return number(Fraction(str(node.value)))
        case ast.UnaryOp(op=ast.USub()):
            return -of(node.operand)
        case ast.BinOp(op=ast.Pow()):
            base, power = of(node.left), _evaluate(node.right, None, {}, Fraction, Fraction)
            if abs(power) > _HIGHEST_POWER:
                raise ValueError(f"powers above {_HIGHEST_POWER} overflow.")
            if power < 0 or power.denominator > 1:
                warn(base, "not change sign" if power.denominator == 1 else "be positive")
            return base ** exponent(power)
        case ast.BinOp() if type(node.op) in _OPERATORS:
            left, right = of(node.left), of(node.right)
            if isinstance(node.op, ast.Div):
                root = node.right
                while isinstance(root, ast.BinOp) and isinstance(root.op, ast.Pow):
                    root = root.left  # an even power hides that its base has a root
                warn(of(root), "not change sign")
            return _OPERATORS[type(node.op)](left, right)
        case ast.Call(func=ast.Name(), args=[_], keywords=[]) if node.func.id in _FUNCTIONS:
            name, argument = node.func.id, of(node.args[0])
            if name in ("log", "sqrt"):
                warn(argument, "be positive")
            elif name in ("arcsin", "arccos", "arctanh"):
                warn(1 - argument**2, "be positive")
            elif name == "tan":
                warn(functions["cos"](argument), "not change sign")
            return functions[name](argument)
    raise ValueError(f"{ast.unparse(node)} is no arithmetic of x and known functions.")


def _domain(tree):
    """Return the widest interval on which an expression is real and has no pole; None if none."""
    # Off the round numbers, so that a pole lies between two points and its sign change shows.
    mesh = torch.arange(-_REACH, _REACH, _STEP, dtype=torch.float64) + _STEP / 3
    breaks = (~_connected(tree, mesh)).nonzero()[:, 0].tolist()
    runs = [
        (mesh[first + 1].item(), mesh[last].item())
        for first, last in itertools.pairwise([-1, *breaks, len(mesh) - 1])
        if last > first + 1
    ]
    if not runs:
        return None

    def preference(run):
        centre = (run[0] + run[1]) / 2
        return round(run[1] - run[0], 1), -round(abs(centre), 1), centre

    low, high = max(runs, key=preference)
    return (
        -math.inf if low == mesh[0] else _end(tree, low, low - _STEP),
        math.inf if high == mesh[-1] else _end(tree, high, high + _STEP),
    )


def _end(tree, inside, outside):
    """Return where, between a point of a domain and one outside, the domain ends."""
    for _ in range(50):
        middle = (inside + outside) / 2
        pair = torch.tensor(sorted([middle, inside]), dtype=torch.float64)
        inside, outside = (middle, outside) if _connected(tree, pair) else (inside, middle)
    return round(inside, 9)


def _connected(tree, mesh):
    """Return between which neighbours on a mesh an expression is real and continuous."""
    connected = torch.ones(len(mesh) - 1, dtype=torch.bool)

    def watch(value, must):
        sign = value.sign()
        connected.logical_and_(sign[1:] * sign[:-1] > 0)
        if must == "be positive":
            connected.logical_and_(sign[1:] > 0)

    finite = _in_torch(tree, mesh, watch).isfinite()
    return connected & finite[1:] & finite[:-1]
