"""Windows: short pieces of trajectories, each with a start of its own (multiple shooting).

Over a short window the solution depends mildly on the weights, so training is easy; over the
whole trajectory it is what the model will be asked for. Windows therefore grow (Bock & Plitt 1984;
Turan & Jaeschke 2022 for neural ODEs).
"""

from typing import NamedTuple

import numpy as np

__all__ = ["Windows", "cut_windows", "padded_times", "window_lengths"]

_GROWTH = 3  # from stage to stage
_FIRST = 2.0  # characteristic times in the first window: the state has moved, but not turned twice
_LONGEST = 512  # intervals in which "auto" still grows: a solve is sequential
_MIN_FIRST = 4
_TUPLES = ("driven", "read")  # of arrays, among the parts of windows


class Windows(NamedTuple):
    """Pieces of trajectories, cut to one number of time points.

    Attributes
    ----------
    case, first : ndarray of shape (n_windows,)
        The trajectory that each window is cut from, and the time point it begins at.
    starts : ndarray of shape (n_windows, n_states)
        Smoothed states at the windows' first times.
    begins : ndarray of shape (n_windows,)
        Times at which the windows begin.
    times : ndarray of shape (n_windows, n_points)
        Times since each window's start.
    targets : ndarray of shape (n_windows, n_points, n_states)
        Observations, 0 where missing.
    weights : ndarray of shape (n_windows, n_points, n_states)
        1 where observed, else 0, divided by the share observed: a mean of weighted squares is
        then the mean over the observations.
    driven : tuple of ndarray, default=()
        Paths' pieces and fixed inputs, see :class:`~skdyn.neural_ode._inputs.Driven`.
    read : tuple of ndarray, default=()
        What an encoder of starts reads.
    """

    case: np.ndarray
    first: np.ndarray
    starts: np.ndarray
    begins: np.ndarray
    times: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    driven: tuple[np.ndarray, ...] = ()
    read: tuple[np.ndarray, ...] = ()

    @property
    def batch_arrays(self):
        """What a batch is cut from: the windows' numbers, starts, times, targets and weights."""
        numbers = np.arange(len(self.case))
        further = *self.driven, *self.read
        return numbers, self.starts, self.times, self.targets, self.weights, *further

    def select(self, some):
        """Return some of the windows.

        Parameters
        ----------
        some : array-like
            Which ones.

        Returns
        -------
        Windows
        """
        parts = {name: part[some] for name, part in self._asdict().items() if name not in _TUPLES}
        further = {name: tuple(p[some] for p in getattr(self, name)) for name in _TUPLES}
        return self._replace(**parts | further)


def window_lengths(window, n_intervals, characteristic):
    """Return the lengths of the windows, in intervals, in the order of training.

    Parameters
    ----------
    window : int, "auto" or None
        The estimator's parameter.
    n_intervals : int
        Intervals of the longest trajectory.
    characteristic : float
        Typical number of intervals in which a state moves by its standard deviation.

    Returns
    -------
    list of int
    """
    if window is None:
        return [n_intervals]
    if window != "auto":
        return [min(window, n_intervals)]
    longest = min(n_intervals, _LONGEST)
    length = max(_MIN_FIRST, round(_FIRST * characteristic))
    lengths = []
    while length * 2 < longest and len(lengths) < 3:
        lengths.append(length)
        length *= _GROWTH
    return [*lengths, longest]


def cut_windows(trajectories, states, length, *, overlap=True, stride=None, driven=None, read=None):
    """Cut trajectories into windows.

    Parameters
    ----------
    trajectories : Trajectories
        The data.
    states : ndarray of shape (n_cases, n_timepoints, n_states)
        Smoothed states, for the starts.
    length : int
        Intervals of a window. A shorter case gives one shorter window.
    overlap : bool, default=True
        Whether windows follow each other at half their length; otherwise only the first of each
        trajectory is cut.
    stride : int or None, default=None
        Intervals from one window to the next; None is half their length.
    driven : Driven or None, default=None
        What drives the trajectories.
    read : ndarray of shape (n_cases, n_timepoints, n_read) or None, default=None
        What an encoder reads at each point.

    Returns
    -------
    Windows
    """
    places = [
        (case, first)
        for case, n_points in enumerate(trajectories.n_points)
        for first in (_firsts(n_points - 1, length, stride) if overlap else [0])
    ]
    case, first = np.array(places).T
    last = trajectories.n_points[case, None] - 1
    point = first[:, None] + np.arange(length + 1)
    inside, point = point <= last, np.minimum(point, last)
    targets = trajectories.values[case[:, None], point]
    seen = inside[:, :, None] & ~np.isnan(targets)
    useful = seen.any(axis=(1, 2))
    times = padded_times(trajectories.times[case[:, None], point], inside)
    return Windows(
        case=case[useful],
        first=first[useful],
        starts=states[case, first][useful],
        begins=trajectories.times[case, first][useful],
        times=times[useful],
        targets=np.where(seen, targets, 0.0)[useful],
        weights=(seen / seen[useful].mean())[useful],
        driven=() if driven is None else driven.over_windows(case[useful], point[useful]),
        read=() if read is None else (read[case, first][useful],),
    )


def _firsts(n_intervals, length, stride):
    """First points of windows at their strides; the last one ends with the trajectory."""
    if n_intervals <= length:
        return [0]
    stride = stride or max(1, length // 2)
    return [*range(0, n_intervals - length, stride), n_intervals - length]


def padded_times(times, inside):
    """Measure times from each row's first, and let padding creep on.

    Parameters
    ----------
    times : ndarray of shape (n, n_points)
        Monotonic times; after the end of a row, its last.
    inside : ndarray of shape (n, n_points)
        Whether a time belongs to the row.

    Returns
    -------
    ndarray of shape (n, n_points)
        Strictly monotonic times; those outside cost a solver next to nothing.
    """
    times = times - times[:, :1]
    furthest = times.flat[np.abs(times).argmax()]
    creep = 1e-3 * (furthest or 1.0) / times.shape[1]
    return times + np.cumsum(np.where(inside, 0.0, creep), axis=1)
