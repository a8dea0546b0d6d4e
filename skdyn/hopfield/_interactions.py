"""Interactions of patterns of -1 and +1: what the energy makes of a state's overlaps with them.

Each is an energy :math:`E(\\sigma) = -\\sum_k F(a_k)`, or its logarithm, with a convex :math:`F` of
the overlaps :math:`a = C \\sigma`; the rows of :math:`C` are the stored patterns or are made of
them. Forces and costs are given up to a positive factor of each row, so that nothing overflows.
"""

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.special import gammaln
from sklearn.base import BaseEstimator

from skdyn._state import PlainState
from skdyn._validation import Interval

__all__ = ["INTERACTIONS", "Interaction", "PolynomialInteraction", "as_interaction", "check_bits"]


class Interaction(PlainState, BaseEstimator):
    """Base of the interactions of patterns of -1 and +1.

    A subclass supplies ``_couplings``, ``_energy``, ``_slopes`` (the derivative of F),
    ``_flip_costs`` (by how much the energy changes when each bit alone is flipped, and what that
    is small against) and ``_capacity`` (how many random patterns of so many bits, and the law).
    """

    _parameter_constraints: dict = {}
    if TYPE_CHECKING:  # of the subclasses
        _capacity: Any
        _energy: Any
        _flip_costs: Any
        _slopes: Any

    def _couplings(self, patterns):
        return patterns


class _Quadratic(Interaction):
    """F(a) = a^2 / 2: pairs of bits, coupled by the matrix C' C."""

    def _energy(self, a, n_features, beta):
        return -a.square().sum(dim=1) / 2

    def _slopes(self, a, n_features, beta):
        return a

    def _flip_costs(self, states, a, couplings, beta):
        costs = 2 * (states * (a @ couplings) - couplings.square().sum(dim=0))
        return costs, a.square().sum(dim=1, keepdim=True)


class HebbInteraction(_Quadratic):
    """Couplings are the mean over patterns of the products of their bits (Hopfield 1982)."""

    def _couplings(self, patterns):
        return patterns / np.sqrt(patterns.shape[1])

    def _capacity(self, n_features):
        return 0.138 * n_features, "0.138 N"  # Amit, Gutfreund, Sompolinsky 1985


class PseudoInverseInteraction(_Quadratic):
    """Couplings project on the span of the patterns (Personnaz 1986).

    Where patterns are linearly dependent, the span is smaller and the projection still defined.
    """

    def _couplings(self, patterns):
        _, size, directions = np.linalg.svd(patterns, full_matrices=False)
        rounding = max(patterns.shape) * np.finfo(np.float64).eps
        return np.ascontiguousarray(directions[size > rounding * size[0]])

    def _capacity(self, n_features):
        return float(n_features), "N"  # as many can be linearly independent


class PolynomialInteraction(Interaction):
    """Energy that falls with a power of each overlap: the higher, the more patterns it can hold.

    .. math:: E(\\sigma) = -N \\sum_k \\max(0, x_k^\\top \\sigma / N)^n

    for patterns and states of N bits, -1 or +1 [1]_. The number of random patterns it holds grows
    as :math:`N^{n-1}`. Overlaps below zero do not count, so that the negative of a pattern is not
    stored with it.

    Parameters
    ----------
    order : int, default=3
        The power n, at least 2.

    See Also
    --------
    HopfieldMemory : Takes it as ``separation``.
    DenseHebbianClassifier : Sums of powers, as prototypes.

    References
    ----------
    .. [1] Dmitry Krotov, John Hopfield, "Dense Associative Memory for Pattern Recognition",
       NeurIPS 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.hopfield import HopfieldMemory, PolynomialInteraction
    >>> X = np.random.default_rng(0).choice([-1, 1], size=(50, 30))
    >>> memory = HopfieldMemory(PolynomialInteraction(order=5)).fit(X)
    >>> spoilt = X.copy()
    >>> spoilt[:, :3] *= -1
    >>> int((memory.transform(spoilt) == X).all(axis=1).sum())
    50
    """

    _parameter_constraints = {"order": [Interval(Integral, 2, None, closed="left")]}

    def __init__(self, order: int = 3) -> None:
        self.order = order

    def _energy(self, a, n_features, beta):
        return -self._power(a, n_features).sum(dim=1)

    def _slopes(self, a, n_features, beta):
        return (a.clamp(min=0) / n_features) ** (self.order - 1)

    def _flip_costs(self, states, a, couplings, beta):
        # A flipped bit moves every overlap by two, up or down: F at three places tells all costs.
        # No overlap leaves [-N, N]; the limit takes away only what cancels.
        n = couplings.shape[1]
        lower, here, upper = (self._power((a + by).clamp(max=n), n) for by in (-2, 0, 2))
        force = (upper - lower) @ couplings
        costs = (states * force + (2 * here - lower - upper).sum(dim=1, keepdim=True)) / 2
        return costs, upper.sum(dim=1, keepdim=True)

    def _power(self, a, n_features):
        return n_features * (a.clamp(min=0) / n_features) ** self.order

    def _capacity(self, n_features):
        # In logarithms, for any order; below N = 3 there is nothing to estimate.
        odd = gammaln(2 * self.order - 1) - gammaln(self.order) - (self.order - 1) * np.log(2)
        log_n = np.log(n_features)
        with np.errstate(over="ignore"):
            estimate = np.exp((self.order - 1) * log_n - odd - np.log(2 * max(log_n, 1)))
        return max(1.0, float(estimate)), "N^(n-1) / (2 (2n-3)!! log N)"


