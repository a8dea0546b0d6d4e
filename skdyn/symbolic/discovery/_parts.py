"""A fitted system, how simple it is, and what its description length is made of."""

import ast
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from skdyn.formulas._reader import read


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
