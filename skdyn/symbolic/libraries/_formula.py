"""Formulas as text: one definition for numpy, for sympy and for the reader.

A formula is arithmetic of variables, numbers and known functions, nothing else: every text is read
by :func:`skdyn._formula_text.formula_tree` before it is evaluated.
"""

import ast
import re
from functools import lru_cache

import numpy as np

from skdyn._formula_text import formula_tree
from skdyn.symbolic._expression import expression_from_text

__all__ = [
    "FUNCTIONS",
    "evaluate_formula",
    "formula_to_sympy",
    "is_compound",
    "substitute",
    "variables_of",
]

_PLAIN = ("abs", "cos", "cosh", "exp", "log", "sign", "sin", "sinh", "sqrt", "tan", "tanh")
_INVERSE = ("cos", "cosh", "sin", "sinh", "tan", "tanh")
FUNCTIONS = {name: getattr(np, name) for name in _PLAIN}
FUNCTIONS |= {f"a{name}": getattr(np, f"arc{name}") for name in _INVERSE}
FUNCTIONS |= {f"arc{name}": getattr(np, f"arc{name}") for name in _INVERSE}
_CONSTANTS = {"pi": np.pi}


def variables_of(text, callables=()):
    """Check a formula and list its variables.

    Parameters
    ----------
    text : str
        The formula.
    callables : container of str, default=()
        Names of further functions that it may call.

    Returns
    -------
    list of str
        In alphabetical order.

    Raises
    ------
    ValueError
        If the text is anything but arithmetic of variables, numbers and known functions.
    """
    try:
        tree = formula_tree(text)
    except ValueError as error:
        raise _no_formula(text, f"{error}") from error
    names, called = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        if isinstance(node, ast.Call):
            name = node.func.id
            called.add(name)
            if name not in callables and (name not in FUNCTIONS or len(node.args) != 1):
                raise _no_formula(text, f"{ast.unparse(node)} calls no known function of one value")
    variables = names - called - set(_CONSTANTS)
    for name in variables & {*FUNCTIONS, *callables}:
        raise _no_formula(text, f"{name} is a function and needs an argument")
    if not variables and text != "1":
        raise _no_formula(text, "it has no variable; the only constant is '1'")
    return sorted(variables)


def _no_formula(text, reason):
    return ValueError(
        f"functions names {text!r}, but {reason}. Write arithmetic (+ - * / **) of variables, "
        f"numbers and the functions {', '.join(FUNCTIONS)}, such as 'x*exp(-y)'; pass a callable "
        "for anything else."
    )


def substitute(text, replacements):
    """Replace variables of a formula, all at once.

    Parameters
    ----------
    text : str
        The formula.
    replacements : dict of str to str
        The new text of each variable.

    Returns
    -------
    str
    """
    return re.sub(r"\b[^\W\d]\w*", lambda word: replacements.get(word[0], word[0]), text)


def evaluate_formula(text, values):
    """Evaluate a checked formula with numpy.

    Parameters
    ----------
    text : str
        The formula.
    values : dict
        Values of its variables, and the functions that numpy does not have.

    Returns
    -------
    ndarray or float
    """
    if text in values:
        return values[text]
    return eval(_code(text), {"__builtins__": {}, **FUNCTIONS, **_CONSTANTS}, values)


def formula_to_sympy(text, symbols):
    """Turn a checked formula into a sympy expression.

    Parameters
    ----------
    text : str
        The formula.
    symbols : dict
        Expressions for its variables, and the functions that sympy does not have.

    Returns
    -------
    sympy.Expr
    """
    if text in symbols:
        return symbols[text]
    import sympy

    known = {name: getattr(sympy, name.replace("arc", "a"), sympy.Abs) for name in FUNCTIONS}
    known |= {name: value for name, value in symbols.items() if isinstance(value, type)}
    return expression_from_text(text, symbols, known)


def is_compound(text):
    """Tell whether a formula needs brackets as a factor.

    Parameters
    ----------
    text : str
        The formula.

    Returns
    -------
    bool
    """
    return not isinstance(formula_tree(text), ast.Name | ast.Call)


@lru_cache(maxsize=4096)
def _code(text):
    return compile(ast.Expression(formula_tree(text)), "<formula>", "eval")
