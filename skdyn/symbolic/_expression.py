"""Expressions as text: written exactly, read without running anything, and shown to people."""

import ast
import re

import numpy as np

from skdyn._formula_text import OPERATORS, formula_tree

__all__ = [
    "SYMPY_NAMES",
    "expression_from_text",
    "expression_to_latex",
    "expression_to_text",
    "rounded",
    "show_expression",
]

_FUNCTIONS = (
    "Abs", "Max", "Min", "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "cot",
    "coth", "exp", "log", "sech", "sign", "sin", "sinh", "sqrt", "tan", "tanh",
)  # fmt: skip
SYMPY_NAMES = frozenset({*_FUNCTIONS, "abs", "pi", "E"})


def expression_to_text(expression):
    """Write an expression so that reading it gives every number back.

    Parameters
    ----------
    expression : sympy.Expr
        The expression.

    Returns
    -------
    str
    """
    return _printer(lambda value: repr(float(value))).doprint(expression)


def expression_from_text(text, symbols, functions=()):
    """Read an expression; text is never run, so that it may come from a file.

    Parameters
    ----------
    text : str
        Arithmetic of numbers, names and known functions, as Python writes it.
    symbols : dict of str to sympy.Expr
        What the names stand for.
    functions : container of str or dict of str to sympy.Function, default=()
        Further functions; those with names alone become undefined functions of sympy.

    Returns
    -------
    sympy.Expr

    Raises
    ------
    ValueError
        If the text is anything else.
    """
    import sympy

    known = {name: getattr(sympy, name) for name in _FUNCTIONS} | {"abs": sympy.Abs}
    given = functions if isinstance(functions, dict) else dict.fromkeys(functions)
    known |= {name: value or sympy.Function(name) for name, value in given.items()}
    values = {"pi": sympy.pi, "E": sympy.E, **symbols}

    def read(node):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return sympy.Integer(node.value) if type(node.value) is int else sympy.Float(node.value)
        if isinstance(node, ast.Name) and node.id in values:
            return values[node.id]
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](read(node.left), read(node.right))
        if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](read(node.operand))
        if isinstance(node, ast.Call) and not node.keywords:
            function = known.get(getattr(node.func, "id", None))
            if function is not None:
                return function(*map(read, node.args))
        raise ValueError(
            f"{ast.unparse(node)!r} in the expression {text!r} is neither a number, nor one of the "
            f"names {', '.join(symbols)}, nor arithmetic (+ - * / **), nor one of the functions "
            f"{', '.join(known)}."
        )

    return read(formula_tree(text))


def show_expression(expression, names, precision):
    """Write an expression for the reader: "1.1 x - 0.4 x y".

    Parameters
    ----------
    expression : sympy.Expr
        The expression.
    names : dict of str to str
        What to write for a symbol of this name.
    precision : int
        Significant digits of its numbers.

    Returns
    -------
    str
    """
    text = _printer(lambda value: show_number(value, precision)).doprint(
        rounded(expression, precision)
    )
    text = text.replace("**", "^")
    text = re.sub(r"(?<=[\w.)])\*(?=[\w(])", " ", text)
    return re.sub(r"\b[^\W\d]\w*", lambda word: names.get(word[0], word[0]), text)


def rounded(expression, precision):
    """Round the numbers of an expression; factors of one drop out.

    Parameters
    ----------
    expression : sympy.Expr
        The expression.
    precision : int
        Significant digits.

    Returns
    -------
    sympy.Expr
    """
    import sympy

    def short(number):
        text = show_number(number, precision)
        return sympy.Integer(text) if text in ("1", "-1") else sympy.Float(text, precision)

    return expression.xreplace({n: short(n) for n in expression.atoms(sympy.Float)})


def show_number(value, precision):
    """Write a number with so many significant digits, and no more zeros than it takes.

    Parameters
    ----------
    value : float
        The number.
    precision : int
        Significant digits.

    Returns
    -------
    str
    """
    value = float(value)
    if value != 0.0 and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.{precision - 1}e}".split("e")
        return (
            f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
        )
    return np.format_float_positional(value, precision=precision, fractional=False, trim="-")


def expression_to_latex(expression, precision):
    """Write an expression in LaTeX.

    Parameters
    ----------
    expression : sympy.Expr
        The expression.
    precision : int
        Significant digits of its numbers.

    Returns
    -------
    str
    """
    from sympy.printing.latex import LatexPrinter

    class Printer(LatexPrinter):
        _as_ordered_terms = staticmethod(_as_people_write)

    return Printer().doprint(rounded(expression, precision))


def _printer(number):
    from sympy.printing.str import StrPrinter

    class Printer(StrPrinter):
        _as_ordered_terms = staticmethod(_as_people_write)

        def _print_Float(self, expr):
            return number(expr)

    return Printer()


def _as_people_write(sum_, order=None):
    """Order the terms of a sum: numbers, low degrees first, polynomials before functions."""

    def key(term):
        factors = [(b, p) for b, p in term.as_powers_dict().items() if b.free_symbols]
        degree = sum(float(p) if p.is_number else 1.0 for _, p in factors)
        return bool(factors), degree, not all(base.is_Symbol for base, _ in factors)

    return sorted(sum_.as_ordered_terms("grlex"), key=key)
