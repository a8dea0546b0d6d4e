"""Beam search over sets of terms, with the inner constants refined on the way."""

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import (
    dgeqrf,  # pyright: ignore[reportAttributeAccessIssue]: not among scipy's hints
    dorgqr,  # pyright: ignore[reportAttributeAccessIssue]: the same
)

from skdyn.symbolic.discovery import _prices as prices

_COLLINEAR = 1e-10  # share of a column outside the span of others, squared, that is nothing new


class _Part(NamedTuple):
    """Some columns of a dictionary."""

    index: np.ndarray  # pyright: ignore[reportIncompatibleMethodOverride]: not a tuple's search
    A: np.ndarray
    costs: np.ndarray


class Candidate(NamedTuple):
    """A right-hand side.

    Attributes
    ----------
    terms : tuple of Term
        Its terms.
    coef : tuple of float
        Their coefficients.
    rss : float
        Sum of squared residuals over the noise variance.
    """

    terms: tuple
    coef: tuple
    rss: float

    @property
    def n_constants(self):
        """Number of coefficients and inner constants."""
        return len(self.terms) + sum(len(term.inner) for term in self.terms)

    @property
    def cost(self):
        """What naming the terms' forms costs, in nats."""
        return sum(term.form.cost for term in self.terms)

    @property
    def forms(self):
        """Texts of the terms, sorted."""
        return tuple(sorted(term.form.text for term in self.terms))


class Dictionary:
    """Columns of unit length that grows as inner constants are refined.

    Parameters
    ----------
    problem : object
        With ``y``, ``n_rows`` and ``column(term)``.
    terms : list of Term
        Terms to begin with.
    """

    def __init__(self, problem, terms):
        self.problem = problem
        self.costs, self.forms = np.empty(0), []
        self.terms, self.lengths, self._index = [], [], {}
        self.A = np.empty((problem.n_rows, 2 * len(terms) + 400))
        for term in terms:
            self.add(term)

    def add(self, term):
        """Add a term; return its column, that of its twin, or None where it has no value."""
        key = (term.form.text, *(f"{k:.5g}" for k in term.inner))
        if key in self._index:
            return self._index[key]
        column = self.problem.column(term)
        self._index[key] = None
        if column is None:
            return None
        length = np.linalg.norm(column)
        if not length > 0.0:
            return None
        if len(self.terms) == self.A.shape[1]:
            self.A = np.hstack([self.A, np.empty_like(self.A)])
        self._index[key] = len(self.terms)
        self.A[:, len(self.terms)] = column / length
        self.costs = np.append(self.costs, term.form.cost + prices.INNER * len(term.inner))
        self.terms.append(term)
        self.forms.append(term.form.text)
        self.lengths.append(length)
        return self._index[key]

    @property
    def columns(self):
        """All columns, shape (n_rows, n_terms)."""
        return self.A[:, : len(self.terms)]

    def part(self, index):
        """Return some columns."""
        return _Part(index, self.A[:, index], self.costs[index])


