"""Solutions over longer times than the training saw are looked at, and told where they leave."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skdyn import NeuralODE
from skdyn._trajectories import Trajectories
from skdyn.exceptions import DivergenceError
from skdyn.neural_ode import _neural_ode
from skdyn.neural_ode._running_away import warn_if_solutions_run_away

WAVES = Trajectories(
    np.stack([np.sin(np.arange(60.0) + k) for k in range(3)])[:, :, None],
    np.tile(np.arange(60.0), (3, 1)),
    np.array([60, 60, 40]),
)


def loses_track(data):
    return np.cos(2.3 * data.times)[:, :, None]


def runs_away(data):
    return data.values * 1.2 ** data.times[:, :, None]


def diverges(data):
    raise DivergenceError("gone")


@pytest.mark.parametrize(
    ("follow", "how"), [(runs_away, "times the variance"), (diverges, "diverge or cannot")]
)
def test_solutions_that_leave_the_data_are_told(follow, how):
    with pytest.warns(ConvergenceWarning, match=f"trained over 1 time interval.*{how}"):
        warn_if_solutions_run_away(follow, WAVES, [])


def test_those_that_only_lose_track_are_those_of_chaos_and_not_told():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_solutions_run_away(loses_track, WAVES, [])


def test_ten_windows_are_looked_at_and_nothing_where_all_was_trained(monkeypatch):
    asked = []
    stage = SimpleNamespace(objective=None)
    monkeypatch.setattr(
        "skdyn.neural_ode._running_away._longest_window", lambda stages: len(stages)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in (2, 5, 59):
            warn_if_solutions_run_away(lambda d: asked.append(d) or d.values, WAVES, [stage] * n)
    assert [(d.values.shape[1], d.n_points.tolist()) for d in asked] == [
        (21, [21, 21, 21]),
        (51, [51, 51, 40]),
    ]


def test_a_fit_looks_at_its_own_windows(monkeypatch):
    lengths = []

    def note(follow, data, stages):
        lengths.append([stage.objective.windows.times.shape[1] - 1 for stage in stages[-1:]])
        assert follow(data).shape == data.values.shape

    monkeypatch.setattr(_neural_ode, "warn_if_solutions_run_away", note)
    NeuralODE((4,), window=7, max_iter=2, random_state=0).fit(np.sin(np.arange(20.0))[:, None])
    assert lengths == [[7]]
