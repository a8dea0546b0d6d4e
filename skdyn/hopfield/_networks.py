"""Dynamics of memories: states, their energies, and updates that never raise them."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from skdyn._blocks import in_blocks
from skdyn.hopfield._capacity import mean_of
from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._index import FaissIndex
from skdyn.hopfield._interactions import Interaction
from skdyn.hopfield._separations import Separation

__all__ = ["ContinuousNetwork", "SignNetwork", "come_to_rest", "energies_along", "follow"]

_ROUNDING = 1e-12  # a relative change of energy below this is none


class ContinuousNetwork:
    """Real states that move to a mean of the patterns by their weights.

    Entries that a query lacks stay out of its scores and its energy at every step: it moves in the
    memory of the patterns' other coordinates, and the rest is read out.

    Parameters
    ----------
    patterns : ndarray of shape (n_patterns, n_features)
        Stored patterns.
    separation : Separation
        From scores to weights.
    beta : float
        Inverse temperature.
    similarity : {"euclidean", "dot"}
        What a score is.
    mass : ndarray of shape (n_patterns,) or None, default=None
        How many times each pattern is there; None is once.
    index : FaissIndex or None, default=None
        Compare with its candidates alone, where all entries are known.
    """

    def __init__(
        self,
        patterns: np.ndarray,
        separation: Separation,
        beta: float,
        similarity: str,
        mass: np.ndarray | None = None,
        index: FaissIndex | None = None,
    ) -> None:
        weight = None if mass is None else torch.from_numpy(mass)
        # Euclidean scores do not care where the origin is; near the data, fewer digits are lost.
        mean = mean_of(patterns, mass)
        self.origin = mean if similarity == "euclidean" else 0.0
        keys = torch.from_numpy((patterns - self.origin).astype(np.float64, copy=False))
        self.memory = FrozenMemory(keys, None, weight, beta, similarity, separation, index)
        self.scale = _spread(patterns, mean, mass)

    def start(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return states and which of their entries are known, None for all.

        Parameters
        ----------
        X : ndarray of shape (n_queries, n_features)
            Queries; NaN where unknown.

        Returns
        -------
        (ndarray of shape (n_queries, n_features), same of bool or None)
        """
        known = ~np.isnan(X)
        return (X.copy(), None) if known.all() else (np.where(known, X, self.origin), known)

    def update(self, states: np.ndarray, known: np.ndarray | None) -> np.ndarray:
        """Return the states after one update.

        Parameters
        ----------
        states : ndarray of shape (n_states, n_features)
            States.
        known : ndarray of bool of shape (n_states, n_features) or None
            Entries that are scored.

        Returns
        -------
        ndarray of shape (n_states, n_features)
        """
        queries, where = self._asked(states, known)
        return self.memory.means(queries, known=where).numpy() + self.origin

    def energy(self, states: np.ndarray, known: np.ndarray | None) -> np.ndarray:
        """Return the energies of states.

        Parameters
        ----------
        states : ndarray of shape (n_states, n_features)
            States.
        known : ndarray of bool of shape (n_states, n_features) or None
            Entries that are scored.

        Returns
        -------
        ndarray of shape (n_states,)
        """
        queries, where = self._asked(states, known)
        return self.memory.energies(queries, known=where).numpy()

    def weights(self, state: np.ndarray) -> np.ndarray:
        """Return the weights of all patterns in an update of a state.

        Parameters
        ----------
        state : ndarray of shape (n_features,)
            State.

        Returns
        -------
        ndarray of shape (n_patterns,)
        """
        queries, _ = self._asked(state[None], None)
        ((_, _, weights),) = replace(self.memory, index=None).weight_chunks(queries)
        return weights[0].numpy()

    def _asked(self, states, known):
        queries = torch.from_numpy(states - self.origin)
        if known is None:
            return queries, None
        known = torch.from_numpy(known)
        return queries.where(known, 0), known.to(queries.dtype)


def _spread(patterns, mean, mass):
    """Return the root of the total variance, in blocks."""
    squares = in_blocks(lambda rows: np.square(rows - mean).sum(axis=1), patterns)
    return float(np.sqrt(np.average(squares, weights=mass)))


