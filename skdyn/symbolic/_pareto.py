"""Complexity of equations against their error, and what all systems together say of a term."""

import ast
from functools import lru_cache

import numpy as np

__all__ = ["complexity", "dominates", "inclusion_probabilities", "misfit_of", "pareto_front"]


@lru_cache(maxsize=4096)
def _nodes(text):
    counted = (ast.BinOp, ast.UnaryOp, ast.Constant, ast.Name)  # a call is its function's name
    return sum(isinstance(node, counted) for node in ast.walk(ast.parse(text, mode="eval")))


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


def misfit_of(system, n_rows):
    """Return the root mean square residual, in standard deviations of the noise.

    Parameters
    ----------
    system : Fitted
        A system.
    n_rows : int
        Measurements of each state.

    Returns
    -------
    float
        Over all states.
    """
    return float(np.sqrt(np.mean(system.rss) / n_rows))


def dominates(system, other, n_rows):
    """Whether a system is simpler or nearer to the data than another, and neither less.

    Parameters
    ----------
    system, other : Fitted
        Systems.
    n_rows : int
        Measurements of each state.

    Returns
    -------
    bool
    """
    one, two = _merits(system, n_rows), _merits(other, n_rows)
    return one != two and one[0] <= two[0] and one[1] <= two[1]


def _merits(system, n_rows):
    return complexity(system.equations), misfit_of(system, n_rows)


def pareto_front(systems, n_rows, chosen=None):
    """Return the systems than which none is both simpler and nearer to the data.

    Parameters
    ----------
    systems : list of Fitted
        Systems.
    n_rows : int
        Measurements of each state.
    chosen : Fitted, default=None
        A system that is on the front in any case; what dominates it is left out.

    Returns
    -------
    list of Fitted
        The simplest first; none dominates another.
    """
    front, least = [], np.inf
    for system in sorted(systems, key=lambda s: _merits(s, n_rows)):
        if misfit_of(system, n_rows) < least:
            front.append(system)
            least = misfit_of(system, n_rows)
    if chosen is None:
        return front
    merits = _merits(chosen, n_rows)
    others = [s for s in front if _merits(s, n_rows) != merits and not dominates(s, chosen, n_rows)]
    others = [s for s in others if not dominates(chosen, s, n_rows)]
    return sorted([*others, chosen], key=lambda s: _merits(s, n_rows))


def inclusion_probabilities(systems):
    """Average over systems, each by its description length, whether a term is in an equation.

    Parameters
    ----------
    systems : list of Fitted
        Systems with their scores in nats, lower is better.

    Returns
    -------
    list of dict of str to float
        Probability of each form in each equation, by Bayes' rule with ``exp(-score)``.
    """
    scores = np.array([system.score for system in systems])
    weights = np.exp(scores.min() - scores)
    weights /= weights.sum()
    chances = [{} for _ in systems[0].equations]
    for system, weight in zip(systems, weights.tolist(), strict=True):
        for terms, chance in zip(system.equations, chances, strict=True):
            for form in {term.form.text for term in terms}:
                chance[form] = chance.get(form, 0.0) + weight
    return chances
