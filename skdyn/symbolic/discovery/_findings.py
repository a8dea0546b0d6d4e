"""All that one or several searches found, the lawful of it, judged together."""

from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from skdyn._time_limit import time_left, time_limit
from skdyn.symbolic.discovery._discover import discover, regress
from skdyn.symbolic.discovery._integral import DirectForm
from skdyn.symbolic.discovery._joint import forms_of
from skdyn.symbolic.discovery._library import library
from skdyn.symbolic.discovery._parts import Fitted, Parts
from skdyn.symbolic.discovery._priors import GivenTerms
from skdyn.symbolic.discovery._smoothing import FEWEST
from skdyn.symbolic.discovery._terms import FAMILIES, evaluate

__all__ = [
    "CLOSE",
    "Findings",
    "candidate_terms",
    "search_targets",
    "search_trajectories",
]

CLOSE, _N_RIVALS = 3.0, 10  # nats from the best, odds of 20 to 1; how many are told


class Findings(NamedTuple):
    """What was found.

    Attributes
    ----------
    best : Fitted
        The system of the shortest description.
    errors : list of list of list of float
        Standard errors of its constants, by equation and term.
    noise : ndarray of shape (n_equations,)
        Standard deviation of the noise, of targets that of what is not explained.
    front : list of Fitted
        The best, and systems than which none is both simpler and nearer to the data.
    chances : list of dict of str to float
        Inclusion probability of each form in each equation.
    rivals : list of Fitted
        Systems with other terms whose descriptions are hardly longer, or that are both simpler
        and nearer to the data than the best, the shortest description first.
    """

    best: Fitted
    errors: list
    noise: np.ndarray
    front: list
    chances: list
    rivals: list


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


