"""Steps that are known, and what they leave to learn."""

import pickle

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, Ridge

from skdyn import AutoregressiveOperator, FNORegressor, io
from skdyn.operators._known_step import is_left, known_states

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)


def shift(states):
    """Carry fields by one point."""
    return np.roll(states, 1, axis=-1)


def shift_and_decay(states, context):
    """Carry fields, and damp them as each case says."""
    return shift(states) * context.reshape(-1, *[1] * (states.ndim - 1))


def forced(n_cases=20, n_times=7, n_points=8, damping=None, force=0.0):
    """Fields that travel by a point a step, are damped and forced."""
    series = [rng.normal(size=(n_cases, 1, n_points))]
    for _ in range(n_times - 1):
        after = shift(series[-1])
        series.append((after if damping is None else after * damping[:, :, None]) + force)
    return np.stack(series, axis=2)


@pytest.mark.parametrize("n_ahead", [1, 3])
@pytest.mark.parametrize("pushforward", [0, 1])
def test_a_step_that_is_known_exactly_leaves_nothing_to_learn(n_ahead, pushforward):
    X = forced()
    for step in (Ridge(), FNORegressor(hidden_channels=4, n_layers=1, max_iter=1, random_state=0)):
        model = AutoregressiveOperator(
            step, target="change", known_step=shift, n_ahead=n_ahead, pushforward=pushforward
        )
        rolled = model.fit(X[:10, :, :7]).rollout(X[10:, :, 0], 6)
        np.testing.assert_allclose(rolled, X[10:, :, 1:], atol=1e-12)


@pytest.mark.parametrize("n_ahead", [1, 2])
def test_what_is_left_is_learned(n_ahead):
    """A constant force is all that is unknown, so that a constant is enough."""
    X = forced(force=0.5)
    X = np.concatenate([X, X[:, :, :1] + 0.0], axis=2)[:, :, :7]
    model = AutoregressiveOperator(
        DummyRegressor(), target="change", known_step=shift, n_ahead=n_ahead
    )
    rolled = model.fit(X).rollout(X[:, :, 0], 6)
    np.testing.assert_allclose(rolled, X[:, :, 1:], atol=1e-12)


def test_a_known_step_is_told_the_context_by_name():
    damping = rng.uniform(0.5, 1, (20, 1))
    X = forced(damping=damping)
    model = AutoregressiveOperator(Ridge(), target="change", known_step=shift_and_decay, n_ahead=2)
    model.fit(X[:10], context=damping[:10])
    rolled = model.rollout(X[10:, :, 0], 6, context=damping[10:])
    np.testing.assert_allclose(rolled, X[10:, :, 1:], atol=1e-12)
    assert model.score(X, context=damping) == pytest.approx(1)


def test_the_data_are_safe_from_steps_in_place():
    def in_place(states):
        states += 1
        return states

    X = forced()
    before = X.copy()
    AutoregressiveOperator(Ridge(), target="change", known_step=in_place).fit(X).predict(X)
    np.testing.assert_array_equal(X, before)


def test_states_keep_their_precision():
    now = rng.normal(size=(3, 2, 4)).astype(np.float32)
    ahead = known_states(lambda states: states.astype(np.float64), now, 2)
    assert (ahead.shape, ahead.dtype) == ((3, 2, 2, 4), np.float32)


def test_a_model_with_a_function_is_pickled_and_no_file(tmp_path):
    X = forced()
    model = AutoregressiveOperator(Ridge(), target="change", known_step=shift).fit(X)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    with pytest.raises(TypeError, match=r"known_step.* is a function"):
        io.save(model, tmp_path / "model")


@pytest.mark.parametrize(
    ("known_step", "error", "message"),
    [
        (lambda u: u[:, :, 1:], ValueError, r"known_step made \(120, 1, 7\) of .* \(120, 1, 8\)"),
        (lambda u: u / 0, ValueError, r"known_step made NaN or infinity of states\[0\], whose"),
        (
            lambda u, step: u,
            TypeError,
            r"called as known_step\(states\), .*nothing else.*\(u, step",
        ),
        (3, ValueError, "'known_step' parameter .* must be a callable or None"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_steps_that_do_not_fit_are_refused(known_step, error, message):
    model = AutoregressiveOperator(Ridge(), target="change", known_step=known_step)
    with pytest.raises(error, match=message):
        model.fit(forced())


def test_what_a_known_step_needs_is_told():
    X = forced()
    with pytest.raises(ValueError, match=r"known_step leaves a change .* target='change'; got"):
        AutoregressiveOperator(Ridge(), known_step=shift).fit(X)
    with pytest.raises(ValueError, match="needs known_step=None; got <function shift"):
        AutoregressiveOperator(Ridge(), target="change", known_step=shift, integrator="rk4").fit(X)
    model = AutoregressiveOperator(LinearRegression(), target="change", known_step=shift)
    with pytest.raises(TypeError, match=r"known_step\(states, context=context\), since fit was "):
        model.fit(X, context=np.ones((20, 1)))


def test_only_channels_of_which_something_is_left_are_learned():
    future = rng.normal(size=(5, 2, 3, 4)) * [[[1e-9], [1.0], [1e9]]]
    change = 1e-15 * future
    change[0, 0, 1, 2] = 1e-9
    assert is_left(change, future, one_function=False).tolist() == [False, True, False]
    assert is_left(change[..., 0], future[..., 0], one_function=True).tolist() == [False]
    X = np.concatenate([forced(), forced(force=1.0)], axis=1)
    network = FNORegressor(hidden_channels=4, n_layers=1, max_iter=1, random_state=0)
    model = AutoregressiveOperator(network, target="change", known_step=shift).fit(X)
    np.testing.assert_array_equal(model.predict(X[:, :, 0])[:, 0], X[:, 0, 1])
