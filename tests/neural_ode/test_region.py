"""Solutions that leave the region of the data are told and pulled back; others are untouched."""

import functools
import pickle
import warnings

import numpy as np
import pytest
import torch

from skdyn import NeuralODE
from skdyn._trajectories import Trajectories
from skdyn.exceptions import DivergenceError, SolverWarning
from skdyn.neural_ode._region import learn_region

WAVES = np.stack([np.sin(np.arange(12.0) / 2), np.cos(np.arange(12.0) / 2)], axis=1)


class Grows(torch.nn.Module):
    """An unstable field, of exploding squares or of exponential growth."""

    def __init__(self, power):
        super().__init__()
        self.weight, self.power = torch.nn.Parameter(torch.ones(1)), power
        self.n_inputs = 0

    def forward(self, t, y):
        """Move away from zero."""
        return self.weight * y * y.abs() ** (self.power - 1)


def a_model(power, known=None):
    """Fitted to two waves, then given a field that grows from the mean of the data on."""
    model = pickle.loads(_fitted(known))
    model.module_.field = Grows(power)
    return model


@functools.cache
def _fitted(known):
    model = NeuralODE((2,), max_iter=1, window=1, known=known and list(known), random_state=0)
    with warnings.catch_warnings(action="ignore"):
        return pickle.dumps(model.fit(WAVES))


def start(model, deviations):
    """States so many deviations from the mean, in both channels."""
    return model._offset + np.outer(deviations, model._scale)


def trajectories(rows):
    n = len(rows)
    return Trajectories(rows[None], np.arange(float(n))[None], np.array([n]))


@pytest.mark.parametrize("power", [1, 3])
def test_a_start_at_a_thousand_deviations_comes_back_and_is_told(power):
    model = a_model(power)
    t = np.linspace(0.0, 12.0 * model._time_scale, 4)
    with pytest.warns(SolverWarning, match=r"case 0 is outside at t=0\. They are solved again"):
        found = model.simulate(start(model, [1e3]), t)
    away = np.abs(found[0].T - model._offset) / model._scale
    assert away[0].min() > 999
    assert away[-1].max() < 5


def test_a_solution_that_explodes_from_within_is_an_error_that_says_where():
    model = a_model(3)
    t = np.array([0.0, 1.5, 30.0]) * model._time_scale
    with pytest.raises(DivergenceError, match="case 1"):
        model.simulate(start(model, [0.05, 2.0]), t)


def test_solutions_that_stay_are_the_same_beside_one_that_leaves():
    model = a_model(1)
    t = np.array([0.0, 1.5, 3.0]) * model._time_scale
    calm = start(model, [0.05, -0.1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alone = model.simulate(calm, t)
    with pytest.warns(SolverWarning, match=r"of 1 cases leave .* case 1 is outside at"):
        beside = model.simulate(np.insert(calm, 1, start(model, [2.0]), axis=0), t)
    np.testing.assert_allclose(beside[[0, 2]], alone, rtol=1e-6)
    assert (np.abs(beside[1] - model._offset[:, None]) < 7 * model._scale[:, None]).all()


def test_a_trajectory_that_is_followed_backward_is_pulled_back_too():
    model = a_model(1)
    model.module_.field.weight.data.neg_()  # grows as time runs back
    X = np.full((1, 2, 30), np.nan)
    X[0, :, -1] = start(model, [2.0])
    with pytest.warns(SolverWarning, match="case 0 is outside"):
        found = model.predict(X)
    away = np.abs(found[0].T - model._offset) / model._scale
    assert away.max() < 5


def test_what_formulas_say_holds_anywhere_and_is_only_told():
    model = a_model(1, known=("0", "0"))
    t = np.array([0.0, 4.0]) * model._time_scale
    with pytest.warns(SolverWarning, match=r"leave the region[^.]*outside at t=[\d.]*\. Predict"):
        found = model.simulate(start(model, [1.0]), t)
    away = (found[0, :, -1] - model._offset) / model._scale
    np.testing.assert_allclose(away, np.exp(4.0), rtol=1e-3)
    model = a_model(3, known=("0", "0"))
    with pytest.raises(DivergenceError, match="case 0"):
        model.simulate(start(model, [1.0]), t)


def test_all_data_lie_within_their_region_however_heavy_their_tails():
    rows = np.random.default_rng(0).standard_t(2, size=(200, 3))
    rows[::7, 1] = np.nan
    rows[:, 2] = rows[:, 0]  # a plane
    region = learn_region(trajectories(rows), (0, 1, 2))
    assert not region.left(np.nan_to_num(rows)).any()
    far = np.array([[1e3, 0, 0], [np.nan, 0, 0], [0, np.inf, 0], [0, 0, -1e200]])
    assert region.left(far).all()


def test_a_channel_that_stood_still_may_have_any_value():
    rows = np.c_[WAVES, np.zeros(12)]
    region = learn_region(trajectories(rows), (0, 1))
    assert not region.left(np.array([[0.0, 0.0, 1e6]])).any()
    assert region.left(np.array([[9.0, 0.0, 0.0]])).all()


def test_no_channel_goes_beyond_five_deviations_in_silence():
    rows = np.random.default_rng(0).normal(size=(400, 6))
    region = learn_region(trajectories(rows), range(6))
    for channel in range(6):
        state = np.zeros((1, 6))
        state[0, channel] = 5.01
        assert region.left(state).all()


def test_the_region_travels_with_the_model():
    model = a_model(1)
    again = pickle.loads(pickle.dumps(NeuralODE().set_params(**model.get_params())))
    assert not hasattr(again, "_radii")
    with pytest.warns(SolverWarning, match="leave the region"):
        pickle.loads(_fitted(None)).simulate(start(model, [50.0]), [0.0, 1.0])
