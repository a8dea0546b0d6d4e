"""One meaning of a score for all models of dynamics: of solutions, or of what moves the states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import cumulative_simpson, cumulative_trapezoid
from sklearn.metrics import r2_score

from skdyn._scales import units

__all__ = [
    "WORST",
    "check_of",
    "derivative_score",
    "refuse_unread",
    "solution_score",
]

WORST = -10.0  # score of solutions that blow up, and the lowest of all
_ROUNDING = 1e-14  # share of a value
_WINDOW = 4  # intervals: the noise of a rise over them counts a quarter of that of a difference
_FEWEST = 3  # points of Simpson's rule
_UNWATCHED = (
    ": its fit watches no trajectories. Leave them out, and pass them to score of the fitted model "
    "as X and t."
)
_UNREAD = {
    "groups": (". Pass a list of arrays (n_channels, n_timepoints_i), one per trajectory."),
    "X_val": _UNWATCHED,
    "t_val": _UNWATCHED,
}


def check_of(of: str) -> None:
    """Refuse what a score can not be of.

    Parameters
    ----------
    of : str
        What came.

    Raises
    ------
    ValueError
        If it is neither "solution" nor "derivative".
    """
    if of not in ("solution", "derivative"):
        raise ValueError(f"of must be 'solution' or 'derivative'; got {of!r}.")


def solution_score(
    measured: ArrayLike, solved: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    """Score solutions of all trajectories together.

    Parameters
    ----------
    measured : array-like of shape (n_values, n_states)
        States of all trajectories, one after another.
    solved : array-like of shape (n_values, n_states)
        Solutions at the same times.
    sample_weight : array-like of shape (n_values,), default=None
        Weight of each row.

    Returns
    -------
    float
        R2, mean over the states, so that their units do not matter; at least -10.
    """
    measured = np.asarray(measured)
    unit = units(measured)
    with np.errstate(over="ignore", invalid="ignore"):
        # Far beyond the worst score anyway: squares of more would overflow.
        measured, solved = measured / unit, np.clip(np.asarray(solved) / unit, -1e100, 1e100)
        # Of a constant, r2_score counts a rounding as an error: of the solution, 0 in the place of
        # 1; of the mean, any number.
        rounded = np.abs(solved - measured) <= _ROUNDING * np.abs(measured)
        solved = np.where(rounded, measured, solved)
        at = measured[:1]
        score = r2_score(measured - at, solved - at, sample_weight=sample_weight)
    return float(max(WORST, score))


def derivative_score(
    stretches: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
    sample_weight: Sequence[float] | None = None,
) -> float:
    """Score velocities along measured states by how far the states have moved.

    The rise of each state over a window is compared with the integral of the model's velocities
    along the measurements. That takes no derivative of noisy data, and asks every model the same
    question, whatever method it was fitted by.

    Parameters
    ----------
    stretches : sequence of (t, X, velocities)
        Times ``(n_timepoints,)``, complete states ``(n_timepoints, n_states)`` and the model's
        velocities there. Those of one time point are left out.
    sample_weight : sequence of float, default=None
        Weight of each stretch.

    Returns
    -------
    float
        R2 of the mean velocities over windows of four intervals, mean over the states.

    Raises
    ------
    ValueError
        If there are not two windows, or velocities are not finite.
    """
    weights = np.ones(len(stretches)) if sample_weight is None else sample_weight
    rises, moved, weight = [], [], []
    for (t, X, velocities), own in zip(stretches, weights, strict=True):
        if len(t) < 2:
            continue
        by = min(_WINDOW, len(t) - 1)
        time = (t[by:] - t[:-by])[:, None]
        rule = cumulative_simpson if len(t) >= _FEWEST else cumulative_trapezoid
        integral = np.pad(rule(velocities, x=t, axis=0), ((1, 0), (0, 0)))
        rises.append((X[by:] - X[:-by]) / time)
        moved.append((integral[by:] - integral[:-by]) / time)
        weight.append(np.full(len(time), own))
    if sum(map(len, rises)) < 2:
        raise ValueError(
            "A score of derivatives needs two windows of complete, consecutive rows; X has "
            f"{sum(map(len, rises))}. Pass longer trajectories, or of='solution'."
        )
    rises, moved = np.concatenate(rises), np.concatenate(moved)
    unit = units(rises)
    return float(r2_score(rises / unit, moved / unit, sample_weight=np.concatenate(weight)))


def refuse_unread(
    estimator: object,
    groups: object = None,
    X_val: object = None,
    t_val: object = None,
) -> None:
    """Refuse data that an estimator does not read, by name.

    Parameters
    ----------
    estimator : estimator
        The model.
    groups, X_val, t_val : object, default=None
        What came.

    Raises
    ------
    ValueError
        If something came.
    """
    given = {"groups": groups, "X_val": X_val, "t_val": t_val}
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"{type(estimator).__name__} does not read {name}{_UNREAD[name]}")
