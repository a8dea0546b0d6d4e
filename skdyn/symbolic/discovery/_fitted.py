"""Fitted systems, what their description lengths are made of, and which of them to take."""

import ast
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from skdyn.formulas._reader import read

CLOSE, _N_RIVALS = 3.0, 10  # nats from the best, odds of 20 to 1; how many are told


class Parts(NamedTuple):
    """Nats that make up a description length.

    Attributes
    ----------
    misfit : float, default=0.0
        The residuals.
    structure : float, default=0.0
        Terms, and constants to the precision that the data give them.
    escapes : float, default=0.0
        Disturbed starts from which solutions explode.
    sensitivity : float, default=0.0
        How closely unstable solutions' starts are to be told.
    rounding : float, default=0.0
        What round constants save.
    priors : float, default=0.0
        Breaches of what is known.
    """

    misfit: float = 0.0
    structure: float = 0.0
    escapes: float = 0.0
    sensitivity: float = 0.0
    rounding: float = 0.0
    priors: float = 0.0


class Fitted(NamedTuple):
    """A system with its constants fitted to trajectories.

    Attributes
    ----------
    equations : tuple of tuple of Term
        Terms of each equation.
    coefficients : tuple of tuple of float
        Their coefficients.
    rss : ndarray of shape (n_states,)
        Sum of squared residuals over the noise variance.
    score : float
        Description length in nats: lower is better.
    shot : Shot
        The fit.
    parts : Parts, default=Parts()
        What the score is the sum of.
    """

    equations: tuple
    coefficients: tuple
    rss: np.ndarray
    score: float
    shot: Any  # None of an equation that was fitted alone
    parts: Parts = Parts()

    @property
    def complexity(self):
        """Nodes of the equations written out."""
        return complexity(self.equations)

    def misfit(self, n_rows):
        """Return the root mean square residual over all states, in deviations of the noise."""
        return float(np.sqrt(np.mean(self.rss) / n_rows))

    def dominates(self, other, n_rows):
        """Whether this one is simpler or nearer to the data than another, and neither less."""
        one, two = self.merits(n_rows), other.merits(n_rows)
        return one != two and one[0] <= two[0] and one[1] <= two[1]

    def merits(self, n_rows):
        """Return complexity and misfit."""
        return self.complexity, self.misfit(n_rows)


@lru_cache(maxsize=4096)
def _nodes(text):
    counted = (ast.BinOp, ast.UnaryOp, ast.Constant, ast.Name)  # a call is its function's name
    return sum(isinstance(node, counted) for node in ast.walk(read(text)))


def complexity(equations):
    """Count the operators, functions, variables and constants of equations written out.

    Parameters
    ----------
    equations : tuple of tuple of Term
        Terms of each equation, each with a coefficient.

    Returns
    -------
    int
        Nodes of the expression trees; an equation without terms is the one node 0.
    """
    total = 0
    for terms in equations:
        sizes = [1 if term.form.text == "1" else 2 + _nodes(term.form.text) for term in terms]
        total += sum(sizes) + max(len(sizes) - 1, 0) + (not sizes)
    return total


def forms_of(equations):
    """Return the texts of the terms of each equation, sorted: equal for the same system."""
    return tuple(tuple(sorted(term.form.text for term in terms)) for terms in equations)


class Found(NamedTuple):
    """What a search found.

    Attributes
    ----------
    best : Fitted
        The system of the shortest description.
    errors : list of list of list of float
        Standard errors of its constants, by equation and term.
    noise : ndarray of shape (n_equations,)
        Standard deviation of the noise, of targets that of what is not explained.
    n_rows : int
        Rows that it was found on.
    systems : list of Fitted
        Every system that was fitted in the last round and breaks no law, the best among them.
    front : list of Fitted
        The best, and systems than which none is both simpler and nearer to the data.
    rivals : list of Fitted
        Systems with other terms whose descriptions are hardly longer, or that are both simpler
        and nearer to the data than the best, the shortest description first.
    chances : list of dict of str to float
        Inclusion probability of each form in each equation.
    ignored : sequence of ndarray, default=()
        Times of each state's measurements that stand out of their neighbors.
    n_iter : int, default=1
        Number of rounds it took.
    """

    best: Fitted
    errors: list
    noise: np.ndarray
    n_rows: int
    systems: list
    front: list
    rivals: list
    chances: list
    ignored: Sequence[np.ndarray] = ()
    n_iter: int = 1

    @property
    def misfit(self) -> np.ndarray:
        """Mean squared residual of each equation over the variance of the noise, or target."""
        return self.best.rss / self.n_rows


def side_by_side(some, other):
    """Put what was found of different targets, on the same rows, into one system."""
    best = _joined(some.best, other.best)
    own = forms_of(best.equations)
    pairs = [_joined(a, b) for a in some.front for b in other.front]
    pairs = [pair for pair in pairs if forms_of(pair.equations) != own]
    rivals = [_joined(a, other.best) for a in some.rivals]
    rivals += [_joined(some.best, b) for b in other.rivals]
    return Found(
        best, some.errors + other.errors, np.append(some.noise, other.noise), some.n_rows,
        [best, *pairs], _front(pairs, some.n_rows, best), rivals, some.chances + other.chances,
    )  # fmt: skip


def judged(systems, best, errors, noise, n_rows):
    """Tell the best of systems from the others; it is another one if it is not among them."""
    same = [system for system in systems if system.equations == best.equations]
    best = min(same or systems, key=_score)
    if not same:
        errors = [[[np.nan] * (1 + len(t.inner)) for t in terms] for terms in best.equations]
    own = forms_of(best.equations)
    others = [system for system in systems if forms_of(system.equations) != own]
    return Found(
        best, errors, noise, n_rows, systems, _front(others, n_rows, best),
        _rivals(best, others, n_rows), _chances(systems),
    )  # fmt: skip


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
    scores = np.array([system.score for system in systems])
    weights = np.exp(scores.min() - scores)
    weights /= weights.sum()
    chances = [{} for _ in systems[0].equations]
    for system, weight in zip(systems, weights.tolist(), strict=True):
        for terms, chance in zip(system.equations, chances, strict=True):
            for form in {term.form.text for term in terms}:
                chance[form] = chance.get(form, 0.0) + weight
    return chances


def mean_chances(chances):
    """Average inclusion probabilities over searches."""
    mean = [{} for _ in chances[0]]
    for search in chances:
        for total, own in zip(mean, search, strict=True):
            for form, chance in own.items():
                total[form] = total.get(form, 0.0) + chance / len(chances)
    return mean


def _joined(a, b):
    return Fitted(
        a.equations + b.equations, a.coefficients + b.coefficients, np.append(a.rss, b.rss),
        a.score + b.score, None, Parts(*map(sum, zip(a.parts, b.parts))),
    )  # fmt: skip
