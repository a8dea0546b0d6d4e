"""Candidates for one equation: where to look for sets of terms, and which of them to pass on."""

from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from skdyn.symbolic.discovery._beam import (
    Candidate,
    Dictionary,
    backward_elimination,
    beam_search,
    candidate,
    refine_set,
    rss_of,
    swaps,
)
from skdyn.symbolic.discovery._kinds import degree_of
from skdyn.symbolic.discovery._shooting import System, shoot, steps_needed
from skdyn.symbolic.discovery._windows import Windows

_N_SHORT = 5  # sets of few terms, of each number, that are passed on however well they do
_FEW = 4
_UNEXPLAINED = 2.0  # misfit of the best set beyond which kinds of terms are tried in pairs
_LITTLE = 0.1  # share of the data that counts where smoothing errors may outweigh the noise
FLOOR = 0.05  # misfit, in noise variances, below which better is no better


class Scored(NamedTuple):
    """A candidate with constants refined by shooting.

    Attributes
    ----------
    candidate : Candidate
        The right-hand side.
    score : float
        Description length in nats: lower is better.
    rss : float
        Sum of squared residuals over the noise variance.
    """

    candidate: Candidate
    score: float
    rss: float


def structure_cost(terms, n):
    """Return what stating the terms and their constants costs, in nats.

    Parameters
    ----------
    terms : sequence of Term
        The terms.
    n : int
        Number of measurements: a constant is worth stating to one part in ``sqrt(n)``.

    Returns
    -------
    float
    """
    constants = sum(1 + len(term.inner) for term in terms)
    return 0.5 * np.log(n) * constants + sum(term.form.cost for term in terms)


def misfit_cost(rss, n):
    """Return what stating the residuals costs, in nats.

    Parameters
    ----------
    rss : float or ndarray
        Sum of squared residuals over the noise variance.
    n : int or ndarray
        Number of measurements.

    Returns
    -------
    float or ndarray
        Flat where residuals are far below the noise: they are errors of integration there.
    """
    return 0.5 * n * np.log(np.hypot(rss / n, FLOOR))


def propose(problem, terms, families, max_terms=6, n_kept=24, required=()):
    """Find candidate right-hand sides of one equation.

    Parameters
    ----------
    problem : IntegralForm or DirectForm
        Its columns.
    terms : list of Term
        The library.
    families : sequence of str
        Kinds of terms in it.
    max_terms : int, default=6
        Most terms.
    n_kept : int, default=24
        Candidates to return.
    required : sequence of Term, default=()
        Terms of every candidate.

    Returns
    -------
    candidates, short : list of Candidate
        The best; and sets of few terms, or of polynomials alone, for a joint fit to judge.
    """
    book = Dictionary(problem, [*required, *terms])
    places: Any = {book.add(term) for term in required} - {None}
    start = tuple(sorted(places))
    if len(start) < len(required) or not book.terms:
        raise ValueError(
            "No term of the families, or not every required one, has finite values along the data. "
            "Allow other families, or require other terms."
        )
    family = np.array([term.form.family for term in book.terms])
    degree = np.array([degree_of(term.form) for term in book.terms])
    fixed = np.array([not term.inner for term in book.terms])
    everything = np.arange(len(book.terms))
    polynomial = family == "polynomial"
    few = 0.3 * problem.n_rows
    found = {}

    def forward(some, width):
        found.update(beam_search(book, some, max_terms=max_terms, width=width, start=start))

    def backward(some):
        if len(some) < few:
            found.update(backward_elimination(book, some, kept=start))

    for largest in (1, 2, 3, 9):
        backward(everything[polynomial & (degree <= largest)])
    for largest in (2, 3, 9):
        forward(everything[polynomial & (degree <= largest)], 16)
    for name in families:
        some = (family == name) | (polynomial & (degree <= 2))
        backward(everything[some & fixed])
        if name != "polynomial":
            forward(everything[some], 12)
    forward(everything[fixed], 16)
    forward(everything, 16)
    found |= _each_form(book, everything[~polynomial], everything[polynomial & (degree <= 2)],
                        max_terms, start)  # fmt: skip
    if min(found.values(), default=np.inf) > _UNEXPLAINED * problem.n_rows:
        for pair in combinations([name for name in families if name != "polynomial"], 2):
            backward(everything[fixed & (np.isin(family, pair) | (polynomial & (degree <= 2)))])
    # What did well anywhere, together.
    ranked = sorted(found, key=lambda node: _value(book, node, found[node]))
    pool = np.array(list(dict.fromkeys(k for node in ranked[:60] for k in node)), int)[:80]
    backward(pool)
    forward(pool, 16)
    for node in sorted(found, key=lambda node: _value(book, node, found[node]))[:8]:
        found |= swaps(book, node, start)
    for node in ranked[:3]:
        if 0 < len(node) < max_terms:
            found |= beam_search(book, np.arange(len(book.terms)), width=8, start=node,
                                 max_terms=min(max_terms, len(node) + 2))  # fmt: skip
    for node in [start] if start else [(int(j),) for j in everything]:
        found[node] = rss_of(book, node)
    found = {node: rss for node, rss in found.items() if len(node) <= max_terms}
    plain = set(everything[polynomial & (degree <= 2)].tolist())
    return _shortlist(book, found, plain, n_kept)


