"""Scores of equations on trajectories."""

import numpy as np

from skdyn._dynamics import WORST, derivative_score, solution_score
from skdyn.exceptions import SolverError
from skdyn.symbolic.discovery._findings import start_of

__all__ = ["score_trajectories", "times_are_counted"]


def score_trajectories(model, segments, of):
    """Score solutions from the smoothed first states, or velocities along the data.

    Parameters
    ----------
    model : estimator
        Fitted, with ``simulate`` and ``_derivatives``.
    segments : list of Segment
        Stretches of complete rows.
    of : {"solution", "derivative"}
        What is scored.

    Returns
    -------
    float
        R2, mean over the states.
    """
    if of == "derivative":
        return derivative_score([(s.t, s.X, model._derivatives(s.X, s.u)) for s in segments])
    try:
        solutions = [model.simulate(start_of(s), s.t, s.u) for s in segments]
    except SolverError:
        return WORST
    return solution_score(np.concatenate([s.X for s in segments]), np.concatenate(solutions))


def times_are_counted(t, segments):
    """Tell whether times are those that are counted where none are given.

    Parameters
    ----------
    t : array-like or None
        What came to ``fit``.
    segments : list of Segment
        What was read.

    Returns
    -------
    bool
    """
    return t is None or all((np.diff(s.t) == 1.0).all() for s in segments)
