"""Formulas as text: read into a syntax tree that is arithmetic and nothing else, and is small.

Text may come from a file. Whoever evaluates, compiles or hands to sympy what a text says reads it
here first: what is left can name nothing but variables and functions, and costs little: the powers,
the numbers and the depth of a formula are bounded, because ``9**9**8`` takes sympy for ever.
"""

import ast
import math
import operator
from collections.abc import Callable, Container
from typing import NamedTuple

__all__ = ["OPERATORS", "formula_tree"]

_LONGEST = 100_000  # characters
_DEEPEST = 600  # operations within each other: the readers recurse, and Python stops them at 1000
_HIGHEST_POWER = 1000
_MOST_BITS = 8192  # of a whole number or fraction, which sympy keeps exactly

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
# Values of calls with numbers alone; sympy would look for them too.
_FUNCTIONS = {
    "abs": abs, "Abs": abs, "Max": max, "Min": min, "sign": lambda x: math.copysign(bool(x), x),
    "cot": lambda x: 1 / math.tan(x), "coth": lambda x: 1 / math.tanh(x),
    "sech": lambda x: 1 / math.cosh(x),
    **{name: getattr(math, name) for name in ("exp", "log", "sqrt")},
    **{name: getattr(math, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"a{name}": getattr(math, f"a{name}") for name in
       ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"arc{name}": getattr(math, f"a{name}") for name in
       ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
}  # fmt: skip


def formula_tree(
    text: str, known: Container[str] | Callable[[str], bool] | None = None
) -> ast.expr:
    """Read a formula.

    Parameters
    ----------
    text : str
        Arithmetic (``+ - * / **``) of numbers, names, and calls of named functions.
    known : container of str, callable or None, default=None
        The names it may have, of variables and functions, or whether a name is one; None leaves
        that to the caller.

    Returns
    -------
    ast.expr
        Of ``BinOp``, ``UnaryOp``, ``Call``, ``Name`` and ``Constant`` (int and float) only.

    Raises
    ------
    ValueError
        If the text is anything else, has a name that is not known, or asks for numbers or powers
        beyond all use.
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise _refusal(text, f"a formula is a text of at most {_LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        _check_depth(tree, text)
        _size(tree, text, (lambda name: True) if known is None else _membership(known))
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise _refusal(text, f"it cannot be read: {error}") from error
    return tree


def _membership(known):
    return known if callable(known) else known.__contains__


def _refusal(text, reason):
    shown = repr(text)
    shown = shown if len(shown) <= 200 else f"{shown[:200]}..."
    return ValueError(f"The formula {shown} is refused: {reason}.")


def _check_depth(tree, text):
    level, depth = [tree], 0
    while level:
        level, depth = [child for node in level for child in ast.iter_child_nodes(node)], depth + 1
        if depth > 2 * _DEEPEST:  # an operation and its context alternate in calls only
            break
    if depth > _DEEPEST:
        raise _refusal(text, f"it is nested more than {_DEEPEST} deep")


class _Size(NamedTuple):
    """How large what a node stands for can become."""

    value: float | None  # of a number
    bits: float  # of the exact numbers in it
    degree: float  # of the polynomials in it; 0 of a number


def _size(node, text, known):
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            size = _of_number(node.value, text)
        case ast.Name():
            if not known(node.id):
                raise _refusal(text, f"{node.id!r} is no name that is known here")
            return _Size(None, 0, 1)
        case ast.UnaryOp() if type(node.op) in OPERATORS:
            size = _size(node.operand, text, known)
            size = size._replace(value=None if size.value is None else -size.value)
        case ast.BinOp(op=ast.Pow()):
            size = _of_power(*_both(node, text, known), text)
        case ast.BinOp() if type(node.op) in OPERATORS:
            left, right = _both(node, text, known)
            together = sum if isinstance(node.op, ast.Mult | ast.Div) else max
            degree = together([left.degree, right.degree])
            bits = sum if degree == 0 else together
            size = _Size(None, bits([left.bits, right.bits]), degree)
            if left.value is not None and right.value is not None:
                size = size._replace(value=_value(node.op, (left.value, right.value), text))
        case ast.Call(func=ast.Name(id=name), keywords=[]) if known(name):
            sizes = [_size(argument, text, known) for argument in node.args]
            values = [size.value for size in sizes]
            numbers = bool(values) and None not in values and name in _FUNCTIONS
            value = _value(name, values, text) if numbers else None
            size = _Size(value, 0, float(value is None))
        case ast.Call():
            raise _refusal(text, f"{ast.unparse(node)} calls no known function by its arguments")
        case ast.Constant():
            raise _refusal(text, f"{node.value!r} is no number")
        case _:
            kind = type(getattr(node, "op", node)).__name__
            raise _refusal(text, f"{kind} is no arithmetic: {ast.unparse(node)}")
    if size.bits > _MOST_BITS or size.degree > _HIGHEST_POWER:
        raise _refusal(
            text, f"{ast.unparse(node)[:80]!r} has powers above {_HIGHEST_POWER} or numbers of "
            f"more than {_MOST_BITS} bits"
        )  # fmt: skip
    return size


def _both(node, text, known):
    return _size(node.left, text, known), _size(node.right, text, known)


def _of_number(number, text):
    if isinstance(number, int):
        if number.bit_length() > 1000:  # what float64 holds
            raise _refusal(text, "a number in it is too large")
        return _Size(float(number), number.bit_length(), 0)
    if not math.isfinite(number):
        raise _refusal(text, "a number in it is too large")
    return _Size(number, 0, 0)


def _of_power(base, exponent, text):
    if exponent.value is None:
        return _Size(None, base.bits, max(base.degree, exponent.degree))
    times = abs(exponent.value)
    if times > _HIGHEST_POWER:
        raise _refusal(text, f"powers above {_HIGHEST_POWER} are beyond all use")
    times = max(1.0, times)
    value = None
    if base.value is not None:
        value = _value(ast.Pow(), (base.value, exponent.value), text)
    return _Size(value, base.bits * times, base.degree * times)


def _value(what, values, text):
    function = _FUNCTIONS[what] if isinstance(what, str) else OPERATORS[type(what)]
    try:
        value = function(*values)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise _refusal(text, f"a part of it has no finite value: {error}") from error
    if isinstance(value, complex) or not math.isfinite(value):
        raise _refusal(text, "a part of it has no finite value")
    return value
