"""The whole search: propose, refine, follow, propose again."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from skdyn._time_limit import time_is_over, time_left, time_limit
from skdyn.symbolic.discovery import _prices as prices
from skdyn.symbolic.discovery._beam import Candidate
from skdyn.symbolic.discovery._fitted import Fitted, Found, forms_of, judged, mean_chances
from skdyn.symbolic.discovery._integral import IntegralForm
from skdyn.symbolic.discovery._joint import Joint, followed
from skdyn.symbolic.discovery._library import library
from skdyn.symbolic.discovery._priors import GivenTerms
from skdyn.symbolic.discovery._rounding import rounded
from skdyn.symbolic.discovery._search import propose, score_each
from skdyn.symbolic.discovery._shooting import System, steps_needed
from skdyn.symbolic.discovery._smoothing import FEWEST, smooth
from skdyn.symbolic.discovery._terms import FAMILIES

if TYPE_CHECKING:
    from skdyn.symbolic.discovery._priors import PriorKnowledge

_N_WINDOWS = 16
_N_STARTS = 16  # systems, of the best candidates of each equation, to begin with
_N_ALTERNATIVES = 8  # of each equation that are tried together with the others
_NOT_ALL = 1.1  # misfit of a system that leaves something to explain
_EXACT = 0.01  # misfit that leaves nothing to explain, in a record without noise
_LOST = 5.0  # misfit, in noise variances, of a system that does not follow the record
_N_CLOSE = 4  # other systems whose constants are rounded
_FOLLOWS = 3.0  # misfit of a solution whose neighborhood is searched
_N_POOL = 40  # common terms that may come into a fitted equation


@np.errstate(all="ignore")  # candidates overflow; what is not finite is left out
def discover(
    t: Sequence[np.ndarray],
    X: Sequence[np.ndarray],
    u: Sequence[np.ndarray] | None = None,
    *,
    priors: "PriorKnowledge | None" = None,
    families: Sequence[str] = FAMILIES,
    degree: int | None = None,
    max_terms: int = 6,
    max_iter: int = 4,
    round_constants: bool = True,
    after_round: Callable[[int, Fitted, np.ndarray], Any] | None = None,
) -> Found:
    """Find the equations of trajectories.

    Right-hand sides are proposed along smooth curves, from the integral form of each
    equation: terms by a beam search, inner constants by variable projection [1]_. The best of all
    equations are then fitted together by multiple shooting [2]_, and the curves of the next round
    are the solution. Of all systems that one is best which is the shortest to tell, together with
    what it leaves unexplained [3]_.

    Parameters
    ----------
    t : sequence of ndarray of shape (n_i,)
        Times of each segment, increasing.
    X : sequence of ndarray of shape (n_i, n_states)
        Measured states.
    u : sequence of ndarray of shape (n_i, n_controls), default=None
        Controls: known without noise, linear between the times.
    priors : PriorKnowledge, default=None
        What is known beforehand.
    families : sequence of str, default=("polynomial", "rational", "trigonometric", "exponential", "logarithmic", "absolute", "power", "sigmoid")
        Kinds of terms.
    degree : int, default=None
        Largest degree of polynomials; None keeps their number moderate.
    max_terms : int, default=6
        Most terms of an equation.
    max_iter : int, default=4
        Most rounds; an answer that comes twice ends the search.
    round_constants : bool, default=True
        Whether constants hardly distinguishable from a round number become it.
    after_round : callable or None, default=None
        ``after_round(number, fitted, misfit)`` is told of each round, from 1, the best system so
        far and the misfit of its equations, and ends the search where it returns true. A
        time limit around the search ends it as well, with what was fitted by then.

    Returns
    -------
    found : Found
        The equations, their constants with standard errors, and the alternatives.

    References
    ----------
    .. [1] G. Golub, V. Pereyra, "Separable nonlinear least squares: the variable projection
       method and its applications", Inverse Problems 19, 2003.
    .. [2] H. G. Bock, "Recent advances in parameter identification techniques for O.D.E.",
       Numerical Treatment of Inverse Problems in Differential and Integral Equations, 1983.
    .. [3] Jorma Rissanen, "Modeling by shortest data description", Automatica 14, 1978.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.discovery import discover
    >>> t = np.linspace(0, 6, 40)
    >>> x = 5 / (1 + 9 * np.exp(-0.8 * t))  # logistic growth
    >>> found = discover([t], [x[:, None]], families=("polynomial",))
    >>> [[term.form.text for term in terms] for terms in found.best.equations]
    [['x0', 'x0**2']]
    >>> np.round(found.best.coefficients, 4)
    array([[ 0.8 , -0.16]])
    """  # noqa: E501
    record = smooth(t, X, u)
    d = record.n_states
    best: Any = None
    scored: Any = None
    likely, short, pools = [], [], []
    round_ = 0
    for round_ in range(max_iter):
        if best is None or _misfit(*best) > _FOLLOWS:
            # Once a solution follows the data, their neighborhood asks for no new proposals.
            terms = library(record.nodes(), families, degree)
            if scored is not None:
                forms = {t.form.text for row in scored for s in row for t in s.candidate.terms}
                terms = [t for t in terms if t.form.text in forms or t.form.cost < prices.COMMON]
            allowed = [terms if priors is None else priors.allowed(i, terms) for i in range(d)]
            lists = _proposals(record, allowed, priors, families, max_terms)
            new = [row for row, _ in lists]
            scored = new if scored is None else [_merged(a, b) for a, b in zip(new, scored)]
            likely = [[s.candidate for s in row[:_N_ALTERNATIVES]] for row in scored]
            short = [row for _, row in lists]
            pools = [_pool(*each) for each in zip(allowed, (a + b for a, b in zip(likely, short)))]
        joint, fitted = _best_system(record, likely, short, pools, priors, best, max_terms)
        stop = after_round and after_round(round_ + 1, fitted, fitted.rss / joint.n)
        same = best is not None and forms_of(fitted.equations) == forms_of(best[1].equations)
        best = joint, fitted
        exact = record.clean.all() and _misfit(*best) < _EXACT
        if same or exact or stop or time_is_over() or round_ == max_iter - 1:
            break
        record = followed(record, joint.windows, fitted)
    joint, fitted = best
    fitted = joint.simplified(fitted, pools)
    joint.simpler(fitted)
    finals = [rounded(joint, f, round_constants) for f in _contenders(joint, fitted)]
    fitted, covariance = min(finals, key=lambda pair: pair[0].score)
    sd = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    errors = [
        [[c, *term.inner] for c, term in zip(coef, terms)]
        for terms, coef in zip(*System(fitted.equations).split(sd))
    ]
    noise = np.median(np.concatenate(joint.record.sd), axis=0)
    joint.seen |= {forms_of(f.equations): f for f in (*(f for f, _ in finals), fitted)}
    n_rows = sum(map(len, record.X))
    # Of what stands out nothing is known: misfits are means over the others.
    systems = [f._replace(rss=n_rows / joint.n * f.rss) for f in joint.seen.values() if f]
    systems = systems if priors is None else priors.lawful(systems)
    stands_out: Any = record.ignored
    ignored = [np.concatenate(record.t)[out] for out in np.concatenate(stands_out).T]
    found = judged(systems, fitted, errors, noise, n_rows)
    return found._replace(ignored=ignored, n_iter=round_ + 1)


def _proposals(record, allowed, priors, families, max_terms):
    """Candidates of each equation: those scored by shooting, and sets of few terms."""
    nodes, lists = record.nodes(), []
    for i, terms in enumerate(allowed):
        required = () if priors is None else priors.required(i)
        problem = IntegralForm(
            record.t, [x[:, i] for x in record.X], [s[:, i] for s in record.sd], nodes
        )
        found, short = propose(problem, terms, families, max_terms, required=required)
        lists.append((score_each(record, i, found), short))
    return lists


def _best_system(record, likely, short, pools, priors, best, max_terms):
    """Fit all equations together, and exchange and prune their terms."""
    d = record.n_states
    each = max(2, int(_N_STARTS ** (1 / d)))
    starts = [
        tuple(row[k] for row, k in zip(likely, choice))
        for choice in product(*(range(min(each, len(row))) for row in likely))
    ]
    if best is not None:
        pairs = zip(best[1].equations, best[1].coefficients)
        starts.insert(0, tuple(Candidate(terms, coef, np.nan) for terms, coef in pairs))
    system = System(tuple(c.terms for c in starts[0]))
    constants = system.constants([c.coef for c in starts[0]])
    n_sub = steps_needed(system, constants, record, _N_WINDOWS)
    joint = Joint(record, _N_WINDOWS, n_sub, priors, max_terms=max_terms)
    fitted = _first(joint, starts)
    if fitted is None or _misfit(joint, fitted) > _LOST:
        # Nothing follows the whole record yet: find what follows it for a while.
        windows = _N_WINDOWS
        while True:
            weak = Joint(record, windows, n_sub, priors, weak=True, max_terms=max_terms)
            near = _first(weak, starts)
            if near is not None:
                break
            windows *= 2
            if windows > 2 * sum(len(t) for t in record.t):
                raise ValueError(
                    "No candidate can be followed from one time point to the next: the data change "
                    "too fast for their times. Check t, or sample more often."
                )
        near = weak.improve(weak.prune(weak.exchange(near, likely)), pools)
        for lists in (likely, short):  # sets of few terms take long: they come last
            if _misfit(weak, near) > _FOLLOWS:
                near = weak.improve(weak.prune(weak.exchange(near, lists)), pools)
        other = joint.fit(near.equations, near.coefficients)
        candidates = [f for f in (fitted, other) if f is not None]
        fitted = min(candidates, key=lambda f: f.score, default=None)
        if fitted is None or _misfit(joint, fitted) > _LOST:
            return weak, near
    fitted = joint.improve(joint.prune(joint.exchange(joint.prune(fitted), likely)), pools)
    # The noise is a guess until a solution follows the data.
    noisy = _FOLLOWS if best is None or _misfit(*best) > _FOLLOWS else _NOT_ALL
    if _misfit(joint, fitted) > (_EXACT if record.clean.all() else noisy):
        fitted = joint.exchange(joint.exchange(fitted, likely), short)
        fitted = joint.improve(joint.prune(fitted), pools)
    return joint, joint.prune(fitted)


def _pool(terms, candidates):
    """Terms for exchanges in a fit: the commonest, and those of an equation's candidates."""
    plain = sorted((t for t in terms if not t.inner), key=lambda term: term.form.cost)[:_N_POOL]
    return list(
        {t.form.text: t for t in [*plain, *(t for c in candidates for t in c.terms)]}.values()
    )


