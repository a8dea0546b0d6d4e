"""Cases in lists and arrays, channels first, and the times that belong to them."""

import numpy as np

from skdyn._validation import as_floats, check_sizes, validate_data

__all__ = ["ragged_values", "split_time", "times_of_cases"]


def ragged_values(estimator, X, reset, name):
    """Return the cases of a list as float64, in one array where they are equally long.

    Parameters
    ----------
    estimator : estimator
        Whose ``n_features_in_`` is set or compared: the number of channels.
    X : list of array-like of shape (n_channels, n_timepoints_i)
        Cases.
    reset : bool
        Whether this is a fit.
    name : str
        Name in messages.

    Returns
    -------
    list of ndarray of shape (n_channels, n_timepoints_i), or ndarray of 3 axes
    """
    cases = [as_floats(case) for case in X]
    n_channels = len(cases[0])
    for number, case in enumerate(cases):
        if len(case) != n_channels:
            raise ValueError(
                f"Every case of {name} must have the shape (n_channels, n_timepoints_i) with the "
                f"same n_channels on its first axis; case 0 has {n_channels}, case {number} has "
                f"{len(case)}. Transpose the cases if time is their first axis."
            )
        if np.isinf(case).any():
            channel, index = np.argwhere(np.isinf(case))[0]
            raise ValueError(
                f"Input {name} contains infinity in case {number}, channel {channel}, index "
                f"{index}."
            )
        check_sizes(case.T, f"case {number} of {name}", (None, 250))
    validate_data(estimator, np.zeros((1, n_channels)), reset=reset)
    width = max(case.shape[1] for case in cases)
    if all(case.shape[1] == width for case in cases):
        return np.stack(cases)
    return cases


def times_of_cases(t, values, name):
    """Return one row of times for each case.

    Parameters
    ----------
    t : array-like or None
        One row for all cases, one row per case, or a list; None counts 0, 1, 2, ...
    values : ndarray or list of ndarray of shape (n_channels, n_timepoints_i)
        The cases.
    name : str
        Name of the times in messages.

    Returns
    -------
    list of ndarray of shape (n_timepoints_i,)
    """
    lengths = [case.shape[1] for case in values]
    if t is None:
        return [np.arange(length, dtype=np.float64) for length in lengths]
    if isinstance(t, list | tuple) and len(t) and all(np.ndim(row) == 1 for row in t):
        rows = [as_floats(row) for row in t]
    else:
        t = as_floats(t)
        if t.ndim not in (1, 2):
            raise ValueError(
                f"{name} must be 1-D (shared by all cases) or have one row per case; got shape "
                f"{t.shape}."
            )
        rows = [t] * len(lengths) if t.ndim == 1 else list(t)
    if len(rows) != len(lengths):
        raise ValueError(
            f"{name} must have one row for each of the {len(lengths)} cases; got {len(rows)} rows."
        )
    for case, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        if len(row) != length:
            raise ValueError(
                f"{name} has {len(row)} times for case {case}, whose series has {length} time "
                "points (the last axis of a 3-D X, the first axis of a 2-D X)."
            )
    return rows


def split_time(values, channel, name):
    """Take the times out of the channels.

    Parameters
    ----------
    values : ndarray or list of ndarray of shape (n_channels, n_timepoints_i)
        The cases.
    channel : int
        Which one holds the times.
    name : str
        Name in messages.

    Returns
    -------
    values : list of ndarray of shape (n_channels - 1, n_timepoints_i)
        The other channels.
    times : list of ndarray of shape (n_timepoints_i,)
        The times.
    """
    n_channels = len(values[0])
    if not -n_channels <= channel < n_channels or n_channels == 1:
        raise ValueError(
            f"time_channel={channel} does not leave a channel beside it: {name} has {n_channels} "
            f"channel{'s' * (n_channels > 1)}, numbered from 0."
        )
    return [np.delete(case, channel, axis=0) for case in values], [case[channel] for case in values]
