"""Terms: products of powers of formulas in the variables x0, x1, ..., one for each column.

A term is a tuple of pairs (formula, power), such as ``(("x0", 2), ("sin(2*x1)", 1))``; the constant
is the empty product. Plain data: it can be compared, pickled and written to a file.
"""

import ast
import re
from typing import Any

import numpy as np

from skdyn.formulas import to_sympy
from skdyn.formulas._reader import names_in, read, renamed
from skdyn.formulas._values import compiled

__all__ = ["columns_of", "evaluate_terms", "product", "show_term", "term_to_sympy"]


def product(*terms):
    """Multiply terms; equal factors become a power.

    Parameters
    ----------
    *terms : tuple of (str, int)
        The terms.

    Returns
    -------
    tuple of (str, int)
    """
    powers = {}
    for term in terms:
        for formula, power in term:
            powers[formula] = powers.get(formula, 0) + power
    return tuple(powers.items())


def columns_of(term, callables=()):
    """List the columns that a term depends on.

    Parameters
    ----------
    term : tuple of (str, int)
        The term.
    callables : container of str, default=()
        Names of the functions that numpy does not have.

    Returns
    -------
    list of int
    """
    names = {name for formula, _ in term for name in names_in(formula, callables)}
    return sorted(int(name[1:]) for name in names)


def evaluate_terms(terms, X, callables):
    """Evaluate terms on data; a product costs one multiplication where a part of it is known.

    Parameters
    ----------
    terms : list of tuple of (str, int)
        The terms.
    X : ndarray of shape (n_samples, n_features)
        Data.
    callables : dict of str to callable
        Functions that numpy does not have.

    Returns
    -------
    ndarray of shape (n_samples, n_terms)
        In Fortran order. Values may be NaN or infinite.
    """
    out = np.empty((len(X), len(terms)), order="F")
    columns = np.asfortranarray(X).T
    columns.flags.writeable = False  # a callable gets views of the data
    names = tuple(f"x{i}" for i in range(len(columns)))

    def evaluated(formula):
        if formula in names:
            return columns[int(formula[1:])]
        return compiled(formula, names, tuple(callables))(*columns, *callables.values())

    known: dict[tuple, Any] = {(): 1.0}
    with np.errstate(all="ignore"):
        for column, term in zip(out.T, terms, strict=True):
            column[:] = _evaluate(term, known, evaluated, len(X))
            known[term] = column
    return out


def _evaluate(term, known, evaluated, n_samples):
    if term in known:
        return known[term]
    *rest, (formula, power) = term
    if power > 1:
        rest.append((formula, power - 1))
    if rest:
        first = _evaluate(tuple(rest), known, evaluated, n_samples)
        value = first * _evaluate(((formula, 1),), known, evaluated, n_samples)
    else:
        value = evaluated(formula)
        if np.shape(value) not in ((), (n_samples,)) or np.iscomplexobj(value):
            raise ValueError(
                f"{formula} must give one real number per row, an array of shape ({n_samples},); "
                f"got shape {np.shape(value)} and dtype {np.asarray(value).dtype}."
            )
    known[term] = value
    return value


def show_term(term, names, callables=()):
    """Write a term for the reader.

    Parameters
    ----------
    term : tuple of (str, int)
        The term.
    names : sequence of str
        Name of each column.
    callables : container of str, default=()
        Names of the functions that numpy does not have.

    Returns
    -------
    str
        Such as "1", "x0 x1^2" or "x0 sin(2 x1)".
    """
    columns = {f"x{i}": name for i, name in enumerate(names)}
    factors = []
    for formula, power in term:
        # "2*x" is written "2 x", as products of factors are.
        text = re.sub(r"(?<![\w.^/])(\d+)\*(?=[^\W\d])", r"\1 ", formula.replace("**", "^"))
        text = renamed(text, columns)
        if (len(term) > 1 or power > 1) and _is_compound(formula, callables):
            text = f"({text})"
        factors.append(text if power == 1 else f"{text}^{power}")
    return " ".join(factors) or "1"


def _is_compound(formula, callables):
    """Tell whether a formula needs brackets as a factor."""
    return not isinstance(read(formula, None, callables), ast.Name | ast.Call)


def term_to_sympy(term, symbols, callables=()):
    """Turn a term into a sympy expression, its variables x0, x1, ... into what they stand for."""
    import sympy

    factors = (to_sympy(formula, symbols, callables) ** power for formula, power in term)
    return sympy.Mul(*factors)
