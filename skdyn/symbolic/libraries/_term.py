"""Terms: products of powers of formulas in the variables x0, x1, ..., one for each column.

A term is a tuple of pairs (formula, power), such as ``(("x0", 2), ("sin(2*x1)", 1))``; the constant
is the empty product. Plain data: it can be compared, pickled and written to a file.
"""

import re

import numpy as np

from skdyn.symbolic.libraries._formula import (
    evaluate_formula,
    formula_to_sympy,
    is_compound,
    substitute,
    variables_of,
)

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
    names = {name for formula, _ in term for name in variables_of(formula, callables)}
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
    values = {**callables, **{f"x{i}": column for i, column in enumerate(columns)}}
    known = {(): 1.0}
    with np.errstate(all="ignore"):
        for column, term in zip(out.T, terms, strict=True):
            column[:] = _evaluate(term, known, values, len(X))
            known[term] = column
    return out


def _evaluate(term, known, values, n_samples):
    if term in known:
        return known[term]
    *rest, (formula, power) = term
    if power > 1:
        rest.append((formula, power - 1))
    if rest:
        first = _evaluate(tuple(rest), known, values, n_samples)
        value = first * _evaluate(((formula, 1),), known, values, n_samples)
    else:
        value = evaluate_formula(formula, values)
        if np.shape(value) not in ((), (n_samples,)) or np.iscomplexobj(value):
            raise ValueError(
                f"{formula} must give one real number a row, an array of shape ({n_samples},); "
                f"got shape {np.shape(value)} and dtype {np.asarray(value).dtype}."
            )
    known[term] = value
    return value


def show_term(term, names):
    """Write a term for the reader.

    Parameters
    ----------
    term : tuple of (str, int)
        The term.
    names : sequence of str
        Name of each column.

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
        text = substitute(text, columns)
        if (len(term) > 1 or power > 1) and is_compound(formula):
            text = f"({text})"
        factors.append(text if power == 1 else f"{text}^{power}")
    return " ".join(factors) or "1"


def term_to_sympy(term, symbols):
    """Turn a term into a sympy expression.

    Parameters
    ----------
    term : tuple of (str, int)
        The term.
    symbols : dict
        Expressions for the variables x0, x1, ..., and the functions that sympy does not have.

    Returns
    -------
    sympy.Expr
    """
    import sympy

    return sympy.Mul(*(formula_to_sympy(formula, symbols) ** power for formula, power in term))
