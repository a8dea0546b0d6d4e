"""Lone values of trajectories that no dynamics leads to and from: they count as missing.

A solution passes through what lies between. A value far from all others of its channel whose
neighbors in time are not is an error of measurement: it would set the channel's scale, bend the
smooth curve and, squared, be all of the loss.
"""

import numpy as np

from skdyn._outliers import far_values, how_far
from skdyn.exceptions import warn_user

__all__ = ["without_spikes"]

_LONGEST = 3  # successive time points: what stays away for longer is somewhere


def without_spikes(trajectories, name, time_channel=None):
    """Take far values that last for a moment as missing, and say so.

    Parameters
    ----------
    trajectories : Trajectories
        The data.
    name : str
        What the user calls them.
    time_channel : int or None, default=None
        Channel of the user's data that held the times, and is none of the trajectories.

    Returns
    -------
    Trajectories
        The same where there are none.
    """
    shape = trajectories.values.shape
    columns = trajectories.values.reshape(-1, shape[2])
    found = list(far_values(columns))
    if not found:
        return trajectories
    values = trajectories.values.copy()
    spikes, places = [], []
    for far in found:
        far_away = np.zeros(shape[:2], dtype=bool)
        far_away.flat[far.rows] = True
        brief = _brief(far_away, trajectories.observed[:, :, far.column])
        if not brief.any():
            continue
        values[brief, far.column] = np.nan
        spikes.append(far._replace(rows=np.flatnonzero(brief)))
        channel = far.column + (
            time_channel is not None and far.column >= time_channel % (shape[2] + 1)
        )
        places += [f"case {c} channel {channel} index {k}" for c, k in np.argwhere(brief)]
    if not spikes:
        return trajectories
    warn_user(
        f"{name} holds {how_far(columns, spikes, places)}, and lasts for a moment only. These "
        "values are left out as if they were missing. Correct them, or replace them by NaN; if "
        "they are right, give more time points about them."
    )
    return trajectories._replace(values=values)


def _brief(far, observed):
    """Tell far values in runs of a few observed points, with others in the case besides."""
    brief = np.zeros_like(far)
    for case in np.flatnonzero(far.any(axis=1)):
        points = np.flatnonzero(observed[case])
        turns = np.flatnonzero(np.diff(far[case, points], prepend=False, append=False))
        for start, stop in turns.reshape(-1, 2):
            if stop - start <= _LONGEST:
                brief[case, points[start:stop]] = True
        if brief[case, points].all():
            brief[case] = False
    return brief
