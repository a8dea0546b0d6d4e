import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import AutoregressiveOperator, FNORegressor, io

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)


def spiral(n_cases=30, n_times=12, dt=0.3):
    """Linear systems of two states, exactly: trajectories ``(n_cases, 2, n_times)``."""
    angle = dt * np.arange(n_times)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.einsum("ijt,nj->nit", turn * np.exp(-0.1 * angle), rng.normal(size=(n_cases, 2)))


def diffusion(n_cases=20, n_times=6, n_points=12):
    """Periodic fields that diffuse: ``(n_cases, 1, n_times, n_points)``."""
    start = np.fft.rfft(rng.normal(size=(n_cases, 1, 1, n_points)))
    k = np.arange(n_points // 2 + 1)
    decay = np.exp(-0.1 * np.arange(n_times)[:, None] * k**2)
    return np.fft.irfft(start * decay, n_points)


@pytest.mark.parametrize("parameters", [
    {}, {"target": "change"}, {"n_history": 2}, {"target": "change", "n_history": 3},
    {"pushforward": 1}, {"target": "change", "pushforward": 2},
], ids=str)  # fmt: skip
def test_a_linear_law_is_rolled_out_exactly(parameters):
    X = spiral()
    model = AutoregressiveOperator(LinearRegression(), **parameters).fit(X[:20])
    h = model.n_history
    rolled = model.rollout(X[20:, :, :h], 12 - h)
    np.testing.assert_allclose(rolled, X[20:, :, h:], atol=1e-9)
    assert model.score(X[20:]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("integrator", "worst"), [("euler", 1e-9), ("midpoint", 0.05), ("rk4", 1e-3)]
)
def test_runge_kutta_steps_follow_the_learnt_velocity(integrator, worst):
    X = spiral(n_times=24, dt=0.15)
    model = AutoregressiveOperator(LinearRegression(), target="change", integrator=integrator)
    rolled = model.fit(X).rollout(X[:, :, 0], 23)
    error = abs(rolled - X[:, :, 1:]).max()
    assert error < worst
    assert integrator == "euler" or error > 1e-8


def test_the_order_of_a_step_is_that_of_its_method():
    class Velocity(LinearRegression):
        """Knows the field, so that all error is the step's."""

        def predict(self, X):
            """Return the velocity of a rotation, one unit a step of ``h``."""
            return h * X @ np.array([[0.0, 1.0], [-1.0, 0.0]])

    gaps = {}
    for method in ("midpoint", "rk4"):
        for h in (0.2, 0.1):
            model = AutoregressiveOperator(Velocity(), target="change", integrator=method)
            rolled = model.fit(spiral()).rollout(np.array([[1.0, 0.0]]), round(1 / h))
            gaps[method, h] = np.linalg.norm(rolled[0, :, -1] - [np.cos(1), np.sin(1)])
    assert np.log2(gaps["midpoint", 0.2] / gaps["midpoint", 0.1]) == pytest.approx(2, abs=0.2)
    assert np.log2(gaps["rk4", 0.2] / gaps["rk4", 0.1]) == pytest.approx(4, abs=0.2)


def test_one_trajectory_is_a_table_of_states():
    X = spiral(1, 30)[0].T
    model = AutoregressiveOperator(LinearRegression()).fit(X)
    np.testing.assert_allclose(model.predict(X[:-1]), X[1:], atol=1e-9)
    assert model.rollout(X[:3], 5).shape == (3, 2, 5)


def test_fields_go_to_operators_as_fields_and_to_others_as_rows():
    X = diffusion()
    neural = FNORegressor(hidden_channels=4, n_layers=1, periodic=True, max_iter=2, random_state=0)
    for step in (neural, make_pipeline(StandardScaler(), Ridge(1e-6))):
        model = AutoregressiveOperator(step, n_history=2).fit(X)
        assert model.rollout(X, 4).shape == (20, 1, 4, 12)
        assert model.predict(X[:, :, :2]).shape == (20, 1, 12)
    assert model.estimator_.n_features_in_ == 24
    assert AutoregressiveOperator(neural, n_history=2).fit(X).estimator_.n_features_in_ == 2


def test_flat_states_with_a_history_are_channels_of_an_operator():
    X = diffusion()[:, 0].transpose(0, 2, 1)
    step = FNORegressor(hidden_channels=4, n_layers=1, max_iter=2, random_state=0)
    model = AutoregressiveOperator(step, n_history=3).fit(X)
    assert model.estimator_.n_features_in_ == 3
    assert model.rollout(X, 2).shape == (20, 12, 2)


def test_an_operator_learns_to_roll_out():
    X = diffusion(60)
    step = FNORegressor(
        hidden_channels=8, n_layers=1, periodic=True, max_iter=30, learning_rate=0.03,
        batch_size=50, random_state=0,
    )  # fmt: skip
    model = AutoregressiveOperator(step, target="change").fit(X[:50])
    rolled = model.rollout(X[50:, :, 0], 5)
    assert np.linalg.norm(rolled - X[50:, :, 1:]) < 0.2 * np.linalg.norm(X[50:, :, 1:])


def test_pushforward_shows_the_regressor_its_own_answers():
    seen = []

    class Counting(Ridge):
        """Notes how many pairs it was shown."""

        def fit(self, X, y):
            """Fit."""
            seen.append(len(X))
            return super().fit(X, y)

    X = spiral(10, 6)
    AutoregressiveOperator(Counting(), pushforward=2).fit(X)
    assert seen == [50, 90, 90]  # 10 cases of 5 steps; 4 of which have a step before them


class Doubling(BaseEstimator):
    """Answers with twice the state."""

    def fit(self, X, y):
        """Learn nothing."""
        return self

    def predict(self, X):
        """Return the state that follows."""
        return 2 * X


@pytest.mark.parametrize("unit", [1.0, 1e-12])
def test_a_rollout_that_leaves_what_was_seen_names_the_step(unit):
    X = np.sin(np.arange(8.0))[:, None, None, None] * np.ones((1, 2, 5, 3))
    X = X / abs(X).max() * [[[unit]], [[1.0]]] + [[[5 * unit]], [[0.0]]]
    model = AutoregressiveOperator(Doubling()).fit(X)
    start = np.ones((2, 2, 3)) * [[0.0], [1.0]]
    start[:, 0] = 0.01 * unit  # 2^10 of it are 10 ranges from the middle
    with pytest.warns(UserWarning, match="Step 4 of the rollout .* case 0 reaches 16 in channel 1"):
        rolled = model.rollout(start, 6)
    assert rolled.shape == (2, 2, 6, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.rollout(start, 3)


def test_a_file_keeps_the_range(tmp_path):
    X = spiral(5, 5)
    io.save(AutoregressiveOperator(Ridge()).fit(X), tmp_path / "model.safetensors")
    again = io.load(tmp_path / "model.safetensors", trusted=[Ridge])
    with pytest.warns(UserWarning, match="Step 1 of the rollout"):
        again.predict(1e3 * X[:, :, 0])


def test_channels_that_stood_still_may_be_answered_roughly():
    X = diffusion() * [[[0.0]], [[1.0]]] + [[[7.0]], [[0.0]]]
    model = AutoregressiveOperator(Ridge(1.0)).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.rollout(X[:, :, 0] + 1e-3, 5)


def test_a_channel_that_was_left_out_is_told():
    X = np.repeat(diffusion(8, 9)[:, 0, :, :, None], 4, axis=3)  # (cases, times, points, 4)
    with pytest.warns(UserWarning, match=r"read as 9 channels at 12 times.*X\[:, None\]"):
        AutoregressiveOperator(Ridge()).fit(X)


@pytest.mark.parametrize(
    ("parameters", "X", "message"),
    [
        ({"n_history": 3}, np.ones((2, 1, 3, 8)), "n_samples = 3 times .* n_history=3 .* needs 4"),
        ({"pushforward": 1}, np.ones((2, 1, 2, 8)), "pushforward=1 needs trajectories of 3 times"),
        ({"integrator": "rk4"}, np.ones((2, 1, 4, 8)), "needs target='change'; got 'state'"),
        (
            {"integrator": "rk4", "target": "change", "n_history": 2}, np.ones((2, 1, 4, 8)),
            "needs n_history=1; got 2",
        ),
        ({}, np.full((2, 1, 4, 8), np.nan), "X contains NaN"),
    ],
)  # fmt: skip
def test_what_cannot_be_learnt_is_refused(parameters, X, message):
    with pytest.raises(ValueError, match=message):
        AutoregressiveOperator(Ridge(), **parameters).fit(X)


def test_states_that_do_not_fit_are_refused():
    X = diffusion()
    model = AutoregressiveOperator(Ridge(), n_history=2).fit(X)
    with pytest.raises(ValueError, match=r"X of shape \(20, 1, 2, 9\) holds no states .*\(1, 12\)"):
        model.rollout(X[:, :, :2, :9], 3)
    with pytest.raises(ValueError, match="X has 1 states a case, but n_history=2"):
        model.rollout(X[:, :, 0], 3)
    with pytest.raises(ValueError, match="n_steps must be a positive integer; got 0"):
        model.rollout(X, 0)
