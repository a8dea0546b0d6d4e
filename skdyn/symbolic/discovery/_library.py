"""The candidate terms for data: forms of many kinds, with starts for their inner constants.

A form's cost, in nats, is minus the logarithm of how often such a term is met, up to a constant:
low for monomials of low degree, higher for what is rarer or bends more freely.
"""

from itertools import combinations_with_replacement

import numpy as np

from skdyn.symbolic.discovery._kinds import angles_of
from skdyn.symbolic.discovery._terms import FAMILIES, Form, Term

_DEGREE_COST = {0: 0.5, 1: 0.5, 2: 1.5, 3: 4.0, 4: 6.0, 5: 7.5}
_RARER = 1.0  # nats that any other term costs more than its own figure says
_NO_ANGLE = 1.0  # nats more for a sine of what was never negative: it is hardly an angle
_BELOW = 0.02  # of a variable's range below zero that smoothing may make up


def monomials(n_variables, degree):
    """Return monomials up to a degree, the constant first.

    Parameters
    ----------
    n_variables : int
        Number of variables.
    degree : int
        Largest degree.

    Returns
    -------
    list of Form
    """
    found = []
    for total in range(degree + 1):
        for factors in combinations_with_replacement(range(n_variables), total):
            powers = [(i, factors.count(i)) for i in sorted(set(factors))]
            text = "*".join(f"x{i}" if p == 1 else f"x{i}**{p}" for i, p in powers) or "1"
            found.append(Form(text, _DEGREE_COST.get(total, 1.5 * total - 1)))
    return found


def library(columns, families=FAMILIES, degree=None):
    """Build the candidate terms for data.

    Parameters
    ----------
    columns : list of ndarray of shape (n,)
        States, then controls, along the data.
    families : sequence of str, default=FAMILIES
        Kinds of terms.
    degree : int or None, default=None
        Largest degree of polynomials; None takes what keeps their number below some 40.

    Returns
    -------
    list of Term
        Several to a form with inner constants: starts for their refinement.
    """
    n = len(columns)
    if degree is None:
        degree = {1: 5, 2: 4, 3: 3, 4: 3}.get(n, 2)
    terms = [Term(form) for form in monomials(n, degree)] if "polynomial" in families else []
    around = [_Scale(column) for column in columns]
    for family in families:
        if family != "polynomial":
            terms += [
                term._replace(form=term.form._replace(cost=term.form.cost + _RARER))
                for term in _MAKERS[family](around)
            ]
    return terms


class _Scale:
    """Typical sizes of a variable."""

    def __init__(self, column):
        self.low, self.high = column.min(), column.max()
        self.size = np.sqrt((column**2).mean()) or 1.0
        self.spread = column.std() or 1.0
        self.quantiles = np.quantile(column, (0.1, 0.35, 0.65, 0.9))
        self.positive = self.low > 0
        self.amount = self.low > -_BELOW * (self.high - self.low)


def _others(n, i):
    return [j for j in range(n) if j != i]


