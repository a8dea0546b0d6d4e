"""Between which values states were seen, and the word when a rollout leaves them."""

from __future__ import annotations

import numpy as np

from skdyn.exceptions import warn_user

__all__ = ["ANYWHERE", "seen_range", "warn_if_left"]

ANYWHERE = float(np.finfo(np.float64).max)  # the reach of what was saved without one
_FAR = 10  # times the range of the data, from its middle: nothing learned holds there


def seen_range(series: np.ndarray, one_function: bool) -> tuple[np.ndarray, np.ndarray]:
    """Note between which values each channel was seen.

    Parameters
    ----------
    series : ndarray of shape (n_cases, n_timepoints, \\*state)
        Trajectories.
    one_function : bool
        Whether flat states are one function rather than many columns.

    Returns
    -------
    middle, reach : ndarray of shape (n_channels,)
        Half way between the least and the largest value, and half their distance; of channels
        that stood still, the largest of the others.
    """
    series = np.moveaxis(series, 2, 0)
    if series.ndim == 3 and one_function:
        series = series.reshape(1, -1)
    values = series.reshape(len(series), -1).astype(np.float64)
    low, high = values.min(axis=1), values.max(axis=1)
    reach = high / 2 - low / 2
    still = reach <= 1e-6 * abs(values).max(axis=1)
    reach = np.where(still, max(reach.max(), abs(values).max()) or 1.0, reach)
    return low / 2 + high / 2, reach


def warn_if_left(
    state: np.ndarray, step: int, middle: np.ndarray, reach: np.ndarray, *, told: bool
) -> bool:
    """Warn, and return True, where a state is far from all that was seen in ``fit``.

    What is no number any more is refused: no step could go on from it.

    Parameters
    ----------
    state : ndarray of shape (n, \\*state)
        Of each case.
    step : int
        Which step of a rollout led to it, from 1.
    middle, reach : ndarray of shape (n_channels,)
        Of what was seen.
    told : bool
        Whether there was a warning before: one is enough.

    Returns
    -------
    bool
    """
    finite = np.isfinite(state)
    if not finite.all():
        case = int(np.argmin(finite.reshape(len(state), -1).all(axis=1)))
        raise ValueError(
            f"Step {step} of the rollout makes NaN or infinity in case {case}: it has run away. "
            "Ask for fewer steps, or fit with pushforward=1, on more trajectories, or with another "
            "estimator."
        )
    column = (-1, *[1] * (state.ndim - 2))
    away = abs(state - middle.reshape(column)) / reach.reshape(column)
    if told or away.max() <= _FAR:
        return False
    worst = np.unravel_index(away.argmax(), away.shape)
    warn_user(
        f"Step {step} of the rollout leaves {_FAR} times the range of the trajectories in "
        f"fit: case {worst[0]} reaches {state[worst]:.3g} in channel {worst[1]}. What follows "
        "is no forecast. Ask for fewer steps, or fit with pushforward=1, on more "
        "trajectories, or with another estimator."
    )
    return True