class SignNetwork:
    """States of bits, -1 or +1, that flip where this lowers the energy.

    A bit that a query lacks is zero, takes no part in the overlaps, and is set in the first update.

    Parameters
    ----------
    couplings : ndarray of shape (n_couplings, n_features)
        What the interaction has made of the patterns.
    interaction : Interaction
        Its energy.
    beta : float
        Inverse temperature of the exponential interaction.
    update : {"synchronous", "asynchronous"}
        All bits at once, or one after the other.
    """

    scale = 1.0

    def __init__(
        self, couplings: np.ndarray, interaction: Interaction, beta: float, update: str
    ) -> None:
        self.couplings = torch.from_numpy(couplings)
        self.interaction = interaction
        self.setting = couplings.shape[1], beta
        self.flipped = self._one_by_one if update == "asynchronous" else self._at_once

    def start(self, X: np.ndarray) -> tuple[np.ndarray, None]:
        """Return states: zero where a bit is unknown.

        Parameters
        ----------
        X : ndarray of shape (n_queries, n_features)
            Queries of -1 and +1; NaN where unknown.

        Returns
        -------
        (ndarray of shape (n_queries, n_features), None)
        """
        return np.nan_to_num(X), None

    def update(self, states: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
        """Return the states after one update; those with unknown bits are completed by it.

        Parameters
        ----------
        states : ndarray of shape (n_states, n_features)
            States.
        known : None, default=None
            Nothing: zero says that a bit is unknown.

        Returns
        -------
        ndarray of shape (n_states, n_features)
        """
        new = torch.from_numpy(states.copy())
        partial = (new == 0).any(dim=1)
        for rows, change in ((partial, self._completed), (~partial, self.flipped)):
            if rows.any():
                new[rows] = change(new[rows])
        return new.numpy()

    def energy(self, states: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
        """Return the energies of states.

        Parameters
        ----------
        states : ndarray of shape (n_states, n_features)
            States.
        known : None, default=None
            Nothing.

        Returns
        -------
        ndarray of shape (n_states,)
        """
        return self._energy(self._overlaps(torch.from_numpy(states))).numpy()

    def _overlaps(self, states):
        return states @ self.couplings.T

    def _energy(self, overlaps):
        return self.interaction._energy(overlaps, *self.setting)

    def _completed(self, states):
        """Set unknown bits by their forces.

        The energy is concave, so that it cannot rise when no bit moves against its slope.
        """
        slopes = self.interaction._slopes(self._overlaps(states), *self.setting)
        zero = _ROUNDING * slopes.abs().sum(dim=1, keepdim=True)
        bits = torch.where(slopes @ self.couplings < -zero, -1.0, 1.0).to(states.dtype)
        return torch.where(states == 0, bits, states)

    def _at_once(self, states):
        """Flip every bit that would lower the energy if it flipped alone.

        Together they may raise it, or lead back and forth. Then the half that promises most flips,
        and so on down to one bit, which does lower it.
        """
        a = self._overlaps(states)
        costs, size = self.interaction._flip_costs(states, a, self.couplings, self.setting[1])
        rank = costs.argsort(dim=1).argsort(dim=1)
        n_flips = (costs < -_ROUNDING * size).sum(dim=1)
        open_ = n_flips.nonzero()[:, 0]
        new, energy = states.clone(), a.new_zeros(len(a))
        energy[open_] = self._energy(a[open_])
        while len(open_):
            new[open_] = torch.where(
                rank[open_] < n_flips[open_, None], -states[open_], states[open_]
            )
            risen = self._energy(self._overlaps(new[open_])) >= energy[open_]
            open_ = open_[risen & (n_flips[open_] > 0)]
            n_flips[open_] //= 2
        return new

    def _one_by_one(self, states):
        new, a = states.clone(), self._overlaps(states)
        energy = self._energy(a)
        for i, column in enumerate(self.couplings.T):
            other = a - 2 * new[:, i, None] * column
            energy_there = self._energy(other)
            flips = energy_there < energy - _ROUNDING * energy.abs()
            new[flips, i] *= -1
            a[flips], energy[flips] = other[flips], energy_there[flips]
        return new


def follow(
    network: ContinuousNetwork | SignNetwork, X: np.ndarray, n_steps: int, tol: float
) -> Iterator[tuple[np.ndarray, np.ndarray | None, np.ndarray]]:
    """Yield the states of queries at the start and after each update, until all rest.

    Parameters
    ----------
    network : ContinuousNetwork or SignNetwork
        The dynamics.
    X : ndarray of shape (n_queries, n_features)
        Queries; NaN where unknown.
    n_steps : int
        Number of updates at most.
    tol : float
        A query rests, whatever the others do, when it moves by no more than this part of the
        network's scale.

    Yields
    ------
    (ndarray of shape (n_queries, n_features), ndarray of bool or None, ndarray of int)
        States, which of their entries are known, and which queries moved.
    """
    states, known = network.start(X)
    moved = np.arange(len(X))
    yield states, known, moved
    for _ in range(n_steps):
        new = network.update(states[moved], known if known is None else known[moved])
        change = np.linalg.norm(new - states[moved], axis=1)
        states[moved] = new
        moved = moved[change > tol * network.scale]
        if not len(moved):
            return
        yield states, known, moved


def come_to_rest(
    network: ContinuousNetwork | SignNetwork, X: np.ndarray, n_steps: int, tol: float
) -> tuple[np.ndarray, int]:
    """Return where queries are after some updates, and how many of them still move.

    Parameters
    ----------
    network, X, n_steps, tol : object
        See :func:`follow`.

    Returns
    -------
    states : ndarray of shape (n_queries, n_features)
    n_moving : int
    """
    step, states, moved = 0, X[:0], X[:0]
    for step, (states, _, moved) in enumerate(follow(network, X, n_steps, tol)):  # noqa: B007
        pass
    return states, len(moved) * (step == n_steps)


def energies_along(
    network: ContinuousNetwork | SignNetwork, X: np.ndarray, n_steps: int, tol: float
) -> np.ndarray:
    """Return the energies of queries at the start and after each update, until all rest.

    Parameters
    ----------
    network, X, n_steps, tol : object
        See :func:`follow`.

    Returns
    -------
    ndarray of shape (n_queries, n_updates + 1)
    """
    energies: list[np.ndarray] = []
    for states, known, moved in follow(network, X, n_steps, tol):
        now = energies[-1].copy() if energies else np.empty(len(states))
        now[moved] = network.energy(states[moved], known if known is None else known[moved])
        energies.append(now)
    return np.stack(energies, axis=1)
