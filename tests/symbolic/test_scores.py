"""Scores of equations on trajectories."""

import numpy as np

from skdyn._dynamics import solution_score
from skdyn.symbolic import SINDyRegressor
from skdyn.symbolic._scores import times_are_counted

TIMES = np.linspace(0.0, 6.0, 61)


def test_solutions_that_blow_up_score_the_worst_and_no_less():
    growing = np.exp(TIMES)[:, None]
    model = SINDyRegressor().fit(np.column_stack([1 / (7.0 - TIMES)]), t=TIMES)  # x' = x^2
    assert model.score(growing, t=TIMES, of="solution") == -10.0
    assert solution_score(growing, 1e300 * growing) == -10.0


def test_steps_of_one_are_those_that_are_counted_anyway():
    X = np.column_stack([1 / (7.0 - TIMES)])
    for t, counted in ((None, True), (TIMES, False), (np.arange(61.0), True), (0.1, False)):
        model = SINDyRegressor().fit(X, t=t)
        assert times_are_counted(t, model._segments(X, t, None, None, reset=False)) is counted
        assert model._counts_times is counted
