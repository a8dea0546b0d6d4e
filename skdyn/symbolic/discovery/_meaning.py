"""What terms mean: texts of users as terms, and whether terms are equal, even, odd or bounded."""

import re
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from skdyn.formulas import to_sympy
from skdyn.formulas._expression import written
from skdyn.symbolic.discovery import _prices as prices
from skdyn.symbolic.discovery._kinds import n_constants_of
from skdyn.symbolic.discovery._terms import Form, Term, evaluate

__all__ = [
    "covers",
    "generic",
    "has_parity",
    "is_bounded",
    "probes",
    "read_expression",
    "read_term",
    "same",
    "write_term",
]

_N_PROBES = 24  # points at which terms are compared
_FEWEST = 6  # of them at which both must have a value
_GENERIC = (0.83, 1.31, 0.57)  # values of free constants that make no term special
_N_FAR = 4000  # points at which a term's size is judged


def probes(n_variables):
    """Return points, half with all variables positive, at which to compare terms."""
    rng = np.random.default_rng(0)
    columns = rng.uniform(0.3, 1.7, (n_variables, _N_PROBES))
    columns[:, ::2] *= rng.choice([-1.0, 1.0], (n_variables, _N_PROBES // 2))
    return list(columns)


def read_expression(text, names, n_constants=0):
    """Read a formula in the user's names as one in x0, x1, ... and constants k0, k1, ..."""
    import sympy

    if not isinstance(text, str):
        raise ValueError(f"a term is text such as 'x0*x1'; got {text!r}.")
    own = [f"x{i}" for i in range(len(names))]
    free = [f"k{i}" for i in range(n_constants)]
    symbols = {name: sympy.Symbol(name, real=True) for name in [*free, *own]}
    # A name that is no word, such as "prey, thousands", cannot be written, but x0 can.
    symbols |= {name: symbols[x] for name, x in zip(names, own, strict=True)}
    numbers = {sympy.pi: sympy.Float(np.pi), sympy.E: sympy.Float(np.e)}
    return to_sympy(text, symbols).xreplace(numbers)


def write_term(expression):
    """Write an expression as a term, its free constants at generic values."""
    text = written(expression)
    return generic(Term(Form(text, prices.GIVEN, n_constants_of(text))))


def read_term(text, names, n_constants=0):
    """Read a term in the user's names; its factor, as it has a coefficient anyway, is dropped.

    Parameters
    ----------
    text : str
        The formula.
    names : sequence of str
        Names of the states, then the controls.
    n_constants : int, default=0
        Number of free constants ``k0, k1, ...`` that may be in it.

    Returns
    -------
    Term

    Raises
    ------
    ValueError
        If the text is anything else.
    """
    found: Any = read_expression(text, names, n_constants)
    factor, expression = found.as_coeff_Mul()
    if factor == 0:
        raise ValueError(f"{text!r} is zero, which is no term.")
    return write_term(expression)


def generic(term):
    """Return a term with values of its constants that make it no special one."""
    return term._replace(inner=_GENERIC[: term.form.n_inner])


def _off(a, b):
    """Sine of the angle between two terms' values; 1 where they cannot be compared."""
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < _FEWEST:
        return 1.0
    a, b = a[known], b[known]
    size = np.linalg.norm(a), np.linalg.norm(b)
    if not min(size) > 0.0 or not max(size) < np.inf:
        return 1.0
    a, b = a / size[0], b / size[1]
    return float(np.linalg.norm(a - b * (a @ b)))


def same(term, other, columns, tolerance=1e-6):
    """Whether two terms, with their constants, are equal but for a factor.

    Parameters
    ----------
    term, other : Term
        Terms.
    columns : list of ndarray
        Where to compare them.
    tolerance : float, default=1e-6
        Sine of the angle between their values.

    Returns
    -------
    bool
    """
    return _off(evaluate(term, columns), evaluate(other, columns)) < tolerance


def covers(form, term, columns):
    """Whether a form has constants with which it is equal to a term but for a factor.

    Parameters
    ----------
    form : Term
        With free constants, or without.
    term : Term
        The term; free constants have generic values.
    columns : list of ndarray
        Where to compare them.

    Returns
    -------
    bool
    """
    if not form.form.n_inner:
        return same(form, term, columns)
    if term.form.n_inner > form.form.n_inner or _variables(form) != _variables(term):
        return False
    target = evaluate(term, columns)

    def off(constants):
        value = evaluate(form._replace(inner=tuple(constants)), columns)
        known = np.isfinite(value) & np.isfinite(target)
        out = np.ones(len(target))
        if known.sum() >= _FEWEST and value[known].any():
            unit = value[known] / np.linalg.norm(value[known])
            goal = target[known] / np.linalg.norm(target[known])
            out[:] = 0.0
            out[known] = goal - unit * (goal @ unit)
        return out

    for sign in (1.0, -1.0):
        start = sign * np.array(_GENERIC[: form.form.n_inner]) * 1.1
        if np.linalg.norm(least_squares(off, start, method="lm", xtol=1e-12).fun) < 1e-5:
            return True
    return False


def _variables(term):
    return set(re.findall(r"\bx\d+\b", term.form.text))


def has_parity(term, signs, parity, columns):
    """Whether a term changes to ``parity`` times itself when variables change their signs.

    Parameters
    ----------
    term : Term
        The term.
    signs : sequence of {-1, 1}
        Factor of each variable.
    parity : {-1, 1}
        Factor of the term.
    columns : list of ndarray
        Where to try.

    Returns
    -------
    bool
    """
    value = evaluate(term, columns)
    other = evaluate(term, [s * column for s, column in zip(signs, columns, strict=True)])
    known = np.isfinite(value)
    if not np.array_equal(known, np.isfinite(other)) or known.sum() < _FEWEST:
        return False
    least = 1e-12 * np.abs(value[known]).max()
    return np.allclose(other[known], parity * value[known], rtol=1e-9, atol=least)


def is_bounded(term, n_states, inputs):
    """Whether a term stays finite wherever the states may go.

    Parameters
    ----------
    term : Term
        The term.
    n_states : int
        The first variables, which may go anywhere; where the data are never negative, only to
        positive values.
    inputs : ndarray of shape (n_rows, n_variables)
        The data. Controls, the other variables, stay in their range.

    Returns
    -------
    bool
    """
    rng = np.random.default_rng(0)
    low, high = inputs.min(axis=0), inputs.max(axis=0)
    where = rng.uniform(low, high, (_N_FAR, len(low))).T
    most = []
    for decades in (3.0, 6.0):
        states = 10.0 ** rng.uniform(-decades, decades, (n_states, _N_FAR))
        signs = np.where(low[:n_states, None] < 0.0, rng.choice([-1.0, 1.0], states.shape), 1.0)
        where[:n_states] = states * signs * np.abs(inputs[:, :n_states]).max(axis=0)[:, None]
        size = np.abs(evaluate(term, list(where)))
        if not np.isfinite(size).all():
            return False
        most.append(size.max())
    # A pole gives few values that stand out, growth without bound larger ones farther out.
    return bool(most[1] <= 1.5 * most[0] and size.max() <= 3.0 * np.quantile(size, 0.99))
