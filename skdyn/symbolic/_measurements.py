"""From what a user measured, in any layout, to complete rows: along time, or beside targets."""

from functools import cached_property
from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length

from skdyn._controls import controls_of_cases, controls_of_rows, names_of_controls
from skdyn._time_units import read_times
from skdyn._trajectories import check_trajectories, is_trajectories
from skdyn._validation import as_floats, check_weights, validate_data

__all__ = [
    "Measurements",
    "Segment",
    "check_inputs",
    "dependence",
    "read_measurements",
]

# A hole longer than so many usual steps is not bridged: estimates across it would be of something
# else. With half of the points lost at random, holes of 10 steps come once in 1000 points.
_GAP = 10.0
_N_STEPS = 20  # of each stretch of time, over which rates are taken


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
        return self.X if self.u is None else np.hstack([self.X, self.u])

    def take(self, rows):
        """Return some of the rows."""
        return Segment(self.t[rows], self.X[rows], None if self.u is None else self.u[rows])


class Measurements:
    """All that a fit, or a score, is given: made once, and handed on.

    Parameters
    ----------
    segments : list of Segment
        Stretches of trajectories; none beside targets.
    inputs : ndarray of shape (n_rows, n_inputs) or None, default=None
        States, then controls; None is those of the segments.
    targets : ndarray of shape (n_rows, n_targets) or None, default=None
        Targets; None where equations are sought along time.
    weight : ndarray of shape (n_rows,) or None, default=None
        Weights of the rows.
    target_names : list of str or None, default=None
        Names of targets that are not derivatives of the states.
    flat : bool, default=False
        Whether the targets came without a second axis.
    counted : bool, default=True
        Whether times are those that are counted where none are given.
    """

    def __init__(
        self, segments, inputs=None, targets=None, weight=None, *, target_names=None, flat=False,
        counted=True,
    ):  # fmt: skip
        self.segments, self.targets, self.weight = segments, targets, weight
        self.target_names, self.flat, self.counted = target_names, flat, counted
        if inputs is not None:
            self.inputs = inputs

    @cached_property
    def inputs(self):
        """States with the controls to their right, in one array."""
        return np.concatenate([segment.inputs for segment in self.segments])

    @property
    def rates(self):
        """Usual sizes of the left-hand sides, over steps that are long compared with noise."""
        if self.targets is not None:
            spread = self.targets.std(axis=0)
            return np.where(spread > 0.0, spread, 1.0)
        sums, n = 0.0, 0
        for t, X, _ in self.segments:
            lag = max(1, len(t) // _N_STEPS)
            rise = (X[lag:] - X[:-lag]) / (t[lag:] - t[:-lag])[:, None]
            sums, n = sums + (rise**2).sum(axis=0), n + len(rise)
        return np.sqrt(sums / n)

    def long(self, fewest, fewest_rows, who, advice):
        """Leave out stretches that are too short.

        Parameters
        ----------
        fewest : int
            Time points of a stretch.
        fewest_rows : int
            Time points of all that are left.
        who, advice : str
            What needs so many, and what else to do, for the message.

        Returns
        -------
        Measurements

        Raises
        ------
        ValueError
            If too little is left.
        """
        long = [segment for segment in self.segments if len(segment.t) >= fewest]
        total, n_rows = (sum(len(s.t) for s in some) for some in (self.segments, long))
        if n_rows < fewest_rows:
            raise ValueError(
                f"There are too few samples: n_samples = {total} complete rows, of which {n_rows} "
                f"in stretches of {fewest} or more without a gap, and {who} needs {fewest_rows} of "
                f"these at least. Pass more data, {advice}."
            )
        return Measurements(long, counted=self.counted)


def read_measurements(
    estimator, X, y=None, t=None, u=None, groups=None, sample_weight=None, *, reset
):
    """Read what came, whatever its layout.

    Parameters
    ----------
    estimator : estimator
        Whose ``n_features_in_``, ``control_names_`` and feature names are set (``reset=True``) or
        compared, and whose ``max_gap`` cuts trajectories.
    X : array-like
        One trajectory ``(n_timepoints, n_features)``, trajectories ``(n_cases, n_channels,
        n_timepoints)``, a list of ``(n_channels, n_timepoints_i)``, or with ``groups`` the rows of
        several trajectories below each other. Rows with NaN are left out.
    y : array-like or None, default=None
        Targets in the layout of ``X``, or of shape (n_samples,).
    t : array-like, float or None, default=None
        Times; a number is the step between them, None counts 0, 1, 2, ...
    u : array-like or None, default=None
        Controls in the layout of ``X``.
    groups : array-like of shape (n_timepoints,) or None, default=None
        Trajectory of each row of a 2-D ``X``; its rows are in order of time.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weights of the rows, only with ``y``.
    reset : bool
        Whether this is a fit.

    Returns
    -------
    Measurements

    Raises
    ------
    ValueError
        If layout, values or times cannot be used.
    """
    if groups is not None and is_trajectories(X):
        raise ValueError(
            "groups tells rows of several trajectories below each other apart, and X holds "
            f"{len(X)} cases, which are trajectories already. Leave groups out; it goes to "
            "TrajectorySplit where cases belong together."
        )
    if reset:
        estimator.control_names_, estimator.time_unit_ = names_of_controls(u, X), None
    if y is not None:
        return _beside_targets(estimator, X, y, u, sample_weight, reset)
    if sample_weight is not None:
        raise ValueError(
            "sample_weight needs y: derivatives that are estimated, and solutions, have no rows of "
            "their own to weigh. Leave sample_weight out, or pass derivatives as y."
        )
    t = read_times(estimator, t, reset=reset)
    segments = _segments(estimator, X, t, u, groups, estimator.max_gap, reset)
    check_inputs(segments[0].X, segments[0].u, estimator.control_names_)
    return Measurements(
        segments, counted=t is None or all((np.diff(s.t) == 1.0).all() for s in segments)
    )


def _segments(estimator, X, t, u, groups, max_gap, reset):
    step = _step_of(t)
    if step is not None:
        counted = _segments(estimator, X, None, u, groups, np.inf, reset)
        return _without_gaps([s._replace(t=step * s.t) for s in counted], max_gap)
    if groups is not None:
        cases, controls = _by_group(estimator, X, t, u, groups, reset)
    else:
        data = check_trajectories(estimator, X, t, reset=reset)
        cases = [
            (t[:n], X[:n]) for t, X, n in zip(data.times, data.values, data.n_points, strict=True)
        ]
        several, names = is_trajectories(X), estimator.control_names_
        lengths = [len(case[0]) for case in X] if several else []
        controls = controls_of_cases(u, lengths) if several else [controls_of_rows(u, X, names)]
    complete = [
        _complete(t, X, None if u is None else u[: len(t)])
        for (t, X), u in zip(cases, controls, strict=True)
    ]
    return _without_gaps(complete, max_gap)


def _step_of(t):
    """Return the step between times where it is all that was passed."""
    if not isinstance(t, Real):
        return None
    step = float(t)
    if not 0 < step < np.inf:
        raise ValueError(f"t must be a positive step, or times; got {t!r}.")
    return step


def _without_gaps(segments, max_gap):
    """Cut segments where neighbors are too far from each other in time."""
    if max_gap == "auto":
        intervals = np.concatenate([np.diff(segment.t) for segment in segments])
        if len(intervals) == 0 or intervals.max() <= _GAP * intervals.min():
            return segments
        max_gap = _GAP * np.median(intervals)
    return [piece for segment in segments for piece in _split(segment, max_gap)]


def _split(segment, max_gap):
    cuts = np.flatnonzero(np.diff(segment.t) > max_gap) + 1
    if not len(cuts):
        return [segment]
    return [segment.take(slice(*ends)) for ends in zip([0, *cuts], [*cuts, None], strict=True)]


def _by_group(estimator, X, t, u, groups, reset):
    X = validate_data(estimator, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
    groups = np.asarray(groups)
    u = controls_of_rows(u, X, estimator.control_names_)
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
    segment = Segment(t, X, u)
    known = ~np.isnan(segment.inputs).any(axis=1)
    return segment if known.all() else segment.take(known)


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
    u = controls_of_rows(u, X, control_names)
    n_controls = 0 if u is None else u.shape[1]
    if n_controls != len(control_names):
        raise ValueError(
            f"u must hold the {len(control_names)} controls seen during fit "
            f"({', '.join(control_names) or 'none'}); got {n_controls}."
        )
    return X if u is None else np.hstack([X, u])


def _beside_targets(estimator, X, y, u, sample_weight, reset):
    given = y
    if is_trajectories(X):
        lengths = [np.shape(case)[-1] for case in X]
        parts = zip((X, y, u), "Xyu", strict=True)
        X, y, u = (_below_each_other(part, name, lengths) for part, name in parts)
    X, y = validate_data(
        estimator, X, y, reset=reset, dtype=np.float64, multi_output=True, y_numeric=True,
        ensure_all_finite="allow-nan",
    )  # fmt: skip
    weight = check_weights(sample_weight, X)
    inputs = check_inputs(X, u, estimator.control_names_)
    targets = as_floats(y).reshape(len(y), -1)
    known = ~np.isnan(inputs).any(axis=1)
    if not known.any():
        raise ValueError("Every row of X or u contains NaN. Pass rows that are complete.")
    flat, names = y.ndim == 1, None
    if flat or targets.shape[1] != X.shape[1]:  # else they are derivatives of the states
        names = _names_of_targets(given, targets.shape[1])
    weight = None if weight is None else weight[known]
    return Measurements([], inputs[known], targets[known], weight, target_names=names, flat=flat)


def _below_each_other(cases, name, lengths):
    """Write cases, of which those of one channel may have one axis, below each other as rows."""
    if cases is None:
        return None
    rows = [np.atleast_2d(as_floats(case)).T for case in cases]
    if [len(case) for case in rows] != lengths:
        raise ValueError(
            f"{name} must have the layout of X: {len(lengths)} cases with time last; got "
            f"{len(rows)} of {sorted({len(case) for case in rows})} time points."
        )
    return np.concatenate(rows)


def _names_of_targets(y, n_targets):
    """Name targets: by the columns of a frame or the name of a series, else y, or y0, y1, ..."""
    if hasattr(y, "columns"):
        return [str(name) for name in y.columns]
    if n_targets == 1:
        return [str(getattr(y, "name", None) or "y")]
    return [f"y{i}" for i in range(n_targets)]


def dependence(inputs, names):
    """Tell of columns whose parts in the dynamics cannot be told apart.

    Parameters
    ----------
    inputs : ndarray of shape (n_rows, n_columns)
        States, then controls.
    names : sequence of str
        Names of the columns.

    Returns
    -------
    str or None
        How they add up to a constant, in a sentence; None where none do.

    Raises
    ------
    ValueError
        If a column is constant.
    """
    mean = inputs.mean(axis=0)
    centered = inputs - mean
    gram = centered.T @ centered
    spread = np.sqrt(gram.diagonal())
    still = np.flatnonzero(spread <= 1e-12 * np.sqrt(len(inputs)) * np.abs(mean))
    if len(still):
        raise ValueError(
            f"{names[still[0]]} is constant: what it does to the dynamics cannot be told from a "
            "constant, and it has none of its own. Leave it out."
        )
    # In the columns' own units, so that rescaled states are judged alike.
    values, vectors = np.linalg.eigh(gram / np.outer(spread, spread))
    if values[0] > 1e-14 * len(names):
        return None
    involved = np.flatnonzero(np.abs(vectors[:, 0]) > 1e-4)
    weights = vectors[involved, 0] / spread[involved]
    weights /= weights[np.abs(weights).argmax()]
    total = " + ".join(f"{w:.3g} {names[i]}" for w, i in zip(weights, involved, strict=True))
    return (
        f"The columns {', '.join(names[i] for i in involved)} are linearly dependent: "
        f"{total.replace('+ -', '- ')} is constant, so that equations are not unique. Leave one of "
        "them out."
    )
