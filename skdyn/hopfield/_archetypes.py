"""What a dense Hebbian network makes of examples: their moments, and the states it comes to."""

from typing import Annotated, Any, NamedTuple, Self

import numpy as np

from skdyn._state import Shape
from skdyn.hopfield._retrieval import row_chunks

__all__ = ["Archetypes", "Moments", "find_archetypes", "to_unit_size"]

_MAX_STARTS = 500  # evenly spaced examples; more end in the same places
_SAME = 0.95  # overlap above which two states at rest are one archetype


class Moments(NamedTuple):
    """Weighted means and spreads of examples, which batches add to in any order.

    Attributes
    ----------
    weight : ndarray of shape ()
        Total weight.
    mean : ndarray of shape (n_features,)
        Mean of all examples.
    spread : ndarray of shape (n_features,)
        Sum of squared deviations from it.
    class_weights : ndarray of shape (n_classes,)
        Weight of each class.
    class_means : ndarray of shape (n_classes, n_features)
        Mean of each class; zero where it has no examples.
    """

    weight: float
    mean: Annotated[np.ndarray, Shape("n_features_in_")]
    spread: Annotated[np.ndarray, Shape("n_features_in_")]
    class_weights: Annotated[np.ndarray, Shape("classes")]
    class_means: Annotated[np.ndarray, Shape("classes n_features_in_")]

    @classmethod
    def of_nothing(cls, n_features: int, n_classes: int) -> Self:
        """Return the moments of no examples.

        Parameters
        ----------
        n_features : int
            Number of features.
        n_classes : int
            Number of classes.

        Returns
        -------
        Moments
        """
        zero = np.zeros(n_features)
        weight: Any = np.zeros(())
        return cls(weight, zero, zero, np.zeros(n_classes), np.zeros((n_classes, n_features)))

    def joined(self, rows: np.ndarray, membership: np.ndarray) -> Self:
        """Return the moments with more examples.

        Parameters
        ----------
        rows : ndarray of shape (n_samples, n_features)
            Examples.
        membership : ndarray of shape (n_samples, n_classes)
            Weight of each example in its class, zero in the others.

        Returns
        -------
        Moments
        """
        weights = membership.sum(axis=1)
        weight = self.weight + weights.sum()
        mean = np.average(rows, axis=0, weights=weights)
        spread = weights @ np.square(rows - mean)
        moved = np.square(mean - self.mean) * self.weight * weights.sum() / weight
        class_weights = self.class_weights + membership.sum(axis=0)
        share = membership / np.where(class_weights > 0, class_weights, 1)
        return type(self)(
            weight,
            self.mean + (mean - self.mean) * (weights.sum() / weight),
            self.spread + spread + moved,
            class_weights,
            self.class_means * (1 - share.sum(axis=0))[:, None] + share.T @ rows,
        )

    def scale(self) -> np.ndarray:
        """Return standard deviations, one where a feature is constant.

        Returns
        -------
        ndarray of shape (n_features,)
        """
        scale = np.sqrt(self.spread / self.weight)
        # A constant feature differs from its mean by rounding alone.
        return np.where(scale <= 10 * np.finfo(scale.dtype).eps * np.abs(self.mean), 1, scale)


class Archetypes(NamedTuple):
    """States at rest.

    Attributes
    ----------
    states : ndarray of shape (n_archetypes, n_features)
        One for each group of states at rest that are alike, that of the lowest energy.
    n_iter : int
        Updates of the state that took longest.
    converged : bool
        Whether all states came to rest.
    """

    states: np.ndarray
    n_iter: int
    converged: bool


def to_unit_size(rows: np.ndarray) -> np.ndarray:
    """Scale rows to mean square one, the size of states of -1 and +1; zero stays zero.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Rows.

    Returns
    -------
    ndarray of shape (n_rows, n_features)
    """
    size = np.sqrt(np.square(rows).mean(axis=1, keepdims=True))
    return rows / np.where(size > 0, size, 1)


def find_archetypes(
    examples: np.ndarray, weight: np.ndarray, order: int, *, binary: bool, max_iter: int, tol: float
) -> Archetypes:
    """Let the network that stores all examples run from them until its states are at rest.

    An update goes to the best state of unit size, or of -1 and +1, by the tangent of the energy
    :math:`E(x) = -\\sum_a w_a [\\eta_a \\cdot x / N]_+^P`. It is concave, so that no update raises
    it.

    Parameters
    ----------
    examples : ndarray of shape (n_samples, n_features)
        Examples of unit size.
    weight : ndarray of shape (n_samples,)
        Their weights.
    order : int
        Order of the interaction, :math:`P`.
    binary : bool
        Whether states are of -1 and +1.
    max_iter : int
        Updates at most.
    tol : float
        One minus the overlap of two successive states below which a state is at rest.

    Returns
    -------
    Archetypes
    """
    starts = np.flatnonzero((weight > 0) & examples.any(axis=1))
    if len(starts) == 0:  # of no use, but defined
        return Archetypes(np.zeros((1, examples.shape[1])), 0, True)
    states = examples[starts[:: -(-len(starts) // _MAX_STARTS)]].copy()
    energy = np.empty(len(states))
    moving, n_iter = np.arange(len(states)), 0
    while len(moving) and n_iter < max_iter:
        n_iter += 1
        still = []
        for part in row_chunks(len(moving), len(examples)):
            rows = moving[part]
            new, energy[rows] = _update(states[rows], examples, weight, order, binary)
            still.append(1 - np.mean(new * states[rows], axis=1) > tol)
            states[rows] = new
        moving = moving[np.concatenate(still)]
    return Archetypes(_distinct(states[np.argsort(energy, kind="stable")]), n_iter, not len(moving))


def _update(states, examples, weight, order, binary):
    """Return the next states and the energies of the present ones."""
    overlaps = np.maximum(states @ examples.T / examples.shape[1], 0)
    best = overlaps.max(axis=1, keepdims=True)
    overlaps /= best  # so that high orders do not end in zero
    pull = overlaps ** (order - 1) * weight
    energy = -np.sum(pull * overlaps, axis=1) * best[:, 0] ** order
    field = pull @ examples
    if not binary:
        return to_unit_size(field), energy
    return np.where(field == 0, states, np.sign(field)), energy


def _distinct(states):
    """Return the first of each group of states that overlap."""
    found = np.empty((0, states.shape[1]))
    while len(states):
        found = np.vstack([found, states[:1]])
        states = states[states @ states[0] / states.shape[1] < _SAME]
    return found
