"""Formulas as expressions of sympy: read from text, written exactly, and shown to people."""

import ast
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from skdyn.formulas._functions import CONSTANTS, FUNCTIONS, function_named
from skdyn.formulas._reader import read, renamed

if TYPE_CHECKING:
    import sympy

__all__ = ["latex", "parse", "rounded", "show", "to_sympy", "written"]


def parse(
    text: str, names: Iterable[str] | None = None, functions: Iterable[str] = ()
) -> "sympy.Expr":
    """Read a formula.

    Parameters
    ----------
    text : str
        The formula, as :mod:`skdyn.formulas` describes it; text is never run.
    names : iterable of str, default=None
        The names of its variables, which may be any texts; None takes every word that is neither
        a function nor ``pi`` or ``E``.
    functions : iterable of str, default=()
        Names of functions that it may call beside those of the table.

    Returns
    -------
    sympy.Expr
        In real symbols of the names.

    Raises
    ------
    ValueError
        If the text is no formula; the error names the place.

    Examples
    --------
    >>> from skdyn.formulas import parse
    >>> parse("x' = 1.1 x - 0.4 x y^2")
    -0.4*x*y**2 + 1.1*x
    """
    import sympy

    if names is None:
        tree = read(text, None, functions)
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - {*CONSTANTS}
    return to_sympy(text, {name: sympy.Symbol(name, real=True) for name in names}, functions)


def to_sympy(
    text: str, values: "Mapping[str, sympy.Expr]", functions: Iterable[str] = ()
) -> "sympy.Expr":
    """Read a formula with expressions in the places of its variables.

    Parameters
    ----------
    text : str
        The formula.
    values : dict of str to sympy.Expr
        What each name stands for.
    functions : iterable of str, default=()
        Names of functions that it may call beside those of the table; they become undefined
        functions of sympy.

    Returns
    -------
    sympy.Expr

    Raises
    ------
    ValueError
        If the text is no formula of these names.

    Examples
    --------
    >>> import sympy
    >>> from skdyn.formulas import to_sympy
    >>> to_sympy("x sin(2 x)", {"x": sympy.Symbol("angle")})
    angle*sin(2*angle)
    """
    import sympy

    constants = {"pi": sympy.pi, "E": sympy.E}
    return _Builder({**constants, **values}, functions).of(read(text, values, functions))


class _Builder:
    """Builds sums and products whole: in steps, sympy would multiply out 2 (x + y) exp(x)."""

    def __init__(self, values, functions):
        self.values, self.functions = values, functions

    def of(self, node):
        import sympy

        match node:
            case ast.Constant():
                exact = isinstance(node.value, int)
                return sympy.Integer(node.value) if exact else sympy.Float(node.value)
            case ast.Name():
                return self.values[node.id]
            case ast.BinOp(op=ast.Pow()):
                return self.of(node.left) ** self.of(node.right)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return sympy.Add(*self.terms(node))
            case ast.BinOp() | ast.UnaryOp():
                return sympy.Mul(*self.factors(node))
        name = node.func.id
        own = name in self.functions or name not in FUNCTIONS
        function = sympy.Function(name) if own else getattr(sympy, name)
        return function(*map(self.of, node.args))

    def terms(self, node):
        import sympy

        terms = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            minus = isinstance(node.op, ast.Sub)
            terms.append(sympy.Mul(*([-1] * minus), *self.factors(node.right)))
            node = node.left
        return [self.of(node), *reversed(terms)]

    def factors(self, node):
        import sympy

        factors = []
        while True:
            if isinstance(node, ast.UnaryOp):
                factors.append(sympy.Integer(-1))
                node = node.operand
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
                right = self.of(node.right)
                factors.append(1 / right if isinstance(node.op, ast.Div) else right)
                node = node.left
            else:
                return [self.of(node), *reversed(factors)]


def written(expression: "sympy.Basic") -> str:
    """Write an expression as Python does, so that reading it gives every number back."""
    return _printer(lambda value: repr(float(value))).doprint(expression)


def show(
    expression: "sympy.Basic",
    precision: int | None = None,
    names: Mapping[str, str] | None = None,
) -> str:
    """Write a formula for people: "1.1 x - 0.4 x y^2".

    Parameters
    ----------
    expression : sympy.Expr
        The formula.
    precision : int or None, default=None
        Significant digits of its numbers; None writes all, so that :func:`parse` gives the same
        formula back.
    names : dict of str to str, default=None
        What to write for some symbols.

    Returns
    -------
    str

    Examples
    --------
    >>> from skdyn.formulas import parse, show
    >>> show(parse("1.23456*x*y**2 - x/3"), precision=3)
    '-x/3 + 1.23 x y^2'
    """
    if precision is None:
        text = written(expression)
    else:
        text = _printer(lambda value: _number(value, precision)).doprint(
            rounded(expression, precision)
        )
    return _spaced(text.replace("**", "^"), dict(names or {}))


def _spaced(text, words):
    """Write products of names without stars, and names in place of symbols."""

    def space(star):
        word = re.search(r"[^\W\d]\w*$", text[: star.start()])
        call = word and function_named(words.get(word[0], word[0]))
        call = call and text[star.end() :].startswith("(")
        return "*" if call else " "  # a variable may be called sin

    return renamed(re.sub(r"(?<=[\w.)])\*(?=[^\W\d]|\()", space, text), words)


def rounded(expression: "sympy.Basic", precision: int) -> "sympy.Basic":
    """Round the numbers of an expression; factors of one drop out."""
    import sympy

    def short(number):
        text = _number(number, precision)
        return sympy.Integer(text) if text in ("1", "-1") else sympy.Float(text, precision)

    short_for = {number: short(number) for number in expression.atoms(sympy.Float)}
    return expression.xreplace(short_for)


def _number(value, precision):
    """Write a number with so many significant digits, and no more zeros than it takes."""
    value = float(value)
    if value != 0.0 and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.{precision - 1}e}".split("e")
        return (
            f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
        )
    return np.format_float_positional(value, precision=precision, fractional=False, trim="-")


def latex(expression: "sympy.Basic", precision: int = 3) -> str:
    r"""Write a formula in LaTeX.

    Parameters
    ----------
    expression : sympy.Expr
        The formula.
    precision : int, default=3
        Significant digits of its numbers.

    Returns
    -------
    str

    Examples
    --------
    >>> from skdyn.formulas import latex, parse
    >>> latex(parse("x^2/(1.2345 + x)"))
    '\\frac{x^{2}}{1.23 + x}'
    """
    from sympy.printing.latex import LatexPrinter

    class Printer(LatexPrinter):
        def _as_ordered_terms(self, expr: Any, order: Any = None) -> list:
            return _as_people_write(expr, order)

    return Printer().doprint(rounded(expression, precision))


def _printer(number):
    from sympy.printing.str import StrPrinter

    class Printer(StrPrinter):
        def _as_ordered_terms(self, expr: Any, order: Any = None) -> list:
            return _as_people_write(expr, order)

        def _print_Float(self, expr):
            return number(expr)

        def _print_Exp1(self, expr) -> Any:
            return "exp(1)"  # a variable may be called E

    return Printer()


def _as_people_write(sum_: Any, order: Any = None) -> list:
    """Order the terms of a sum: numbers, low degrees first, polynomials before functions."""

    def key(term):
        factors = [(b, p) for b, p in term.as_powers_dict().items() if b.free_symbols]
        degree = sum(float(p) if p.is_number else 1.0 for _, p in factors)
        return bool(factors), degree, not all(base.is_Symbol for base, _ in factors)

    return sorted(sum_.as_ordered_terms("grlex"), key=key)
