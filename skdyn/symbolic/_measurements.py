"""From what a user measured, in any layout, to stretches of complete rows in time."""

from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length

from skdyn._trajectories import check_trajectories, is_trajectories
from skdyn._validation import as_floats, check_array, check_weights, validate_data

__all__ = [
    "Rows",
    "Segment",
    "check_controls",
    "check_enough_rows",
    "check_inputs",
    "check_rows_vary",
    "control_names_of",
    "long_enough",
    "read_rows",
    "read_segments",
    "rows_of_cases",
    "target_names_of",
    "with_controls",
]

# A hole longer than so many usual steps is not bridged: estimates across it would be of something
# else. With half of the points lost at random, holes of 10 steps come once in 1000 points.
_GAP = 10.0


class Segment(NamedTuple):
    """A stretch of one trajectory without missing values or long gaps.

    Attributes
    ----------
    t : ndarray of shape (n_timepoints,)
        Times, strictly increasing.
    X : ndarray of shape (n_timepoints, n_features)
        States.
    u : ndarray of shape (n_timepoints, n_controls) or None
        Controls.
    """

    t: np.ndarray
    X: np.ndarray
    u: np.ndarray | None

    @property
    def inputs(self):
        """States with the controls to their right, (n_timepoints, n_features + n_controls)."""
        return with_controls(self.X, self.u)


class Rows(NamedTuple):
    """Rows of a regression without times.

    Attributes
    ----------
    inputs : ndarray of shape (n_rows, n_inputs)
        States, then controls.
    targets : ndarray of shape (n_rows, n_targets)
        Targets.
    weight : ndarray of shape (n_rows,) or None
        Weights.
    flat : bool
        Whether the targets came without a second axis.
    """

    inputs: np.ndarray
    targets: np.ndarray
    weight: np.ndarray | None = None
    flat: bool = False


def read_segments(estimator, X, t=None, u=None, groups=None, *, max_gap="auto", reset):
    """Return the stretches of trajectories that can be used.

    Parameters
    ----------
    estimator : estimator
        Whose ``n_features_in_`` and feature names are set (``reset=True``) or compared.
    X : array-like
        One trajectory ``(n_timepoints, n_features)``, trajectories ``(n_cases, n_channels,
        n_timepoints)``, a list of ``(n_channels, n_timepoints_i)``, or with ``groups`` the rows of
        several trajectories below each other.
    t : array-like, float or None, default=None
        Times; a number is the step between them, None counts 0, 1, 2, ...
    u : array-like or None, default=None
        Controls in the layout of ``X``.
    groups : array-like of shape (n_timepoints,) or None, default=None
        Trajectory of each row of a 2-D ``X``; its rows are in order of time.
    max_gap : float or "auto", default="auto"
        Longest time between neighbours.
    reset : bool
        Whether this is a fit.

    Returns
    -------
    list of Segment

    Raises
    ------
    ValueError
        If layout, values or times cannot be used.
    """
    step = _step_of(t)
    if step is not None:
        counted = read_segments(estimator, X, None, u, groups, max_gap=np.inf, reset=reset)
        segments = [segment._replace(t=step * segment.t) for segment in counted]
        return _without_gaps(segments, max_gap)
    if is_trajectories(X):
        data = check_trajectories(estimator, X, t, reset=reset)
        cases = [
            (times[:n], values[:n])
            for times, values, n in zip(data.times, data.values, data.n_points, strict=True)
        ]
        controls = _case_controls(u, [len(X_case[0]) for X_case in X])
    elif groups is None:
        data = check_trajectories(estimator, X, t, reset=reset)
        cases, controls = [(data.times[0], data.values[0])], [check_controls(u, X)]
    else:
        cases, controls = _by_group(estimator, X, t, u, groups, reset)
    complete = [
        _complete(times, values, None if control is None else control[: len(times)])
        for (times, values), control in zip(cases, controls, strict=True)
    ]
    return _without_gaps(complete, max_gap)


def _step_of(t):
    """Return the step between times where it is all that was passed."""
    if not isinstance(t, Real):
        return None
    if not 0 < t < np.inf:
        raise ValueError(f"t must be a positive step, or times; got {t!r}.")
    return float(t)


def _without_gaps(segments, max_gap):
    """Cut segments where neighbors are too far from each other in time."""
    if max_gap == "auto":
        intervals = np.concatenate([np.diff(segment.t) for segment in segments])
        if len(intervals) == 0 or intervals.max() <= _GAP * intervals.min():
            return segments
        max_gap = _GAP * np.median(intervals)
    return [piece for segment in segments for piece in _split(segment, max_gap)]


def long_enough(segments, differentiator):
    """Leave out stretches too short to differentiate.

    Parameters
    ----------
    segments : list of Segment
        The data.
    differentiator : Differentiator
        What is to be done with them.

    Returns
    -------
    list of Segment

    Raises
    ------
    ValueError
        If none is left.
    """
    fewest = differentiator._fewest()
    long = [segment for segment in segments if len(segment.t) >= fewest]
    if not long:
        longest = max((len(segment.t) for segment in segments), default=0)
        raise ValueError(
            f"{differentiator} needs at least {fewest} complete time points in a row, but the "
            f"longest stretch without a gap has n_samples = {longest}. Pass more data, raise "
            "max_gap, or choose another differentiation_method."
        )
    return long


