"""Trajectories in every layout the estimators accept, checked and laid out alike."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skdyn._cases import ragged_values, split_time, times_of_cases
from skdyn._times import refuse_uneven_index
from skdyn._validation import check_sizes, from_torch, validate_data
from skdyn.exceptions import warn_user

__all__ = [
    "Cases",
    "Trajectories",
    "check_initial_states",
    "check_states",
    "check_trajectories",
    "check_validation_set",
    "split_trajectories",
    "doubt_axes",
    "hold_out",
    "is_list_of_cases",
    "is_trajectories",
]

Cases = ArrayLike | Sequence[ArrayLike]  # one array, or a list with one for each case

_MANY_CHANNELS = 5  # channels a time point from which on exchanged axes are suspected
_CASES = "(n_cases, n_channels, n_timepoints)"


class Trajectories(NamedTuple):
    """Trajectories padded to one length.

    Attributes
    ----------
    values : ndarray of shape (n_cases, n_timepoints, n_states)
        States, NaN where missing and after a case's end.
    times : ndarray of shape (n_cases, n_timepoints)
        Strictly increasing times; NaN after a case's end.
    n_points : ndarray of shape (n_cases,)
        Time points of each case.
    controls : ndarray of shape (n_cases, n_timepoints, n_controls) or None
        What drives the states, NaN where missing and after a case's end; None without any.
    covariates : ndarray of shape (n_cases, n_covariates) or None
        What stays the same in a case.
    """

    values: np.ndarray
    times: np.ndarray
    n_points: np.ndarray
    controls: np.ndarray | None = None
    covariates: np.ndarray | None = None

    @property
    def observed(self):
        """Whether a value was observed, shape (n_cases, n_timepoints, n_states)."""
        return ~np.isnan(self.values)

    @property
    def intervals(self):
        """All times between successive points, in one array."""
        gaps = np.diff(self.times, axis=1)
        return gaps[~np.isnan(gaps)]

    def select(self, cases):
        """Return some of the cases.

        Parameters
        ----------
        cases : array-like of int
            Which ones.

        Returns
        -------
        Trajectories
        """
        values, times, n_points, *driven = self
        inputs = (part if part is None else part[cases] for part in driven)
        return Trajectories(values[cases], times[cases], n_points[cases], *inputs)


def check_trajectories(
    estimator, X, t=None, *, time_channel=None, reset, name="X", may_be_wide=False
):
    """Validate trajectories in any accepted layout.

    Parameters
    ----------
    estimator : estimator
        Whose ``n_features_in_`` and feature names are set (``reset=True``) or compared.
    X : array-like
        ``(n_cases, n_channels, n_timepoints)``, a list of ``(n_channels, n_timepoints_i)``, or one
        trajectory ``(n_timepoints, n_features)``. NaN marks missing values.
    t : array-like or None, default=None
        Times: one row for all cases, one row per case, or a list for unequal lengths; None counts
        0, 1, 2, ... NaN at the end of a row pads it.
    time_channel : int or None, default=None
        Channel of ``X`` that holds the times.
    reset : bool
        Whether this is a fit.
    name : str, default="X"
        Name of ``X`` in messages; that of ``t`` is derived from it.
    may_be_wide : bool, default=False
        Whether few time points of many channels are usual; else they bring a warning.

    Returns
    -------
    Trajectories

    Raises
    ------
    ValueError
        If the layout, the values or the times cannot be used; the message names the case.
    """
    if time_channel is not None and t is not None:
        raise ValueError("Times came twice, in t and in time_channel; leave one of them out.")
    if time_channel is None and t is None:
        refuse_uneven_index(X, name, name.replace("X", "t"))
    values = _values(estimator, from_torch(X), reset, name)
    if time_channel is None:
        times = times_of_cases(from_torch(t), values, name.replace("X", "t"))
    else:
        values, times = split_time(values, time_channel, name)
    trajectories = _without_padding(values, times, name)
    for case, n_points in enumerate(trajectories.n_points):
        _check_case(trajectories, case, n_points, name)
    if reset and not may_be_wide:
        alone = "one alone is (n_timepoints, n_features)"
        doubt_axes(trajectories, name, f"Trajectories are {_CASES}, {alone}.")
    return trajectories


def is_trajectories(X):
    """Tell trajectories, three axes or a list of two, from initial states.

    Parameters
    ----------
    X : array-like
        What came.

    Returns
    -------
    bool
    """
    if is_list_of_cases(X):
        return True
    return (X if hasattr(X, "ndim") else np.asarray(from_torch(X))).ndim == 3


def check_initial_states(estimator, X, time_channel=None):
    """Validate rows that are states, one per case.

    Parameters
    ----------
    estimator : estimator
        Fitted; its features are compared.
    X : array-like of shape (n_cases, n_features)
        States.
    time_channel : int or None, default=None
        Column that holds each state's time.

    Returns
    -------
    states : ndarray of shape (n_cases, n_states)
        The states, float64.
    t0 : ndarray of shape (n_cases,) or None
        Their times, where ``time_channel`` gives them.
    """
    X = validate_data(estimator, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
    missing = np.flatnonzero(np.isnan(X).any(axis=1))
    if len(missing):
        raise ValueError(
            f"Row {missing[0]} of X contains NaN, but a state to start from must be complete. Fill "
            "it, or pass trajectories of 3 axes: they start at their first complete state."
        )
    if time_channel is None:
        return X, None
    return np.delete(X, time_channel, axis=1), X[:, time_channel]


def check_states(states, n_states, name):
    """Refuse states of another size or with values missing.

    Parameters
    ----------
    states : ndarray of shape (n_points, n_states)
        States, without a channel of times.
    n_states : int
        Their size in the model.
    name : str
        Name in messages.

    Returns
    -------
    ndarray of shape (n_points, n_states)
        The same states.
    """
    if states.ndim != 2 or states.shape[1] != n_states:
        raise ValueError(
            f"{name} must hold states of {n_states} channels on its last axis; got shape "
            f"{states.shape}."
        )
    if not np.isfinite(states).all():
        raise ValueError(f"{name} contains NaN or infinity; a state must be complete.")
    return states


def _values(estimator, X, reset, name):
    """Return float64 values (n_cases, n_channels, n_timepoints) or a list of such cases."""
    if is_list_of_cases(X):
        return ragged_values(estimator, X, reset, name)
    values = validate_data(
        estimator, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan", allow_nd=True
    )
    if values.ndim == 2:
        return np.ascontiguousarray(values.T[None])
    if values.ndim != 3:
        raise ValueError(
            f"{name} must have 2 or 3 axes: one trajectory (n_timepoints, n_features) or several "
            f"(n_cases, n_channels, n_timepoints); got {values.ndim} axes, shape {values.shape}."
        )
    return values


def doubt_axes(trajectories, name, layouts):
    """Warn where exchanged axes are likelier than so many channels at so few times.

    Parameters
    ----------
    trajectories : Trajectories
        How the data were read.
    name, layouts : str
        Their name, and what the axes are to be.
    """
    n_points, n_states = int(trajectories.n_points.max()), trajectories.values.shape[2]
    if n_states >= _MANY_CHANNELS * n_points:
        warn_user(
            f"{name} was read as {n_states} channels at {n_points} time points. Are its axes "
            f"exchanged? {layouts}"
        )


def is_list_of_cases(X):
    """Tell a list of trajectories from one array.

    Parameters
    ----------
    X : array-like
        What came.

    Returns
    -------
    bool
    """
    return isinstance(X, list | tuple) and len(X) > 0 and all(np.ndim(case) == 2 for case in X)


def _without_padding(values, times, name):
    """Stack the cases; a tail of NaN times marks the end of a case."""
    n_points = np.array([_n_points(row, case) for case, row in enumerate(times)])
    width, n_states = n_points.max(), len(values[0])
    stacked = np.full((len(values), width, n_states), np.nan)
    clock = np.full((len(values), width), np.nan)
    for case, length in enumerate(n_points):
        if not np.isnan(values[case][:, length:]).all():
            raise ValueError(
                f"Case {case} of {name} has values after its last time; every value needs a time."
            )
        stacked[case, :length] = values[case][:, :length].T
        clock[case, :length] = times[case][:length]
    return Trajectories(stacked, clock, n_points)


def _n_points(times, case):
    known = ~np.isnan(times)
    n_points = int(known.sum())
    if not known[:n_points].all():
        raise ValueError(
            f"The times of case {case} are NaN at index {int(np.argmin(known))}, before its last "
            "time. Every time must be known; NaN may only pad the end."
        )
    return n_points


def _check_case(trajectories, case, n_points, name):
    if n_points < 2:
        raise ValueError(
            f"Case {case} of {name} has n_samples = {n_points} time points, but dynamics need at "
            "least 2. A 2-D array is one trajectory, its rows the time points; initial states are "
            "passed to predict."
        )
    times = trajectories.times[case, :n_points]
    if np.isinf(times).any():
        raise ValueError(f"The times of case {case} contain infinity.")
    check_sizes(times - times[0], f"the times t of case {case}, from the first on,")
    wrong = np.flatnonzero(np.diff(times) <= 0)
    if len(wrong):
        k = wrong[0]
        raise ValueError(
            f"Times must strictly increase, but in case {case} t[{k}]={times[k]:g} is followed by "
            f"t[{k + 1}]={times[k + 1]:g}. Sort the time points and merge duplicates."
        )
    empty = np.flatnonzero(~trajectories.observed[case].any(axis=0))
    if len(empty):
        raise ValueError(
            f"Channel {empty[0]} of case {case} of {name} is missing (NaN) at every time: neither "
            "an initial state nor a velocity can be known. Leave the case or the channel out."
        )


def check_validation_set(X_val, t_val, early_stopping):
    """Refuse times without trajectories, and trajectories that nothing would look at.

    Parameters
    ----------
    X_val, t_val : array-like or None
        What the user passed to ``fit``.
    early_stopping : bool
        The estimator's parameter.
    """
    if X_val is None and t_val is not None:
        raise ValueError("t_val was passed to fit without X_val; pass both or neither.")
    if X_val is not None and not early_stopping:
        raise ValueError(
            "X_val was passed to fit but early_stopping=False, so it would be ignored. Set "
            "early_stopping=True to stop on it, or leave it out."
        )


def split_trajectories(estimator, trajectories, X_val, t_val):
    """Return what is learned from and what is watched for early stopping.

    Parameters
    ----------
    estimator : estimator
        Whose parameters count.
    trajectories : Trajectories
        The data.
    X_val, t_val : array-like or None
        What the user passed to ``fit``.

    Returns
    -------
    training : Trajectories
        The data, or those that are left.
    validation : Trajectories or None
        None where nothing is watched.
    """
    check_validation_set(X_val, t_val, estimator.early_stopping)
    if X_val is not None:
        options = {"time_channel": estimator.time_channel, "reset": False, "name": "X_val"}
        return trajectories, check_trajectories(estimator, X_val, t_val, **options)
    if not estimator.early_stopping:
        return trajectories, None
    random_state = check_random_state(estimator.random_state)
    return hold_out(trajectories, estimator.validation_fraction, random_state)


def hold_out(trajectories, fraction, random_state):
    """Set a part aside for validation: some cases, or the end of the only one.

    Parameters
    ----------
    trajectories : Trajectories
        The data.
    fraction : float
        Share to set aside, between 0 and 1.
    random_state : RandomState
        Source of the choice of cases.

    Returns
    -------
    training : Trajectories
        What is to be learned from.
    validation : Trajectories or None
        What is to be watched; None, with a warning, where a part would be too small.
    """
    n_cases = len(trajectories.values)
    if n_cases == 1:
        return _hold_out_the_end(trajectories, fraction)
    order = random_state.permutation(n_cases)
    n_held_out = min(n_cases - 1, max(1, round(fraction * n_cases)))
    training, validation = np.sort(order[n_held_out:]), np.sort(order[:n_held_out])
    return trajectories.select(training), trajectories.select(validation)


def _hold_out_the_end(trajectories, fraction):
    n_points = int(trajectories.n_points[0])
    n_held_out = max(2, round(fraction * n_points))
    cut = n_points - n_held_out
    parts = [
        trajectories._replace(
            values=trajectories.values[:, part],
            times=trajectories.times[:, part],
            n_points=np.array([size]),
            controls=None if trajectories.controls is None else trajectories.controls[:, part],
        )
        for part, size in ((slice(0, cut), cut), (slice(cut, n_points), n_held_out))
    ]
    if cut < 2 or not all(part.observed.any(axis=1).all() for part in parts):
        warn_user(
            f"early_stopping=True would hold out the last {n_held_out} of {n_points} time points "
            "of the only case (validation_fraction), but one part would lack time points or a "
            "channel: nothing is held out, and training does not stop early. Pass X_val, or set "
            "early_stopping=False.",
            UserWarning,
        )
        return trajectories, None
    return parts
