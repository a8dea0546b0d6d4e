"""Sequences that are looked back on, and origins of forecasts that are held out of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdyn.hopfield._sequences import ends_of

__all__ = ["Held", "History", "held_out", "some_steps", "spaced"]

_N_BLOCKS = 3  # of origins, in the later half of the windows
_N_ORIGINS = 100  # in a block
_N_STEPS = 8  # ahead, of those asked
_FEWEST = 3  # windows that say something about others


class History(NamedTuple):
    """Sequences that are looked back on.

    Attributes
    ----------
    states : ndarray of shape (n_states, n_features)
        All of them, joined, of deviations near one.
    lengths : ndarray of int of shape (n_sequences,)
        How long each is.
    horizon : int
        How far ahead.
    """

    states: np.ndarray
    lengths: np.ndarray
    horizon: int

    def ends(self, window: int) -> np.ndarray:
        """Return where windows end that a whole horizon follows.

        Parameters
        ----------
        window : int
            States of a window.

        Returns
        -------
        ndarray of int of shape (n_windows,)
        """
        return ends_of(self.lengths, window, self.horizon)

    def after(self, ends: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return what follows.

        Parameters
        ----------
        ends : ndarray of int of shape (n_windows,)
            Where windows end.
        steps : ndarray of int of shape (n_steps,)
            How far ahead.

        Returns
        -------
        ndarray of shape (n_windows, n_steps * n_features)
        """
        return self.states[ends[:, None] + steps].reshape(len(ends), -1)


class Held(NamedTuple):
    """Origins whose future is not learned from.

    Attributes
    ----------
    last : int
        The last end of a window that may be learned from.
    origins : ndarray of int of shape (n_origins,)
        Ends of the windows that are asked about.
    """

    last: int
    origins: np.ndarray


def some_steps(horizon: int) -> np.ndarray:
    """Return steps that stand for all of a horizon.

    Parameters
    ----------
    horizon : int
        How far ahead.

    Returns
    -------
    ndarray of int
        From one to the horizon.
    """
    return spaced(np.arange(1, horizon + 1), _N_STEPS)


def held_out(history: History, window: int) -> list[Held]:
    """Hold out origins in the later half, block by block; each block knows what was before it.

    Parameters
    ----------
    history : History
        What is looked back on.
    window : int
        The longest window that is tried.

    Returns
    -------
    list of Held
        None where there is too little before.
    """
    ends = history.ends(window)
    blocks = np.array_split(ends[(len(ends) + 1) // 2 :], _N_BLOCKS)
    held = [
        Held(block[0] - history.horizon, spaced(block, _N_ORIGINS))
        for block in blocks
        if len(block)
    ]
    return [fold for fold in held if (ends <= fold.last).sum() >= _FEWEST]


def spaced(values: np.ndarray, most: int) -> np.ndarray:
    """Return some of many values, at even distances, the first and the last among them.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Values.
    most : int
        How many at most.

    Returns
    -------
    ndarray
    """
    places = np.linspace(0, len(values) - 1, min(most, len(values)))
    return values[np.unique(places.round().astype(int))]