def _by_group(estimator, X, t, u, groups, reset):
    X = validate_data(estimator, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
    groups, u = np.asarray(groups), check_controls(u, X)
    t = None if t is None else as_floats(t)
    check_consistent_length(X, t, groups)
    cases, controls = [], []
    for group in np.unique(groups).tolist():
        rows = np.flatnonzero(groups == group)
        try:
            # Names are known already: whose they are does not matter here.
            times = None if t is None else t[rows]
            data = check_trajectories(BaseEstimator(), X[rows], times, reset=True)
        except ValueError as error:
            raise ValueError(f"In group {group!r}: {error}") from error
        cases.append((data.times[0], data.values[0]))
        controls.append(None if u is None else u[rows])
    return cases, controls


def _complete(t, X, u):
    known = ~np.isnan(X).any(axis=1)
    if u is not None:
        known &= ~np.isnan(u).any(axis=1)
    if known.all():
        return Segment(t, X, u)
    return Segment(t[known], X[known], None if u is None else u[known])


def _split(segment, max_gap):
    cuts = np.flatnonzero(np.diff(segment.t) > max_gap) + 1
    if not len(cuts):
        return [segment]
    parts = [slice(*ends) for ends in zip([0, *cuts], [*cuts, None], strict=True)]
    return [Segment(*(None if a is None else a[part] for a in segment)) for part in parts]


def check_controls(u, X):
    """Validate controls, one row a time point.

    Parameters
    ----------
    u : array-like of shape (n_timepoints, n_controls) or (n_timepoints,), or None
        Controls, NaN where missing.
    X : array-like of shape (n_timepoints, ...)
        What they go with.

    Returns
    -------
    ndarray of shape (n_timepoints, n_controls) or None

    Raises
    ------
    ValueError
        If there are more or fewer rows than in ``X``, or infinite values.
    """
    if u is None:
        return None
    u = check_array(
        u, dtype=np.float64, ensure_2d=False, ensure_all_finite="allow-nan", input_name="u"
    )
    u = u[:, None] if u.ndim == 1 else u
    if len(u) != len(X):
        raise ValueError(
            f"u must have a row for each of the {len(X)} rows of X; it has {len(u)}. Controls are "
            "passed in the layout of X."
        )
    return u


def _case_controls(u, lengths):
    """Return controls of each case, its times first."""
    if u is None:
        return [None] * len(lengths)
    cases = [np.atleast_2d(as_floats(case)).T for case in u]
    found = [len(case) for case in cases]
    if found != lengths or len({case.shape[1] for case in cases}) > 1:
        raise ValueError(
            "u must hold controls in the layout of X: (n_controls, n_timepoints) in each of the "
            f"{len(lengths)} cases; got {len(cases)} cases of shapes "
            f"{sorted({case.T.shape for case in cases})}."
        )
    for number, case in enumerate(cases):
        if np.isinf(case).any():
            raise ValueError(f"u contains infinity in case {number}.")
    return cases


def check_inputs(X, u, control_names):
    """Validate controls and put them to the right of states.

    Parameters
    ----------
    X : ndarray of shape (n_timepoints, n_features)
        States.
    u : array-like of shape (n_timepoints, n_controls) or (n_timepoints,), or None
        Controls.
    control_names : list of str
        Names of the controls that there must be.

    Returns
    -------
    ndarray of shape (n_timepoints, n_features + n_controls)

    Raises
    ------
    ValueError
        If there are other controls.
    """
    u = check_controls(u, X)
    n_controls = 0 if u is None else u.shape[1]
    if n_controls != len(control_names):
        raise ValueError(
            f"u must hold the {len(control_names)} controls seen during fit "
            f"({', '.join(control_names) or 'none'}); got {n_controls}."
        )
    return with_controls(X, u)


def with_controls(X, u):
    """Put controls to the right of states.

    Parameters
    ----------
    X : ndarray of shape (n_timepoints, n_features)
        States.
    u : ndarray of shape (n_timepoints, n_controls) or None
        Controls.

    Returns
    -------
    ndarray of shape (n_timepoints, n_features + n_controls)
    """
    return X if u is None else np.hstack([X, u])


def control_names_of(u, X):
    """Name the controls: by the columns of a frame, else u0, u1, ...

    Parameters
    ----------
    u : array-like or None
        Controls, as they came.
    X : array-like
        States, as they came: their layout tells rows of controls from cases of one control.

    Returns
    -------
    list of str
    """
    if u is None:
        return []
    if hasattr(u, "columns"):
        return [str(name) for name in u.columns]
    if is_trajectories(X):
        return [f"u{i}" for i in range(len(np.atleast_2d(u[0])))]
    return [f"u{i}" for i in range(np.shape(u)[1] if np.ndim(u) == 2 else 1)]


def read_rows(estimator, X, y, u, sample_weight, control_names, *, reset):
    """Return the rows of a regression on given targets.

    Parameters
    ----------
    estimator : estimator
        Whose ``n_features_in_`` and feature names are set (``reset=True``) or compared.
    X : array-like
        States in any layout; rows with NaN are left out.
    y : array-like
        Targets in the layout of ``X``, or of shape (n_samples,).
    u : array-like or None
        Controls in the layout of ``X``.
    sample_weight : array-like of shape (n_samples,) or None
        Weights.
    control_names : list of str
        Names of the controls.
    reset : bool
        Whether this is a fit.

    Returns
    -------
    Rows

    Raises
    ------
    ValueError
        If layouts or values cannot be used.
    """
    if is_trajectories(X):
        lengths = [np.shape(case)[-1] for case in X]
        parts = zip((X, y, u), "Xyu", strict=True)
        X, y, u = (rows_of_cases(part, name, lengths) for part, name in parts)
    X, y = validate_data(
        estimator, X, y, reset=reset, dtype=np.float64, multi_output=True, y_numeric=True,
        ensure_all_finite="allow-nan",
    )  # fmt: skip
    weight = check_weights(sample_weight, X)
    inputs = check_inputs(X, u, control_names)
    targets = as_floats(y).reshape(len(y), -1)
    known = ~np.isnan(inputs).any(axis=1)
    if not known.any():
        raise ValueError("Every row of X or u contains NaN. Pass rows that are complete.")
    weight = None if weight is None else weight[known]
    return Rows(inputs[known], targets[known], weight, flat=y.ndim == 1)


def rows_of_cases(cases, name, lengths):
    """Write cases below each other as rows.

    Parameters
    ----------
    cases : array-like of shape (n_cases, n_channels, n_timepoints), a list of such cases, or None
        Data; cases of one channel may have one axis.
    name : str
        Of the data, for messages.
    lengths : list of int
        Time points of each case.

    Returns
    -------
    ndarray of shape (n_rows, n_channels) or None

    Raises
    ------
    ValueError
        If there are not as many time points.
    """
    if cases is None:
        return None
    rows = [np.atleast_2d(as_floats(case)).T for case in cases]
    if [len(case) for case in rows] != lengths:
        raise ValueError(
            f"{name} must have the layout of X: {len(lengths)} cases with time last; got "
            f"{len(rows)} of {sorted({len(case) for case in rows})} time points."
        )
    return np.concatenate(rows)


def target_names_of(y, n_targets):
    """Name targets: by the columns of a frame or the name of a series, else y, or y0, y1, ...

    Parameters
    ----------
    y : array-like
        Targets, as they came.
    n_targets : int
        Their number.

    Returns
    -------
    list of str
    """
    if hasattr(y, "columns"):
        return [str(name) for name in y.columns]
    if n_targets == 1:
        return [str(getattr(y, "name", None) or "y")]
    return [f"y{i}" for i in range(n_targets)]


def check_rows_vary(rows, names):
    """Refuse columns whose part in the dynamics cannot be known.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        States, then controls.
    names : sequence of str
        Names of the columns.

    Raises
    ------
    ValueError
        If a column is constant, or a sum of multiples of others and a constant.
    """
    mean = rows.mean(axis=0)
    centred = rows - mean
    gram = centred.T @ centred
    spread = np.sqrt(gram.diagonal())
    still = np.flatnonzero(spread <= 1e-12 * np.sqrt(len(rows)) * np.abs(mean))
    if len(still):
        raise ValueError(
            f"{names[still[0]]} is constant: what it does to the dynamics cannot be told from a "
            "constant, and it has none of its own. Leave it out."
        )
    # In the columns' own units, so that rescaled states are judged alike.
    values, vectors = np.linalg.eigh(gram / np.outer(spread, spread))
    if values[0] <= 1e-14 * len(names):
        involved = np.flatnonzero(np.abs(vectors[:, 0]) > 1e-4)
        weights = vectors[involved, 0] / spread[involved]
        weights /= weights[np.abs(weights).argmax()]
        total = " + ".join(f"{w:.3g} {names[i]}" for w, i in zip(weights, involved, strict=True))
        raise ValueError(
            f"The columns {', '.join(names[i] for i in involved)} are linearly dependent: "
            f"{total.replace('+ -', '- ')} is constant, so that equations are not unique. Leave "
            "one of them out."
        )


def check_enough_rows(A, n_terms):
    """Refuse a regression with fewer rows than unknowns.

    Parameters
    ----------
    A : ndarray of shape (n_rows, ...)
        The regression.
    n_terms : int
        Number of unknowns of each equation.

    Raises
    ------
    ValueError
        If there are fewer rows.
    """
    if len(A) < n_terms:
        raise ValueError(
            f"There are fewer samples, {len(A)} rows of the regression, than the {n_terms} terms "
            "of the library. Use a smaller library, a denser record or more of it."
        )
