"""Complexity of equations against their error, and what all systems together say of a term."""

import ast
from functools import lru_cache

import numpy as np

__all__ = ["complexity", "inclusion_probabilities", "misfit_of", "pareto_front"]


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


def pareto_front(systems, n_rows):
    """Return the systems than which none is both simpler and nearer to the data.

    Parameters
    ----------
    systems : list of Fitted
        Systems.
    n_rows : int
        Measurements of each state.

    Returns
    -------
    list of Fitted
        The simplest first.
    """
    key = {id(s): (complexity(s.equations), misfit_of(s, n_rows)) for s in systems}
    front, least = [], np.inf
    for system in sorted(systems, key=lambda s: key[id(s)]):
        if key[id(system)][1] < least:
            front.append(system)
            least = key[id(system)][1]
    return front


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