def _each_form(book, forms, polynomials, max_terms, start):
    """Give each form its chance among polynomials, with its inner constants refined."""
    best = {}
    for j in forms:
        found = beam_search(book, polynomials, max_terms=min(max_terms, 5), width=2, n_refined=0,
                            start={*start, int(j)})  # fmt: skip
        for node, rss in found.items():
            key = (book.forms[j], len(node))
            if key not in best or rss < best[key][1]:
                best[key] = (node, rss)
    refined = {}
    for node, rss in best.values():
        refined[node] = rss
        better = refine_set(book, node)
        if better is not None:
            refined[better] = rss_of(book, better)
    return refined


def _shortlist(book, found, plain, n_kept):
    """Keep the best sets of terms, none of which contains a better one.

    Half by all that the data say, half as if a tenth of it counted: errors of the smoothing make
    the truth look worse than what bends to them.
    """
    kept = {}
    for share in (1.0, _LITTLE):
        best = {}
        for node, rss in found.items():
            forms = frozenset(book.forms[k] for k in node)
            value = _value(book, node, rss, share)
            if len(forms) == len(node) and (forms not in best or value < best[forms][0]):
                best[forms] = (value, node)
        mine = []
        for forms in sorted(best, key=lambda forms: best[forms][0]):
            if not any(other < forms for other in mine):
                mine.append(forms)
                kept.setdefault(forms, best[forms][1])
            if len(mine) == n_kept // 2:
                break
    # What smoothing errors may have spoilt.
    few = [node for node in found if len(node) <= _FEW]
    local: Any = _local_residuals(book, few)
    short, count = {}, {}
    for node in sorted(few, key=local.get):
        forms = frozenset(book.forms[k] for k in node)
        kind = (len(node), plain.issuperset(node))
        if forms in kept or forms in short or len(forms) < len(node):
            continue
        if len(node) <= (_FEW if kind[1] else 2) and count.get(kind, 0) < _N_SHORT:
            count[kind] = count.get(kind, 0) + 1
            short[forms] = node
    return (
        [candidate(book, node) for node in kept.values()],
        [candidate(book, node) for node in short.values()],
    )


def _local_residuals(book, nodes):
    """Residuals of sets of terms where each piece of the record has an offset of its own."""
    problem = book.problem
    used = sorted({k for node in nodes for k in node})
    place = {k: i for i, k in enumerate(used)}
    A, y = problem.by_pieces(book.A[:, used]), problem.by_pieces(problem.y)
    residuals = {}
    for node in nodes:
        part = A[:, [place[k] for k in node]]
        q, _ = np.linalg.qr(part)
        r = y - q @ (q.T @ y)
        residuals[node] = float(r @ r)
    return residuals


def _value(book, node, rss, share=1.0):
    n = book.problem.n_rows
    return 0.5 * share * n * np.log(rss / n + 1) + structure_cost([book.terms[k] for k in node], n)


def score_each(record, i, candidates, n_windows=16):
    """Refine candidates of one equation by shooting, the other states following their curves.

    Parameters
    ----------
    record : Record
        The measurements.
    i : int
        The state.
    candidates : list of Candidate
        Right-hand sides to try.
    n_windows : int, default=16
        Windows.

    Returns
    -------
    list of Scored
        In turn the best by all data and the best by a tenth of it.
    """
    system = System((candidates[0].terms,))
    constants = system.constants((candidates[0].coef,))
    n_sub = steps_needed(system, constants, record, n_windows, [i])
    windows = Windows(record, n_windows, [i], n_sub)
    n = int(windows.seen.sum())
    shots = []
    for c in candidates:
        system = System((c.terms,))
        shot = shoot(system, system.constants((c.coef,)), windows, n_steps=(3, 3, 3))
        if shot is None or not np.isfinite(shot.rss).all():
            shots.append((c._replace(rss=c.rss + 1e3 * n), None))
            continue
        (terms,), (coef,) = system.split(shot.p)
        shots.append((Candidate(terms, coef, float(shot.rss[0])), shot))
    least = min(shots, key=lambda pair: pair[0].rss)[1]
    effective = n * (1.0 if least is None else max(_LITTLE, _independence(least)))
    by_share = []
    for count in (effective, _LITTLE * n):
        scored = [Scored(c, _score(c, n, count), c.rss) for c, _ in shots]
        by_share.append(sorted(scored, key=lambda s: s.score))
    merged, seen = [s for pair in zip(*by_share) for s in pair], set()
    return [s for s in merged if not (s.candidate.forms in seen or seen.add(s.candidate.forms))]


def _score(c, n, count):
    return count / n * misfit_cost(c.rss, n) + structure_cost(c.terms, n)


def _independence(shot):
    """Share of the residuals that tell something new: less than 1 where they are correlated."""
    a, b = shot.residuals[:-1], shot.residuals[1:]
    ok = np.isfinite(a) & np.isfinite(b)
    rho = (a[ok] * b[ok]).sum() / max((a[ok] ** 2).sum(), 1e-300)
    return (1 - rho) / (1 + rho) if rho > 0.2 else 1.0