def _trigonometric(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        for f in ("sin", "cos"):
            terms.append(Term(Form(f"{f}(x{i})", 3.0)))
            terms += [
                Term(Form(f"{f}(k0*x{i})", 6.0, 1), (w / scale.spread,)) for w in (0.7, 1.5, 3.0)
            ]
            terms += [Term(Form(f"x{j}*{f}(x{i})", 4.0)) for j in range(n)]
            terms.append(Term(Form(f"{f}(x{i})**2", 4.5)))
            for j in _others(n, i):
                terms += [Term(Form(f"{f}(x{i})*{g}(x{j})", 5.0)) for g in ("tan", "cot")]
                terms += [Term(Form(f"{f}(x{i})*{g}(x{j})**2", 5.5)) for g in ("sin", "cos")]
        terms.append(Term(Form(f"sin(x{i})*cos(x{i})", 4.5)))
        terms += [Term(Form(f"{g}(x{i})", 4.5)) for g in ("tan", "cot")]
        for j in range(i):
            terms += [
                Term(Form(f"{f}(x{i})*{g}(x{j})", 4.5))
                for f in ("sin", "cos")
                for g in ("sin", "cos")
            ]
            terms += [Term(Form(f"{f}(x{i} {s} x{j})", 3.5)) for f in ("sin", "cos") for s in "+-"]
        for j in _others(n, i):
            terms += [Term(Form(f"{f}(x{i})/x{j}", 5.0)) for f in ("sin", "cos")]
    return [_dearer(term, around) for term in terms]


def _dearer(term, around):
    if not any(around[i].amount for i in angles_of(term.form.text)):
        return term
    return term._replace(form=term.form._replace(cost=term.form.cost + _NO_ANGLE))


def _exponential(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        terms += [Term(Form(f"exp({s}x{i})", 4.0)) for s in ("", "-")]
        for rate in (-3.0, -1.0, 1.0, 3.0):
            k = (rate / scale.spread,)
            terms.append(Term(Form(f"exp(k0*x{i})", 6.5, 1), k))
            terms += [Term(Form(f"x{j}*exp(k0*x{i})", 7.0, 1), k) for j in range(n)]
        for rate in (0.3, 1.0, 3.0):
            terms.append(Term(Form(f"exp(-k0*x{i}**2)", 7.5, 1), (rate / scale.size**2,)))
    return terms


def _logarithmic(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        if scale.positive:
            terms.append(Term(Form(f"log(x{i})", 4.5)))
            terms += [Term(Form(f"x{j}*log(k0*x{i})", 5.5, 1), (1 / scale.size,)) for j in range(n)]
    return terms


def _absolute(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        if scale.low < 0 < scale.high:
            terms.append(Term(Form(f"Abs(x{i})", 3.5)))
            terms += [Term(Form(f"x{j}*Abs(x{i})", 4.0 if i == j else 5.0)) for j in range(n)]
    return terms


def _power(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        if not scale.low < 0 < scale.high:
            terms += [Term(Form(f"1/x{i}", 4.0)), Term(Form(f"1/x{i}**2", 5.0))]
            terms += [Term(Form(f"x{j}/x{i}", 4.5)) for j in _others(n, i)]
        if scale.positive:
            terms.append(Term(Form(f"sqrt(x{i})", 4.0)))
            for p in (-0.5, 0.7, 1.5, 2.5):
                terms.append(Term(Form(f"x{i}**k0", 7.0, 1), (p,)))
                terms += [Term(Form(f"x{j}*x{i}**k0", 7.5, 1), (p,)) for j in _others(n, i)]
    return terms


def _rational(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        low = max(-scale.low, 0.0)  # the pole stays outside the data
        sizes = (scale.spread if scale.low < 0 else scale.size) * np.array([0.05, 0.3, 1.0, 4.0])
        for k in low * 1.05 + sizes:
            terms.append(Term(Form(f"1/(k0 + x{i})", 5.0, 1), (k,)))
            for j in range(n):
                # x / (k + x) saturates (Michaelis, Menten; Holling): the commonest of these.
                terms.append(Term(Form(f"x{j}/(k0 + x{i})", 4.0 if i == j else 5.0, 1), (k,)))
                if i != j:
                    terms.append(Term(Form(f"x{i}*x{j}/(k0 + x{i})", 4.5, 1), (k,)))
        for k in scale.size**2 * np.array([0.03, 0.3, 1.0, 5.0]):
            terms.append(Term(Form(f"1/(k0 + x{i}**2)", 6.0, 1), (k,)))
            for j in range(n):
                terms.append(Term(Form(f"x{j}/(k0 + x{i}**2)", 5.5, 1), (k,)))
                form = f"x{i}**2/(k0 + x{i}**2)" if i == j else f"x{i}*x{j}/(k0 + x{i}**2)"
                terms.append(Term(Form(form, 4.5 if i == j else 5.5, 1), (k,)))
                if i != j:
                    terms.append(Term(Form(f"x{i}**2*x{j}/(k0 + x{i}**2)", 5.5, 1), (k,)))
    return terms


def _sigmoid(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        terms += [Term(Form(f"tanh(k0*x{i})", 6.0, 1), (w / scale.size,)) for w in (0.7, 2.0)]
        for middle in scale.quantiles:
            for rate in (-4.0, -1.5, -0.4, 0.4, 1.5, 4.0):
                a = rate / scale.spread
                k = (-a * middle, a)
                terms.append(Term(Form(f"1/(exp(k0 + k1*x{i}) + 1)", 5.5, 2), k))
                terms += [Term(Form(f"1/(exp(k0 + k1*x{i} + k2*x{j}) + 1)", 7.0, 3), (*k, 0.1 * a))
                          for j in _others(n, i)]  # fmt: skip
    return terms


_MAKERS = {
    "trigonometric": _trigonometric, "exponential": _exponential, "logarithmic": _logarithmic,
    "absolute": _absolute, "power": _power, "rational": _rational, "sigmoid": _sigmoid,
}  # fmt: skip