def _misfit(joint, fitted):
    return (fitted.rss / joint.n).max()


def _contenders(joint, fitted):
    """Return the best system, and others that round constants may make the better statement."""
    close = []
    for other in joint.seen.values():
        if other is None or other is fitted or other.score > fitted.score + prices.CLOSE:
            continue
        pairs = zip(forms_of(other.equations), forms_of(fitted.equations))
        if not all(set(more) >= set(less) for more, less in pairs):  # round or not, it is too much
            close.append(other)
    return [fitted, *sorted(close, key=lambda f: f.score)[:_N_CLOSE]]


def _first(joint, starts):
    fits = [joint.fit(tuple(c.terms for c in s), tuple(c.coef for c in s)) for s in starts]
    return min((f for f in fits if f is not None), key=lambda f: f.score, default=None)


def _merged(new, old):
    """Alternate two lists, each form once; the best two of the new come first."""
    out, seen = [], set()
    for s in new[:2] + [s for pair in zip(new[2:], old) for s in pair] + new[2:] + old:
        if s.candidate.forms not in seen:
            seen.add(s.candidate.forms)
            out.append(s)
    return out


def search_trajectories(
    data, knowledge, options, n_models=0, n_jobs=None, rng=None, after_round=None
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
    n_models : int, default=0
        Searches on random halves of the rows; what they find is judged on all rows.
    n_jobs : int or None, default=None
        Searches at a time.
    rng : RandomState, default=None
        Chooses the halves.
    after_round : callable or None, default=None
        Hears of the rounds of the search on all rows; see :func:`discover`.

    Returns
    -------
    Found
    """
    whole = data.segments, knowledge, options | {"after_round": after_round}
    halves = [(_half(data.segments, rng), knowledge, options) for _ in range(n_models)]
    first, *searches = _parallel([whole, *halves], n_jobs)
    known = {forms_of(system.equations) for system in first.systems}
    new = {forms_of(found.best.equations): found.best.equations for found in searches}
    given = [GivenTerms(knowledge, new[forms]) for forms in new if forms not in known]
    runs = [(data.segments, terms, options | {"max_iter": 1}) for terms in given]
    again = _parallel(runs, n_jobs, _discover_if_possible)
    on_all = [first, *(found for found in again if found is not None)]
    best = min(on_all, key=lambda found: found.best.score)
    systems = [system for found in on_all for system in found.systems]
    chances = mean_chances([found.chances for found in (first, *searches)])
    found = judged(systems, best.best, best.errors, first.noise, first.n_rows)
    return found._replace(chances=chances, ignored=first.ignored)


def _parallel(runs, n_jobs, search=None) -> Any:
    return Parallel(n_jobs=n_jobs)(
        delayed(on_one_thread)(
            search or discover, time_left(), [s.t for s in segments], [s.X for s in segments],
            None if segments[0].u is None else [s.u for s in segments], priors=known, **own,
        )
        for segments, known, own in runs
    )  # fmt: skip


def _discover_if_possible(*data, **options):
    try:
        return discover(*data, **options)
    except ValueError:  # terms that a half suggests may have no value on all rows
        return None


def on_one_thread(search, seconds, *data, **options):
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
