"""A fitted system, and what its description length is made of."""

from typing import NamedTuple

import numpy as np

from skdyn.symbolic.discovery._shooting import Shot


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
    shot: Shot
    parts: Parts = Parts()
