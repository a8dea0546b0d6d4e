"""Hidden states that are read off the first points."""

import numpy as np
import pytest

from skdyn import NeuralODE, io
from skdyn._trajectories import Trajectories
from skdyn.neural_ode._collocation import SmoothTrajectories
from skdyn.neural_ode._hidden import hidden_velocities, prefixes

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
T = np.linspace(0, 6, 41)


def swings(n_cases, seed):
    """The angle of a linear pendulum; its velocity is not seen."""
    a, phase = np.random.default_rng(seed).uniform(1, 2, (2, n_cases, 1))
    return (a * np.cos(T + 3 * phase))[:, None]


@pytest.fixture(scope="module")
def model():
    options = {"augment_dim": 1, "hidden_start": "encoder", "hidden_points": 5, "max_iter": 4}
    return NeuralODE((), random_state=0, **options).fit(swings(8, 0), t=T)


def test_a_pendulum_is_foretold_from_a_few_angles(model):
    truth = swings(5, 1)
    seen = truth.copy()
    seen[:, :, 5:] = np.nan
    foretold = model.predict(seen, T)
    error = (foretold - truth)[:, :, 5:]
    assert np.mean(error**2) < 1e-3 * truth.var()
    # What comes after the points that are read changes nothing.
    np.testing.assert_allclose(model.predict(truth, T), foretold, atol=1e-8)


def test_an_encoder_reads_around_gaps_and_ends():
    values = np.arange(10.0).reshape(1, 5, 2)
    values[0, 1, 0] = np.nan
    times = np.array([[0.0, 1.0, 3.0, 4.0, np.nan]])
    values[0, 4] = np.nan
    read = prefixes(Trajectories(values, times, np.array([4])), 2)
    assert read.shape == (1, 5, 10)
    assert read[0, 0].tolist() == [0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 3.0, 0.0, 1.0, 1.0]
    assert read[0, 3].tolist() == [6.0, 7.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_hidden_dimensions_begin_as_velocities():
    states = (T**2)[None, :, None]
    smooth = SmoothTrajectories(states, 2 * T[None, :, None], np.ones((1, 41), bool), np.zeros(1))
    states, velocities = hidden_velocities(smooth, T[None], augment_dim=3)
    assert np.array_equal(states[0, :, 1], 2 * T)
    np.testing.assert_allclose(velocities[0, :, 1], 2.0)
    assert not states[..., 2:].any()
    assert not velocities[..., 2:].any()


def test_the_encoder_is_saved_with_the_model(model, tmp_path):
    io.save(model, tmp_path / "m.skdyn")
    X = swings(2, 3)
    assert np.array_equal(io.load(tmp_path / "m.skdyn").predict(X, T), model.predict(X, T))


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.predict([[1.0]], T),
        lambda m: m.simulate([1.0], T),
        lambda m: m.vector_field([[1.0]]),
        lambda m: m.score(swings(2, 0), t=T, of="derivative"),
    ],
)
def test_states_alone_do_not_tell_the_hidden_ones(model, call):
    with pytest.raises(ValueError, match="hidden_start='encoder' reads"):
        call(model)
