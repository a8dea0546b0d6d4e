"""Candidate terms: what may stand on the right-hand side, with constants inside that are free.

A form is text such as ``x1*x0/(k0 + x0)``: variables ``x0, x1, ...`` (states, then controls) and
inner constants ``k0, k1, ...``. A term is a form with values for its inner constants. The same text
is compiled for numpy, built into a system's right-hand side, and read by sympy.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from skdyn.formulas._reader import names_in, renamed
from skdyn.formulas._values import compiled
from skdyn.symbolic.discovery._kinds import family_of

FAMILIES = (
    "polynomial", "rational", "trigonometric", "exponential", "logarithmic", "absolute", "power",
    "sigmoid",
)  # fmt: skip


class _Shape(NamedTuple):
    text: str
    cost: float
    n_inner: int
    family: str


class Form(_Shape):
    """Shape of a term.

    Parameters
    ----------
    text : str
        The formula.
    cost : float
        What naming this form costs, in nats: less likely forms cost more.
    n_inner : int, default=0
        Number of inner constants.

    Attributes
    ----------
    family : str
        Its kind, one of ``FAMILIES``, which follows from the formula.
    """

    __slots__ = ()

    def __new__(cls, text, cost, n_inner=0):
        return super().__new__(cls, text, cost, n_inner, family_of(text))

    def __getnewargs__(self):
        return self[:3]


class Term(NamedTuple):
    """A form with its inner constants.

    Attributes
    ----------
    form : Form
        The form.
    inner : tuple of float
        Values of its inner constants.
    """

    form: Form
    inner: tuple = ()


@lru_cache(maxsize=4096)
def _compiled(text, n_variables, n_inner):
    return compiled(text, (*_numbered("x", n_variables), *_numbered("k", n_inner)))


def _numbered(letter, n):
    return [f"{letter}{i}" for i in range(n)]


def evaluate(term, columns):
    """Evaluate a term.

    Parameters
    ----------
    term : Term
        What to evaluate.
    columns : sequence of ndarray of shape (n,)
        States, then controls.

    Returns
    -------
    ndarray of shape (n,)
        Not finite where the term is not.
    """
    with np.errstate(all="ignore"):
        value = _compiled(term.form.text, len(columns), term.form.n_inner)(*columns, *term.inner)
    return np.broadcast_to(value, columns[0].shape)


def substituted(form, inner, variables=None):
    """Return a form's text with its inner constants replaced, and variables renamed.

    Parameters
    ----------
    form : Form
        The form.
    inner : sequence of str
        What stands for each inner constant.
    variables : sequence of str, default=None
        What stands for each variable; None leaves them.

    Returns
    -------
    str
    """
    _check(form.text)
    names = dict(zip(_numbered("k", len(inner)), inner, strict=True))
    if variables is not None:
        names |= dict(zip(_numbered("x", len(variables)), variables, strict=True))
    return renamed(form.text, names)


@lru_cache(maxsize=4096)
def _check(text):
    """Refuse what is no term: a text with its constants in place is compiled elsewhere."""
    for name in names_in(text):
        if not re.fullmatch(r"[xk]\d+", name):
            raise ValueError(f"{name!r} in the term {text!r} is no variable and no constant.")
