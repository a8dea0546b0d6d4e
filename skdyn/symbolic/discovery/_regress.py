"""Equations for targets: the search where left-hand sides were measured."""

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed

from skdyn._time_limit import time_left
from skdyn.symbolic.discovery._beam import moved_term, refine
from skdyn.symbolic.discovery._discover import on_one_thread
from skdyn.symbolic.discovery._fitted import Fitted, Found, Parts, judged, side_by_side
from skdyn.symbolic.discovery._integral import DirectForm
from skdyn.symbolic.discovery._library import library
from skdyn.symbolic.discovery._search import misfit_cost, propose, structure_cost
from skdyn.symbolic.discovery._terms import FAMILIES

if TYPE_CHECKING:
    from skdyn.symbolic.discovery._priors import PriorKnowledge


@np.errstate(all="ignore")
def regress(
    inputs: np.ndarray,
    y: np.ndarray,
    *,
    priors: "PriorKnowledge | None" = None,
    families: Sequence[str] = FAMILIES,
    degree: int | None = None,
    max_terms: int = 6,
) -> Found:
    """Find one equation where its left-hand side was measured.

    Parameters
    ----------
    inputs : ndarray of shape (n_samples, n_variables)
        States, then controls.
    y : ndarray of shape (n_samples,)
        The left-hand side.
    priors : PriorKnowledge, default=None
        What is known beforehand of the one equation, number 0.
    families : sequence of str, default=("polynomial", "rational", "trigonometric", "exponential", "logarithmic", "absolute", "power", "sigmoid")
        Kinds of terms.
    degree : int, default=None
        Largest degree of polynomials; None keeps their number moderate.
    max_terms : int, default=6
        Most terms of an equation.

    Returns
    -------
    found : Found
        Of one equation, without a record.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.discovery import regress
    >>> x = np.linspace(0.1, 3, 40)
    >>> found = regress(x[:, None], 2 * x / (0.5 + x), families=("rational",))
    >>> found.best.equations[0][0].form.text
    'x0/(k0 + x0)'
    """  # noqa: E501
    columns = list(inputs.T)
    terms = library(columns, families, degree)
    required = ()
    if priors is not None:
        terms, required = priors.allowed(0, terms), priors.required(0)
    problem = DirectForm(y, columns)
    candidates, _ = propose(problem, terms, families, max_terms, required=required)
    systems = sorted((_fitted(problem, c, priors) for c in candidates), key=lambda f: f.score)
    best, n_rows = systems[0], problem.n_rows
    errors = [_standard_errors(problem, best)]
    noise = problem.sd * np.sqrt(best.rss / n_rows)
    # What is not explained of a target is told in shares of its variance.
    unit = (problem.sd / (y.std() or np.abs(y).max() or 1.0)) ** 2
    systems = [system._replace(rss=unit * system.rss) for system in systems]
    lawful = systems if priors is None else priors.lawful(systems)
    return judged(lawful, systems[0], errors, noise, n_rows)


def search_targets(data, knowledge, options, n_jobs=None):
    """Find an equation for each of several targets.

    Parameters
    ----------
    data : Measurements
        Their ``inputs`` and ``targets``.
    knowledge : PriorKnowledge
        What is known beforehand.
    options : dict
        Further arguments of :func:`regress`.
    n_jobs : int or None, default=None
        Targets at a time.

    Returns
    -------
    Found
    """
    each = [knowledge.of_equation(i) for i in range(data.targets.shape[1])]
    searches: Any = Parallel(n_jobs=n_jobs)(
        delayed(on_one_thread)(regress, time_left(), data.inputs, y, priors=one, **options)
        for y, one in zip(data.targets.T, each, strict=True)
    )
    return reduce(side_by_side, searches)


def _fitted(problem, c, priors):
    terms, rss = refine(problem, c.terms) if any(t.inner for t in c.terms) else (c.terms, c.rss)
    n = problem.n_rows
    A = np.stack([problem.column(term) for term in terms], axis=1)
    coef = tuple(np.linalg.lstsq(A, problem.y, rcond=None)[0].tolist())
    parts = Parts(float(misfit_cost(rss, n)), float(structure_cost(terms, n)))
    equations, coefficients = (tuple(terms),), (coef,)
    if priors is not None:
        parts = parts._replace(priors=priors.price(equations, coefficients))
    return Fitted(equations, coefficients, np.array([rss]), sum(parts), None, parts)


def _standard_errors(problem, fitted):
    """Standard errors of least squares on all constants of one equation."""
    (terms,), (coef,) = fitted.equations, fitted.coefficients
    slopes = []
    for term, c in zip(terms, coef):
        column = problem.column(term)
        slopes.append(column)
        for b, k in enumerate(term.inner):
            step = 1e-6 * (abs(k) or 1.0)
            moved = problem.column(moved_term(term, b, step))
            slopes.append((moved - column) * (c / step))
    J = np.stack(slopes, axis=1)
    size = np.linalg.norm(J, axis=0)
    variance = fitted.rss[0] / max(problem.n_rows - J.shape[1], 1)
    inverse = np.linalg.pinv((J / size).T @ (J / size), hermitian=True)
    sd = iter(np.sqrt(variance * np.diag(inverse)) / size)
    return [[float(next(sd)) for _ in range(1 + len(term.inner))] for term in terms]