def beam_search(book, allowed, *, max_terms=6, width=12, n_refined=6, start=()):
    """Find good sets of terms of each size, forward with second thoughts.

    Parameters
    ----------
    book : Dictionary
        The columns.
    allowed : ndarray of int
        Columns that may be used. Refined copies of them are used too.
    max_terms : int, default=6
        Largest size.
    width : int, default=12
        Sets kept of each size.
    n_refined : int, default=6
        Sets of each size whose inner constants are refined.
    start : tuple of int, default=()
        Columns in every set.

    Returns
    -------
    dict of tuple of int to float
        Residual of each set kept.
    """
    start = tuple(sorted(start))
    beam, found, some = [start], {}, book.part(allowed)
    for _ in range(len(start) + 1, max_terms + 1):
        scored = {}
        for node in beam:
            _expand(book, node, some, scored, width)
        nodes = _best(scored, width, book)
        # Second thoughts: take one term out of the best sets, and look for a better one.
        for node in nodes[: width // 3]:
            for j in set(node) - set(start):
                _expand(book, tuple(k for k in node if k != j), some, scored, width)
        nodes = _best(scored, width, book)
        for node in nodes[:n_refined]:
            better = refine_set(book, node)
            if better is not None:
                scored[better] = _scored(book, better)
                if not np.isin(better, some.index).all():
                    some = book.part(np.union1d(some.index, better))
        nodes = _best(scored, width, book)
        if not nodes:
            break
        found.update((node, scored[node][1]) for node in nodes)
        beam = nodes
        if min(scored[node][1] for node in nodes) < 0.2 * book.problem.n_rows:
            break  # nothing is left to explain
    return found


def swaps(book, node, kept=(), n_rounds=4):
    """Replace one term at a time by the best of all, for as long as that helps.

    Parameters
    ----------
    book : Dictionary
        The columns.
    node : tuple of int
        Where to start.
    kept : tuple of int, default=()
        Columns that are never replaced.
    n_rounds : int, default=4
        Replacements at most.

    Returns
    -------
    dict of tuple of int to float
        Residual of each set met on the way.
    """
    found = {}
    everything = book.part(np.arange(len(book.terms)))
    value = _scored(book, node)[0]
    for _ in range(n_rounds):
        scored = {}
        for j in set(node) - set(kept):
            _expand(book, tuple(k for k in node if k != j), everything, scored, 1)
        for other in _best(scored, 2, book):
            better = refine_set(book, other)
            if better is not None:
                scored[better] = _scored(book, better)
        best = _best(scored, 1, book)
        if not best:
            break
        if scored[best[0]][0] >= value - 1e-6:
            break
        node, value = best[0], scored[best[0]][0]
        found[node] = scored[node][1]
    return found


def backward_elimination(book, allowed, max_terms=8, kept=()):
    """Take the least useful term out of all, again and again.

    Parameters
    ----------
    book : Dictionary
        The columns.
    allowed : ndarray of int
        Columns to begin with, fewer than rows.
    max_terms : int, default=8
        Sets this small are returned.
    kept : tuple of int, default=()
        Columns that are never taken out.

    Returns
    -------
    dict of tuple of int to float
        Residual of each set kept.
    """
    node, found = tuple(int(j) for j in np.union1d(allowed, np.array(kept, int))), {}
    while len(node) > len(kept):
        A = book.A[:, list(node)]
        q, upper = np.linalg.qr(A)
        if np.abs(np.diag(upper)).min() < 1e-9:  # dependent: the last of them says nothing new
            worst = np.where(np.isin(node, kept), np.inf, np.abs(np.diag(upper)))
            node = tuple(np.delete(node, np.argmin(worst)))
            continue
        inverse = np.linalg.inv(upper)
        c = inverse @ (q.T @ book.problem.y)
        loss = c**2 / (inverse**2).sum(axis=1)  # rise of the residual without each
        if len(node) <= max_terms:
            r = book.problem.y - A @ c
            found[tuple(sorted(map(int, node)))] = float(r @ r)
        loss[np.isin(node, kept)] = np.inf
        node = tuple(int(k) for k in np.delete(node, np.argmin(loss)))
    return found


def _scored(book, node):
    """Return (description length without the constants' precision, residual) of a set."""
    rss = rss_of(book, node)
    n = book.problem.n_rows
    return 0.5 * n * np.log(rss + n) + book.costs[list(node)].sum(), rss


def _best(scored, width, book):
    """Return the best sets, one of each combination of forms."""
    kept, seen = [], set()
    for node in sorted(scored, key=scored.get):
        forms = tuple(sorted(book.forms[k] for k in node))
        # A form that occurs twice has one inner constant more than data can tell.
        if forms in seen or len(set(forms)) < len(forms):
            continue
        seen.add(forms)
        kept.append(node)
        if len(kept) == width:
            break
    return kept


def _expand(book, node, some, scored, width):
    A, y, members = some.A, book.problem.y, list(node)
    n = len(y)
    if node:
        q = _basis(book.A[:, members])
        r = y - q @ (q.T @ y)
        left = 1.0 - ((q.T @ A) ** 2).sum(axis=0)
    else:
        r, left = y, np.ones(A.shape[1])
    rss = r @ r
    with np.errstate(all="ignore"):
        gain = np.where(left > _COLLINEAR, (A.T @ r) ** 2 / left, 0.0)
    taken = np.zeros(len(book.terms), bool)
    taken[members] = True
    gain[taken[some.index]] = 0.0
    rest = np.maximum(rss - gain, 0.0)
    value = 0.5 * n * np.log(rest + n) + some.costs
    order = np.argsort(value)[: 4 * width]
    order = order[gain[order] > 0]
    value = value[order] + book.costs[members].sum()
    for j, v, left in zip(some.index[order].tolist(), value.tolist(), rest[order].tolist()):
        scored[tuple(sorted((*node, j)))] = v, left


def _basis(A):
    """Return an orthonormal basis of the columns, as numpy does with more ado."""
    factors, tau, *_ = dgeqrf(A)
    return dorgqr(factors, tau)[0]


def _solve(book, node):
    A = book.A[:, list(node)]
    c, *_ = np.linalg.lstsq(A, book.problem.y, rcond=1e-13)
    r = book.problem.y - A @ c
    return c, r


def rss_of(book, node):
    """Return the residual of a set of columns."""
    _, r = _solve(book, node)
    return float(r @ r)


def candidate(book, node):
    """Return a set of columns as a right-hand side with its coefficients."""
    c, r = _solve(book, node)
    coef = tuple(float(v / book.lengths[k]) for v, k in zip(c, node))
    return Candidate(tuple(book.terms[k] for k in node), coef, float(r @ r))


def refine_set(book, node, n_steps=8):
    """Refine the inner constants by variable projection; the new set, or None."""
    terms = [book.terms[k] for k in node]
    if not any(term.inner for term in terms):
        return None
    terms, _ = refine(book.problem, terms, n_steps)
    better = tuple(book.add(term) for term in terms)
    if any(k is None for k in better) or len(set(better)) < len(better):
        return None
    return tuple(sorted(better))


def refine(problem, terms, n_steps=5):
    """Minimize the residual over inner constants (variable projection, Kaufman's Jacobian).

    Parameters
    ----------
    problem : object
        With ``y`` and ``column(term)``.
    terms : list of Term
        Where to start.
    n_steps : int, default=5
        Gauss-Newton steps.

    Returns
    -------
    terms : list of Term
        With better inner constants.
    rss : float
        Their residual.
    """
    terms = list(terms)
    columns = [problem.column(term) for term in terms]
    places = [(a, b) for a, term in enumerate(terms) for b in range(len(term.inner))]
    q, c, r, rss = _project(columns, problem.y)
    damping = 1e-3
    for _ in range(n_steps):
        J = []
        for a, b in places:
            step = 1e-5 * (abs(terms[a].inner[b]) or 1.0)
            moved = problem.column(moved_term(terms[a], b, step))
            J.append(np.zeros_like(r) if moved is None else (moved - columns[a]) * (c[a] / step))
        J = np.stack(J, axis=1)
        J -= q @ (q.T @ J)
        scale = np.linalg.norm(J, axis=0)
        scale[scale == 0] = 1.0
        u, s, vt = np.linalg.svd(J / scale, full_matrices=False)
        improved, gain = False, 0.0
        for _ in range(3):
            step = (vt.T @ ((s / (s**2 + damping)) * (u.T @ r))) / scale
            trial = list(terms)
            for (a, b), move in zip(places, step):
                k = trial[a].inner[b]
                bound = max(0.7 * abs(k), 0.3)  # do not leap
                trial[a] = moved_term(trial[a], b, float(np.clip(move, -bound, bound)))
            new = [
                problem.column(term) if term.inner else column
                for term, column in zip(trial, columns)
            ]
            if all(column is not None for column in new):
                projected = _project(new, problem.y)
                if projected[3] < rss:
                    gain = rss - projected[3]
                    terms, columns = trial, new
                    q, c, r, rss = projected
                    damping, improved = damping / 5, True
                    break
            damping *= 10
        if not improved or gain < 1e-4 * rss:
            break
    return terms, rss


def moved_term(term, b, step):
    """Return a term with a step added to its inner constant ``b``."""
    inner = list(term.inner)
    inner[b] += step
    return term._replace(inner=tuple(inner))


def _project(columns, y):
    A = np.stack(columns, axis=1)
    lengths = np.linalg.norm(A, axis=0)
    lengths[lengths == 0] = 1.0
    q, upper = np.linalg.qr(A / lengths)
    diagonal = np.abs(np.diag(upper))
    if diagonal.min() < 1e-8:
        c, *_ = np.linalg.lstsq(A / lengths, y, rcond=1e-10)
    else:
        c = np.linalg.solve(upper, q.T @ y)
    r = y - A @ (c / lengths)
    return q, c / lengths, r, float(r @ r)
