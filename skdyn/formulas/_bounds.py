"""How large a formula may be: powers, numbers and length, because ``9**9**8`` takes for ever."""

import ast
import math
import operator
from typing import NamedTuple

import numpy as np

from skdyn.formulas._functions import functions_for

__all__ = ["LONGEST", "check_bounds"]

LONGEST = 100_000  # characters
_DEEPEST = 450  # operations within each other: readers recurse, and Python stops them at 1000
_HIGHEST_POWER = 1000
_MOST_BITS = 8192  # of a whole number or fraction, which sympy keeps exactly
_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def check_bounds(tree, text, refusal):
    """Refuse a formula with numbers, powers or depth beyond all use.

    ``refusal(text, reason)`` makes the error; a part that is a number needs a finite value.
    """
    level, depth = [tree], 0
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
        if depth > _DEEPEST:
            raise refusal(text, f"it has more than {_DEEPEST} operations within each other")
    try:
        _size(tree)
    except _TooLargeError as error:
        raise refusal(text, f"{error}") from None


class _TooLargeError(Exception):
    pass


class _Size(NamedTuple):
    """How large what a node stands for can become."""

    value: float | None  # of a number
    bits: float  # of the exact numbers in it
    degree: float  # of the polynomials in it; 0 of a number


def _size(node: ast.AST) -> _Size:
    match node:
        case ast.Constant():
            size = _of_number(node.value)
        case ast.Name():
            return _Size(None, 0, 1)  # constants too: sympy keeps them as they are
        case ast.UnaryOp():
            size = _size(node.operand)
            size = size._replace(value=None if size.value is None else -size.value)
        case ast.BinOp(op=ast.Pow()):
            size = _of_power(_size(node.left), _size(node.right))
        case ast.BinOp():
            left, right = _size(node.left), _size(node.right)
            together = sum if isinstance(node.op, ast.Mult | ast.Div) else max
            degree = together([left.degree, right.degree])
            bits = sum if degree == 0 else together
            value = _value(_OPERATORS[type(node.op)], left.value, right.value)
            size = _Size(value, bits([left.bits, right.bits]), degree)
        case ast.Call(func=ast.Name(id=name)):
            values = [_size(argument).value for argument in node.args]
            function = functions_for("numpy").get(name)
            value = _value(function, *values) if function is not None else None
            size = _Size(value, 0, float(value is None))
        case _:  # the reader lets through nothing else
            raise TypeError(f"{type(node).__name__} is no part of a formula.")
    if size.bits > _MOST_BITS or size.degree > _HIGHEST_POWER:
        raise _TooLargeError(f"{ast.unparse(node)[:80]!r} has powers above {_HIGHEST_POWER} or "
                             f"numbers of more than {_MOST_BITS} bits")  # fmt: skip
    return size


def _of_number(number):
    bits = number.bit_length() if isinstance(number, int) else 0
    if bits > 1000 or not math.isfinite(number):  # what float64 holds
        raise _TooLargeError("a number in it is too large")
    return _Size(float(number), bits, 0)


def _of_power(base, exponent):
    if exponent.value is None:
        return _Size(None, base.bits, max(base.degree, exponent.degree))
    times = abs(exponent.value)
    if times > _HIGHEST_POWER:
        raise _TooLargeError(f"powers above {_HIGHEST_POWER} are beyond all use")
    value = _value(operator.pow, base.value, exponent.value)
    times = max(1.0, times)
    return _Size(value, base.bits * times, base.degree * times)


def _value(function, *values):
    """Return the number that a part of a formula is; None where it is none."""
    if None in values:
        return None
    try:
        with np.errstate(all="ignore"):
            value = function(*map(float, values))
    except (ArithmeticError, ValueError, TypeError) as error:
        raise _TooLargeError(f"a part of it has no finite value: {error}") from None
    if isinstance(value, complex) or not math.isfinite(value):
        raise _TooLargeError("a part of it has no finite value")
    return float(value)