class ExponentialInteraction(Interaction):
    """F = exp(beta a): room for exponentially many patterns (Demircigil 2017).

    Its energy is the logarithm, -log(sum F) / beta: the same order of states, without overflow.
    """

    def _energy(self, a, n_features, beta):
        best = a.amax(dim=1)  # before beta: zero stays zero, the rest may overflow
        return -best - torch.logsumexp(beta * (a - best[:, None]), dim=1) / beta

    def _slopes(self, a, n_features, beta):
        return torch.exp(beta * (a - a.amax(dim=1, keepdim=True)))

    def _flip_costs(self, states, a, couplings, beta):
        # As with powers; F at an overlap less two is that at the overlap times a constant.
        upper, less = self._slopes(a, couplings.shape[1], beta), np.exp(-2 * beta)
        total = upper.sum(dim=1, keepdim=True)
        costs = (1 - less**2) * states * (upper @ couplings) - (1 - less) ** 2 * total
        return costs / 2, total

    def _capacity(self, n_features):
        with np.errstate(over="ignore"):
            return float(np.exp2(n_features / 2)), "2^(N/2)"


INTERACTIONS = {
    "hebb": HebbInteraction(),
    "pseudo_inverse": PseudoInverseInteraction(),
    "polynomial": PolynomialInteraction(),
    "exponential": ExponentialInteraction(),
}


def as_interaction(interaction: Any) -> Interaction:
    """Return the interaction of a name, or the object as it is.

    Parameters
    ----------
    interaction : {"hebb", "pseudo_inverse", "polynomial", "exponential"} or Interaction
        What a user passed.

    Returns
    -------
    Interaction
        An object with the hooks of :class:`Interaction`.
    """
    return interaction if isinstance(interaction, Interaction) else INTERACTIONS[interaction]


def check_bits(interaction: Any, X: np.ndarray, mass: np.ndarray | None = None) -> None:
    """Refuse what a memory of bits cannot take.

    Parameters
    ----------
    interaction : str or Interaction
        What the user passed.
    X : ndarray of shape (n_rows, n_features)
        Patterns or queries; NaN where unknown.
    mass : ndarray of shape (n_rows,) or None, default=None
        Weights, if there are any.

    Raises
    ------
    ValueError
        If there are other numbers than -1 and +1, weights, or settings out of range.
    """
    as_interaction(interaction)._validate_params()
    other = X[(np.abs(X) != 1) & ~np.isnan(X)]
    if other.size:
        raise ValueError(
            f"interaction={interaction!r} is for patterns and queries of -1 and +1; X "
            f"holds {other[0]:g}. Turn it into bits, np.where(X > threshold, 1, -1), or use a "
            "memory of real numbers such as interaction='softmax'."
        )
    if mass is not None:
        raise ValueError(
            f"sample_weight is for continuous memories; interaction={interaction!r} is not. Store "
            "a pattern several times instead: np.repeat(X, times, axis=0)."
        )