def search_trajectories(
    data, knowledge, options, n_ensemble=0, n_jobs=None, rng=None, after_round=None
):
    """Find the equations of trajectories, and how sure their terms are.

    Parameters
    ----------
    data : Measurements
        Their ``segments``.
    knowledge : PriorKnowledge
        What is known beforehand.
    options : dict
        Further arguments of :func:`discover`.
    n_ensemble : int, default=0
        Searches on random halves of the rows; what they find is judged on all rows.
    n_jobs : int or None, default=None
        Searches at a time.
    rng : RandomState, default=None
        Chooses the halves.
    after_round : callable or None, default=None
        Hears of the rounds of the search on all rows; see :func:`discover`.

    Returns
    -------
    Findings
    """
    parts = [data.segments, *(_half(data.segments, rng) for _ in range(n_ensemble))]
    heard = [options | {"after_round": after_round}, *[options] * n_ensemble]
    searches = _parallel(parts, [knowledge] * len(parts), heard, n_jobs)
    known = {forms_of(system.equations) for system in searches[0].systems}
    new = {forms_of(search.equations): search.equations for search in searches[1:]}
    given = [GivenTerms(knowledge, new[forms]) for forms in new if forms not in known]
    once = [options | {"max_rounds": 1}] * len(given)
    again = _parallel([data.segments] * len(given), given, once, n_jobs, _discover_if_possible)
    n_rows = len(data.inputs)
    whole = [searches[0], *(search for search in again if search is not None)]
    found = [_finding(search, knowledge, n_rows) for search in whole]
    best, errors = min((f[:2] for f in found), key=lambda pair: pair[0].score)
    systems = [system for *_, some in found for system in some if system is not best]
    chances = [_chances(_lawful(search.systems, knowledge)) for search in searches]
    return Findings(
        best, errors, searches[0].noise, _front(systems, n_rows, best), _mean(chances),
        _rivals(best, systems, n_rows),
    )  # fmt: skip


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
    Findings
    """
    each = [knowledge.of_equation(i) for i in range(data.targets.shape[1])]
    searches: Any = Parallel(n_jobs=n_jobs)(
        delayed(_on_one_thread)(regress, time_left(), data.inputs, y, priors=one, **options)
        for y, one in zip(data.targets.T, each, strict=True)
    )
    n_rows, alone = len(data.inputs), []
    for search, y, one in zip(searches, data.targets.T, each, strict=True):
        # What is not explained of a target is told in shares of its variance.
        unit = (DirectForm(y, []).sd / (y.std() or np.abs(y).max() or 1.0)) ** 2
        systems = [system._replace(rss=unit * system.rss) for system in search.systems]
        search = search._replace(misfit=unit * search.misfit, systems=systems)
        best, errors, systems = _finding(search, one, n_rows)
        chances = _chances(_lawful(search.systems, one))
        front = _front(systems, n_rows, best)
        rivals = _rivals(best, systems, n_rows)
        alone.append(Findings(best, errors, search.noise, front, chances, rivals))
    return reduce(lambda some, other: _beside(some, other, n_rows), alone)


def _parallel(parts, knowledge, options, n_jobs, search=None) -> Any:
    return Parallel(n_jobs=n_jobs)(
        delayed(_on_one_thread)(
            search or discover, time_left(), [s.t for s in segments], [s.X for s in segments],
            None if segments[0].u is None else [s.u for s in segments], priors=known, **own,
        )
        for segments, known, own in zip(parts, knowledge, options, strict=True)
    )  # fmt: skip


def _discover_if_possible(*data, **options):
    try:
        return discover(*data, **options)
    except ValueError:  # terms that a half suggests may have no value on all rows
        return None


def _on_one_thread(search, seconds, *data, **options):
    # The matrices are so small that threads of linear algebra only wait for each other.
    # Equations that blow up are tried on the way, and dropped.
    quiet = np.errstate(all="ignore")
    with threadpool_limits(1, user_api="blas"), quiet, time_limit(seconds):
        return search(*data, **options)


def _half(segments, rng):
    """Leave out half of the rows at random, in the order of time."""
    half = []
    for segment in segments:
        n = max(FEWEST, len(segment.t) // 2)
        rows = np.sort(rng.choice(len(segment.t), n, replace=False))
        half.append(segment.take(rows))
    return half


def _lawful(systems, knowledge):
    return [s for s in systems if not knowledge.breaches(s.equations, s.coefficients)]


def _finding(search, knowledge, n_rows):
    """Return the lawful system of shortest description, its standard errors, and the others."""
    own = forms_of(search.equations)
    same = (s for s in search.systems if forms_of(s.equations) == own)
    chosen = min(same, key=_score)._replace(
        equations=search.equations, coefficients=search.coefficients,
        rss=np.asarray(search.misfit) * n_rows,
    )  # fmt: skip
    others = [s for s in search.systems if forms_of(s.equations) != own]
    lawful = _lawful([chosen, *others], knowledge)
    if not lawful:
        broken = knowledge.breaches(chosen.equations, chosen.coefficients)
        raise ValueError(
            f"No equations agree with both the data and {', '.join(broken)}: the best ones that "
            "were found break this. Drop what may not hold, or allow further terms (families, "
            "degree, max_terms, max_complexity)."
        )
    lawful = [
        s._replace(coefficients=knowledge.laws.exact(s.equations, s.coefficients)) for s in lawful
    ]
    best = lawful[0] if forms_of(lawful[0].equations) == own else min(lawful, key=_score)
    known = forms_of(best.equations) == own
    errors = [
        [list(e) if known else [np.nan] * (1 + len(t.inner)) for t, e in zip(terms, row)]
        for terms, row in zip(best.equations, search.errors if known else best.equations)
    ]
    return best, errors, lawful


def _score(system):
    return system.score


def _rivals(best, systems, n_rows):
    """Return what is close to the best, or beats it by all but its score, with other terms.

    Systems that are just the best with further terms are none.
    """
    own, rivals = forms_of(best.equations), {}
    for system in sorted(systems, key=_score):
        forms = forms_of(system.equations)
        more = all(set(theirs) >= set(mine) for theirs, mine in zip(forms, own))
        close = system.score < best.score + CLOSE
        if not more and (close or system.dominates(best, n_rows)):
            rivals.setdefault(forms, system)
    return list(rivals.values())[:_N_RIVALS]


def _front(systems, n_rows, chosen):
    """Return the chosen system, and those than which none is both simpler and nearer to the data.

    What is both simpler and nearer than the chosen one is left out; the simplest come first.
    """

    def merits(system):
        return system.merits(n_rows)

    front, least = [chosen], np.inf
    for system in sorted(systems, key=merits):
        if system.misfit(n_rows) < least:
            least = system.misfit(n_rows)
            apart = merits(system) != merits(chosen) and not system.dominates(chosen, n_rows)
            front += [system] * (apart and not chosen.dominates(system, n_rows))
    return sorted(front, key=merits)


def _chances(systems):
    """Average over systems, by Bayes' rule with ``exp(-score)``, which forms are in an equation."""
    if not systems:
        return []
    scores = np.array([system.score for system in systems])
    weights = np.exp(scores.min() - scores)
    weights /= weights.sum()
    chances = [{} for _ in systems[0].equations]
    for system, weight in zip(systems, weights.tolist(), strict=True):
        for terms, chance in zip(system.equations, chances, strict=True):
            for form in {term.form.text for term in terms}:
                chance[form] = chance.get(form, 0.0) + weight
    return chances


def _mean(chances):
    """Average inclusion probabilities over searches."""
    mean = [{} for _ in chances[0]]
    for search in chances:
        for total, own in zip(mean, search, strict=True):
            for form, chance in own.items():
                total[form] = total.get(form, 0.0) + chance / len(chances)
    return mean


def _beside(some, other, n_rows):
    """Put findings for different targets together."""

    def joined(a, b):
        return Fitted(
            a.equations + b.equations, a.coefficients + b.coefficients,
            np.append(a.rss, b.rss), a.score + b.score, None,
            Parts(*map(sum, zip(a.parts, b.parts))),
        )  # fmt: skip

    best = joined(some.best, other.best)
    pairs = [joined(a, b) for a in some.front for b in other.front]
    pairs = [p for p in pairs if forms_of(p.equations) != forms_of(best.equations)]
    return Findings(
        best, some.errors + other.errors, np.append(some.noise, other.noise),
        _front(pairs, n_rows, best), some.chances + other.chances,
        [joined(a, other.best) for a in some.rivals]
        + [joined(some.best, b) for b in other.rivals],
    )  # fmt: skip
