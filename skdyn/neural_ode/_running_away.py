"""A look at longer solutions than the training saw."""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skdyn.exceptions import SolverError, warn_user
from skdyn.neural_ode._dynamics import WindowObjective

__all__ = ["FARTHEST", "LONGER", "warn_if_solutions_run_away"]

# A forecast of chaos that has lost the track is off by two variances, and no fault of the fit.
FARTHEST = 4.0  # variances
LONGER, _N_CASES = 10, 32  # windows and cases that are looked at: bounds the cost


def warn_if_solutions_run_away(follow, trajectories, stages):
    """Follow trajectories beyond the windows of the training; warn where solutions leave the data.

    Parameters
    ----------
    follow : callable
        ``follow(trajectories)`` returns the solutions through them.
    trajectories : Trajectories
        The data.
    stages : list of Stage
        The training's.
    """
    seen = _longest_window(stages)
    n_points = LONGER * seen + 1
    if trajectories.n_points.max() <= seen + 1:
        return
    values, times = trajectories.values[:, :n_points], trajectories.times[:, :n_points]
    whole = (~np.isnan(values)).all(axis=2).any(axis=1)  # a state to be followed from
    cases = np.flatnonzero(whole & (trajectories.n_points > 1))[:_N_CASES]
    if not len(cases):
        return
    ends = np.minimum(trajectories.n_points[cases], n_points)
    some = trajectories._replace(values=values[cases], times=times[cases], n_points=ends)
    try:
        error = np.nanmean((follow(some) - some.values) ** 2, axis=(0, 1))
    except SolverError:
        how = "they diverge or cannot be solved"
    else:
        variance = np.nanvar(trajectories.values, axis=(0, 1))
        variances = (error[variance > 0] / variance[variance > 0]).mean() if variance.any() else 0.0
        if variances <= FARTHEST:
            return
        how = f"their mean squared error is {variances:.3g} times the variance"
    warn_user(
        f"NeuralODE was trained over {seen} time intervals at most, and solutions that are "
        f"followed through the training data for longer leave them: {how}. Give a longer window, "
        "or None for whole trajectories; raise max_iter; or predict no further than that.",
        ConvergenceWarning,
    )


def _longest_window(stages):
    """Return intervals; one where only velocities were fitted."""
    objectives = [stage.objective for stage in stages]
    windows = [each.windows for each in objectives if isinstance(each, WindowObjective)]
    return max([1, *(each.times.shape[1] - 1 for each in windows)])
