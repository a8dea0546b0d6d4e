"""Whether forecasts are better than what needs no model, judged from held-out origins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdyn.hopfield._origins import Held, History, some_steps

__all__ = ["ADVICE", "SAID_INSTEAD", "Verdict", "judged_beside_trivial", "trivial_squares"]

_HARDLY_BETTER = 0.9  # squared error, as a part of the trivial one
_LIKELY, _SURELY = 2.0, 3.0  # standard errors: the best of many recipes gains by chance, too
_MANY_ORIGINS = 12  # that tell enough to say the trivial instead
_FEWEST = 3  # stretches of origins that tell of chance
_FAR = np.log(4)  # fewer tell where errors are this much less
_EXACT = 1e-6  # of the largest error: less is none
_LONGEST_SEASON = 500
_LEVELS = ("last", "none")  # whose mean is the last state, or the mean of all
ADVICE = " Pass longer series, other features, or a shorter horizon."
SAID_INSTEAD = " Forecasts now say nearly that." + ADVICE


class Verdict(NamedTuple):
    """What is to be told.

    Attributes
    ----------
    words : str
        The doubt.
    level : str
        Level of the recipe that says the trivial.
    instead : bool
        Whether that is to be said.
    """

    words: str
    level: str
    instead: bool


def judged_beside_trivial(
    squares: np.ndarray, history: History, held: list[Held]
) -> Verdict | None:
    """Compare forecasts with the last state, the mean of all before, and the best season.

    Parameters
    ----------
    squares : ndarray of shape (n_origins, n_steps, n_features)
        Squared errors.
    history : History
        What is looked back on.
    held : list of Held
        Where from.

    Returns
    -------
    Verdict or None
        None where nothing is to be told.
    """
    last, mean = others = trivial_squares(history, held)
    if not last.any():
        return None  # nothing moves
    # The mean is only for series that surely come back to it.
    which = int(_sureness(mean, last, history, held) > _SURELY)
    sure, mine = _sureness(squares, others[which], history, held), squares.mean()
    hardly = mine > _HARDLY_BETTER * others.mean(axis=(1, 2, 3)).min() or sure < _LIKELY
    if hardly or sure < _SURELY:
        name = ("saying the last state", "saying the mean of what came before")[which]
        told = "next to nothing" if hardly else "nothing for sure"
        words = _words(mine, others[which].mean(), name) + f": past windows tell {told} of it."
        return Verdict(words, _LEVELS[which], hardly and len(squares) >= _MANY_ORIGINS)
    length, season = _best_season(history, held)
    if length and _sureness(season, squares, history, held) > _SURELY:
        name = f"saying what was {length} states before"
        words = _words(mine, season.mean(), name) + f". Try window={length}."
        return Verdict(words, "last", False)
    return None


def _words(mine, other, name):
    return (
        f"From held-out origins, forecasts have a root mean squared error of {mine**0.5:.3g} "
        f"deviations, {name} one of {other**0.5:.3g}"
    )


def trivial_squares(history: History, held: list[Held]) -> np.ndarray:
    """Return squared errors of saying the last state, and the mean of those before.

    Parameters
    ----------
    history : History
        What is looked back on.
    held : list of Held
        Where from.

    Returns
    -------
    ndarray of shape (2, n_origins, n_steps, n_features)
    """
    steps, states = some_steps(history.horizon), history.states
    total = []
    for last, origins in held:
        mean = np.broadcast_to(states[: last + 1].mean(axis=0), (len(origins), states.shape[1]))
        guesses = np.stack([states[origins], mean])
        truth = states[origins[:, None] + steps]
        total.append(np.square(guesses[:, :, None] - truth))
    return np.concatenate(total, axis=1)


def _best_season(history, held):
    """Return the length of the best season, zero where there is none, and its squared errors."""
    steps, states = some_steps(history.horizon), history.states
    origins = np.concatenate([fold.origins for fold in held])
    begins = np.cumsum(history.lengths) - history.lengths
    known = (origins - begins[np.searchsorted(begins, origins, side="right") - 1]).min() + 1
    truth, best = states[origins[:, None] + steps], (0, np.full((1, 1, 1), np.inf))
    for length in range(2, min(known, int(history.lengths.max()) // 3, _LONGEST_SEASON) + 1):
        back = steps - length * -(-steps // length)
        squares = np.square(states[origins[:, None] + back] - truth)
        best = min(best, (length, squares), key=lambda found: found[1].mean())
    return best


def _sureness(mine, other, history, held):
    """Return by how many standard errors mine are less, of squared errors of each origin.

    Origins whose futures overlap err together and count as one stretch. Logarithms of ratios are
    compared, as restless stretches have larger errors of either kind.
    """
    origins = np.concatenate([fold.origins for fold in held])
    _, group = np.unique(origins // history.horizon, return_inverse=True)
    totals = [np.bincount(group, part.mean(axis=(1, 2))) for part in (other, mine)]
    least = _EXACT * max(total.max() for total in totals)
    if not least:
        return 0.0
    gains = np.log((totals[0] + least) / (totals[1] + least))
    if len(gains) < _FEWEST:
        return np.inf if gains.min() > _FAR else 0.0
    spread = gains.std(ddof=1) / np.sqrt(len(gains))
    return float(gains.mean() / spread) if spread > 0 else np.inf * np.sign(gains.mean())
