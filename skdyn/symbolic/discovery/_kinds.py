"""What kind of term a formula is, told by its syntax tree."""

import ast
from functools import lru_cache
from typing import Any

from skdyn.formulas._functions import FUNCTIONS
from skdyn.formulas._reader import read

__all__ = ["angles_of", "degree_of", "family_of", "n_constants_of"]

# A term with several marks is of the first of these kinds.
_ORDER = (
    "sigmoid", "trigonometric", "exponential", "logarithmic", "absolute", "rational", "power",
)  # fmt: skip


@lru_cache(maxsize=4096)
def family_of(text):
    """Return the kind of a term, one of ``FAMILIES``.

    Parameters
    ----------
    text : str
        The formula, of variables ``x0, x1, ...`` and constants ``k0, k1, ...``.

    Returns
    -------
    str
    """
    marks = set(_marks(read(text)))
    return next((family for family in _ORDER if family in marks), "polynomial")


def degree_of(form):
    """Return the degree of a polynomial form; 0 for other forms."""
    return _degree(read(form.text)) if form.family == "polynomial" else 0


def n_constants_of(text):
    """Return the number of different free constants in a formula."""
    return len(_names(read(text), "k"))


def angles_of(text):
    """Return the variables that are angles: of sums and products within sines and the like.

    Parameters
    ----------
    text : str
        The formula.

    Returns
    -------
    set of int
        Not those of differences, which may be negative where no variable is.
    """
    calls: list[Any] = [node for node in ast.walk(read(text)) if isinstance(node, ast.Call)]
    inside = [call.args[0] for call in calls if FUNCTIONS[call.func.id].kind == "trigonometric"]
    sums = [arg for arg in inside if not any(isinstance(n, ast.Sub) for n in ast.walk(arg))]
    return {int(name[1:]) for arg in sums for name in _names(arg, "x")}


def _names(node, letter):
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - FUNCTIONS.keys()
    return {name for name in names if name[0] == letter}


def _marks(tree):
    """Yield the kinds that parts of a tree are typical of."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)):
                yield FUNCTIONS[name].kind
            case ast.BinOp(op=ast.Div()) if _names(node.right, "x"):
                yield _of_quotient(node.right)
            case ast.BinOp(op=ast.Pow()) if _names(node.right, "x"):
                yield "exponential"
            case ast.BinOp(op=ast.Pow()):
                power = _whole(node.right)
                if power is None:
                    yield "power"
                elif power < 0:
                    yield _of_quotient(node.left)


def _of_quotient(below):
    """Return the kind of what is divided: a pole off zero makes a rational function."""
    sums = _sums(below)
    if any("exponential" in _marks(part) for part in sums):
        return "sigmoid"
    return "rational" if sums else "power"


def _sums(node):
    """Return the sums among the factors of a product."""
    match node:
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return [node]
        case ast.BinOp(op=ast.Mult() | ast.Div()):
            return _sums(node.left) + _sums(node.right)
        case ast.BinOp(op=ast.Pow()):
            return _sums(node.left)
        case ast.UnaryOp():
            return _sums(node.operand)
    return []


def _whole(node) -> Any:
    """Return the whole number that is written, or None."""
    match node:
        case ast.UnaryOp(op=ast.USub()):
            value = _whole(node.operand)
            return None if value is None else -value
        case ast.Constant(value=int() | float() as value) if value == int(value):
            return int(value)
    return None


def _degree(node):
    match node:
        case ast.Name():
            return int(node.id[0] == "x")
        case ast.UnaryOp():
            return _degree(node.operand)
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return max(_degree(node.left), _degree(node.right))
        case ast.BinOp(op=ast.Mult()):
            return _degree(node.left) + _degree(node.right)
        case ast.BinOp(op=ast.Div()):  # by a number
            return _degree(node.left)
        case ast.BinOp(op=ast.Pow()):
            return _degree(node.left) * _whole(node.right)
    return 0
