"""Measurements that have nothing to do with their neighbors: slips of an instrument or a pen."""

import numpy as np

from skdyn.exceptions import warn_user

_BESIDE = 3  # neighbors on either side
_BEYOND = 3.0  # times their range: what noise, peaks and steps of a curve do not reach

_SHOWN = 5  # times named in a warning


def stand_out(x):
    """Tell which values of a series lie far outside those around them.

    Parameters
    ----------
    x : ndarray of shape (n_timepoints,)
        Values in the order of time.

    Returns
    -------
    ndarray of bool of shape (n_timepoints,)
        False for the first and last three values, which a curve may well run away from.
    """
    out = np.zeros(len(x), bool)
    if len(x) > 4 * _BESIDE:
        around = np.lib.stride_tricks.sliding_window_view(x, 2 * _BESIDE + 1)
        around = np.delete(around, _BESIDE, axis=1)
        low, high = around.min(axis=1), around.max(axis=1)
        own, size = x[_BESIDE:-_BESIDE], np.abs(around).mean(axis=1)
        reach = high - low
        # Neighbors may be near each other by chance: what they usually are, or in their proportion.
        share = np.divide(reach, size, out=np.zeros_like(reach), where=size > 0.0)
        usual = np.minimum(np.median(reach), np.median(share) * size)
        beyond = np.maximum(own - high, low - own)
        out[_BESIDE:-_BESIDE] = beyond > _BEYOND * np.maximum(reach, usual)
    return out


def say_what_stands_out(ignored, names):
    """Warn of measurements that the search ignored.

    Parameters
    ----------
    ignored : sequence of ndarray
        Times of each state's measurements that stand out.
    names : list of str
        Of the states.
    """
    found = []
    for name, times in zip(names, ignored, strict=True):
        shown = ", ".join(f"{time:g}" for time in times[:_SHOWN])
        if len(times):
            found.append(f"{len(times)} of {name} (t={shown}{', ...' * (len(times) > _SHOWN)})")
    if found:
        warn_user(
            f"Measurements stand far out of their neighbors and are ignored: {'; '.join(found)}. "
            "If they are what happened, sample more often."
        )
