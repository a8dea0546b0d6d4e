"""What failed solves say."""

import numpy as np
import pytest
import torch

from skdyn import NeuralODE
from skdyn._trajectories import Trajectories
from skdyn.exceptions import DivergenceError, MaxStepsError, StiffnessError
from skdyn.neural_ode._dynamics import TrajectoryODE, WindowObjective
from skdyn.neural_ode._unsolved import retold
from skdyn.neural_ode._windows import cut_windows


class Explodes(torch.nn.Module):
    """Leaves the finite numbers after 1 / y of time."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, t, y):
        """Square the state."""
        return self.weight * y * y


@pytest.fixture(scope="module")
def exploding():
    """A model in hours, whose field explodes within 1 / x deviations of its one channel."""
    t = np.linspace(0.0, 4.0, 9)
    X = np.cos(t)[None, None] + np.zeros((2, 1, 1))
    model = NeuralODE((2,), max_iter=1, window=1, random_state=0).fit(X, t=3600 * t)
    model.module_.field = Explodes()
    del model._radii  # as in models of older files: solutions are left to themselves
    return model


def state_after(model, hours):
    """The state that explodes after some time."""
    return float(model._offset[0] + model._scale[0] * model._time_scale / (3600 * hours))


def test_a_prediction_names_case_and_time_of_the_data(exploding):
    x0 = [[state_after(exploding, 100)], [state_after(exploding, 2)]]
    with pytest.raises(DivergenceError, match=r"case 1, .* deviations of the data") as error:
        exploding.predict(x0, 3600 * np.array([10.0, 11.0, 12.0, 13.0]))
    assert error.value.t == pytest.approx(3600 * 12, rel=1e-3)
    assert f"t={error.value.t:.6g}" in str(error.value)
    with pytest.raises(DivergenceError, match="case 1") as error:  # the states do not begin t
        exploding.predict(x0, 3600 * np.array([10.0, 13.0]), t0=[3600 * 10.0, 3600 * 9.0])
    assert error.value.t == pytest.approx(3600 * 11, rel=1e-3)


@pytest.mark.parametrize("ahead", [True, False])
def test_a_trajectory_that_is_followed_names_them_too_forward_and_backward(exploding, ahead):
    X = np.full((3, 1, 6), np.nan)
    X[:2, 0, :] = state_after(exploding, 1000)
    X[2, 0, 0 if ahead else -1] = state_after(exploding, 2 if ahead else -2)
    with pytest.raises(DivergenceError, match="case 2") as error:
        exploding.predict(X, 3600 * np.arange(20.0, 26.0))
    assert error.value.t == pytest.approx(3600 * (22 if ahead else 23), rel=1e-3)


def test_a_window_in_training_names_case_and_time_too():
    values = np.ones((2, 5, 1)) / [[[100.0]], [[1.5]]]
    data = Trajectories(values, np.tile(np.arange(5.0), (2, 1)) * 0.5, np.full(2, 5))
    windows = cut_windows(data, values, 2)
    module = TrajectoryODE(1, 0, (2,), "tanh", "tsit5", 1e-4, 1e-6, "discrete", 200)
    module.field = Explodes()
    objective = WindowObjective(None, windows, {}, 0.0, time_scale=3600.0)
    last = len(windows.case) - 1  # of case 1, from t = 1 to 2
    batch = [torch.as_tensor(v[[0, last]]) for v in windows.batch_arrays]
    batch[2] = batch[2] * 2  # and beyond
    with pytest.raises(DivergenceError, match=r"in training at t=.* in case 1") as error:
        objective(module, *batch)
    assert error.value.t == pytest.approx(3600 * 2.5, rel=1e-3)
    assert "lower learning_rate" in str(error.value)  # which is what a fit can change


@pytest.mark.parametrize("kind", [DivergenceError, StiffnessError, MaxStepsError])
def test_the_kind_of_failure_stays_what_it_was(kind):
    error = retold(kind("inside", case=0, t=1.0, n_steps=7, hint="try"), 4, 500.0)
    assert type(error) is kind
    assert (error.case, error.t, error.n_steps) == (4, 500.0, 7)
    assert "at t=500 in case 4; " in str(error)
    assert "inside" not in str(error)
