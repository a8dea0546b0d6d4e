"""The candidate terms for data: forms of many kinds, with starts for their inner constants.

What a form costs, in nats, stands in ``_prices``.
"""

from itertools import combinations_with_replacement

import numpy as np

from skdyn.symbolic.discovery import _prices as prices
from skdyn.symbolic.discovery._kinds import angles_of, n_constants_of
from skdyn.symbolic.discovery._terms import FAMILIES, Form, Term, evaluate

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
            found.append(Form(text, _price_of_degree(total)))
    return found


def _price_of_degree(degree):
    highest = max(prices.DEGREES)
    beyond = prices.MORE_DEGREE * max(degree - highest, 0)
    return prices.DEGREES[min(degree, highest)] + beyond


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
                term._replace(form=term.form._replace(cost=term.form.cost + prices.RARER))
                for term in _MAKERS[family](around)
            ]
    return terms


def candidate_terms(families, degree, inputs):
    """Return the terms that have a value on all data.

    Parameters
    ----------
    families : sequence of str
        Kinds of terms.
    degree : int or None
        Largest degree of polynomials.
    inputs : ndarray of shape (n_rows, n_variables)
        States, then controls.

    Returns
    -------
    list of Term

    Raises
    ------
    ValueError
        If a family is unknown, or no term is left.
    """
    unknown = [name for name in families if name not in FAMILIES]
    if unknown or not families:
        raise ValueError(
            f"families must be 'all' or some of {', '.join(FAMILIES)}; got "
            f"{unknown[0] if unknown else families!r}."
        )
    columns = list(inputs.T)
    terms = library(columns, families, degree)
    terms = [term for term in terms if np.isfinite(evaluate(term, columns)).all()]
    if not terms:
        raise ValueError(
            f"No term of families={families!r} has a value on all the data: logarithms and powers "
            "need positive states, absolute values states of both signs. Choose further families, "
            "such as 'polynomial'."
        )
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


def _form(text, name):
    """Return a form at the price of its name, in which each free constant is a ``k``."""
    return Form(text, prices.FORMS[name], n_constants_of(text))


def _others(n, i):
    return [j for j in range(n) if j != i]


def _trigonometric(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        for f in ("sin", "cos"):
            terms.append(Term(_form(f"{f}(x{i})", "sin(x)")))
            terms += [
                Term(_form(f"{f}(k0*x{i})", "sin(k*x)"), (w / scale.spread,))
                for w in (0.7, 1.5, 3.0)
            ]
            terms += [Term(_form(f"x{j}*{f}(x{i})", "y*sin(x)")) for j in range(n)]
            terms.append(Term(_form(f"{f}(x{i})**2", "sin(x)**2")))
            for j in _others(n, i):
                terms += [
                    Term(_form(f"{f}(x{i})*{g}(x{j})", "sin(x)*tan(y)")) for g in ("tan", "cot")
                ]
                terms += [
                    Term(_form(f"{f}(x{i})*{g}(x{j})**2", "sin(x)*sin(y)**2"))
                    for g in ("sin", "cos")
                ]
        terms.append(Term(_form(f"sin(x{i})*cos(x{i})", "sin(x)*cos(x)")))
        terms += [Term(_form(f"{g}(x{i})", "tan(x)")) for g in ("tan", "cot")]
        for j in range(i):
            terms += [
                Term(_form(f"{f}(x{i})*{g}(x{j})", "sin(x)*sin(y)"))
                for f in ("sin", "cos")
                for g in ("sin", "cos")
            ]
            terms += [
                Term(_form(f"{f}(x{i} {s} x{j})", "sin(x + y)"))
                for f in ("sin", "cos")
                for s in "+-"
            ]
        for j in _others(n, i):
            terms += [Term(_form(f"{f}(x{i})/x{j}", "sin(x)/y")) for f in ("sin", "cos")]
    return [_dearer(term, around) for term in terms]


def _dearer(term, around):
    if not any(around[i].amount for i in angles_of(term.form.text)):
        return term
    return term._replace(form=term.form._replace(cost=term.form.cost + prices.NO_ANGLE))


def _exponential(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        terms += [Term(_form(f"exp({s}x{i})", "exp(x)")) for s in ("", "-")]
        for rate in (-3.0, -1.0, 1.0, 3.0):
            k = (rate / scale.spread,)
            terms.append(Term(_form(f"exp(k0*x{i})", "exp(k*x)"), k))
            terms += [Term(_form(f"x{j}*exp(k0*x{i})", "y*exp(k*x)"), k) for j in range(n)]
        for rate in (0.3, 1.0, 3.0):
            terms.append(Term(_form(f"exp(-k0*x{i}**2)", "exp(-k*x**2)"), (rate / scale.size**2,)))
    return terms


def _logarithmic(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        if scale.positive:
            terms.append(Term(_form(f"log(x{i})", "log(x)")))
            terms += [
                Term(_form(f"x{j}*log(k0*x{i})", "y*log(k*x)"), (1 / scale.size,)) for j in range(n)
            ]
    return terms


def _absolute(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        if scale.low < 0 < scale.high:
            terms.append(Term(_form(f"Abs(x{i})", "Abs(x)")))
            terms += [
                Term(_form(f"x{j}*Abs(x{i})", "x*Abs(x)" if i == j else "y*Abs(x)"))
                for j in range(n)
            ]
    return terms


def _power(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        if not scale.low < 0 < scale.high:
            terms += [Term(_form(f"1/x{i}", "1/x")), Term(_form(f"1/x{i}**2", "1/x**2"))]
            terms += [Term(_form(f"x{j}/x{i}", "y/x")) for j in _others(n, i)]
        if scale.positive:
            terms.append(Term(_form(f"sqrt(x{i})", "sqrt(x)")))
            for p in (-0.5, 0.7, 1.5, 2.5):
                terms.append(Term(_form(f"x{i}**k0", "x**k"), (p,)))
                terms += [Term(_form(f"x{j}*x{i}**k0", "y*x**k"), (p,)) for j in _others(n, i)]
    return terms


def _rational(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        low = max(-scale.low, 0.0)  # the pole stays outside the data
        sizes = (scale.spread if scale.low < 0 else scale.size) * np.array([0.05, 0.3, 1.0, 4.0])
        for k in low * 1.05 + sizes:
            terms.append(Term(_form(f"1/(k0 + x{i})", "1/(k + x)"), (k,)))
            for j in range(n):
                # x / (k + x) saturates (Michaelis, Menten; Holling): the commonest of these.
                terms.append(
                    Term(_form(f"x{j}/(k0 + x{i})", f"{'x' if i == j else 'y'}/(k + x)"), (k,))
                )
                if i != j:
                    terms.append(Term(_form(f"x{i}*x{j}/(k0 + x{i})", "x*y/(k + x)"), (k,)))
        for k in scale.size**2 * np.array([0.03, 0.3, 1.0, 5.0]):
            terms.append(Term(_form(f"1/(k0 + x{i}**2)", "1/(k + x**2)"), (k,)))
            for j in range(n):
                terms.append(Term(_form(f"x{j}/(k0 + x{i}**2)", "x/(k + x**2)"), (k,)))
                if i == j:
                    own = _form(f"x{i}**2/(k0 + x{i}**2)", "x**2/(k + x**2)")
                    terms.append(Term(own, (k,)))
                else:
                    one = _form(f"x{i}*x{j}/(k0 + x{i}**2)", "x*y/(k + x**2)")
                    two = _form(f"x{i}**2*x{j}/(k0 + x{i}**2)", "x**2*y/(k + x**2)")
                    terms += [Term(one, (k,)), Term(two, (k,))]
    return terms


def _sigmoid(around):
    n, terms = len(around), []
    for i, scale in enumerate(around):
        terms += [Term(_form(f"tanh(k0*x{i})", "tanh(k*x)"), (w / scale.size,)) for w in (0.7, 2.0)]
        for middle in scale.quantiles:
            for rate in (-4.0, -1.5, -0.4, 0.4, 1.5, 4.0):
                a = rate / scale.spread
                k = (-a * middle, a)
                terms.append(Term(_form(f"1/(exp(k0 + k1*x{i}) + 1)", "1/(exp(k + k*x) + 1)"), k))
                for j in _others(n, i):
                    form = f"1/(exp(k0 + k1*x{i} + k2*x{j}) + 1)"
                    two = _form(form, "1/(exp(k + k*x + k*y) + 1)")
                    terms.append(Term(two, (*k, 0.1 * a)))
    return terms


_MAKERS = {
    "trigonometric": _trigonometric, "exponential": _exponential, "logarithmic": _logarithmic,
    "absolute": _absolute, "power": _power, "rational": _rational, "sigmoid": _sigmoid,
}  # fmt: skip
