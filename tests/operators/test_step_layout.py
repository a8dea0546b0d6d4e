"""How trajectories are cut, and what regressors and rollouts read of them."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import AutoregressiveOperator, FNORegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)


def diffusion(n_cases=20, n_times=6, n_points=12):
    """Periodic fields that diffuse: ``(n_cases, 1, n_times, n_points)``."""
    start = np.fft.rfft(rng.normal(size=(n_cases, 1, 1, n_points)))
    k = np.arange(n_points // 2 + 1)
    decay = np.exp(-0.1 * np.arange(n_times)[:, None] * k**2)
    return np.fft.irfft(start * decay, n_points)


def spiral(n_cases=30, n_times=12, dt=0.3):
    """Linear systems of two states, exactly: trajectories ``(n_cases, 2, n_times)``."""
    angle = dt * np.arange(n_times)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.einsum("ijt,nj->nit", turn * np.exp(-0.1 * angle), rng.normal(size=(n_cases, 2)))


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


def test_a_channel_that_was_left_out_is_told():
    X = np.repeat(diffusion(8, 9)[:, 0, :, :, None], 4, axis=3)  # (cases, times, points, 4)
    with pytest.warns(UserWarning, match=r"read as 9 channels at 12 times.*X\[:, None\]"):
        AutoregressiveOperator(Ridge()).fit(X)


def test_states_that_do_not_fit_are_refused():
    X = diffusion()
    model = AutoregressiveOperator(Ridge(), n_history=2).fit(X)
    with pytest.raises(ValueError, match=r"X of shape \(20, 1, 2, 9\) holds no states .*\(1, 12\)"):
        model.rollout(X[:, :, :2, :9], 3)
    with pytest.raises(ValueError, match="X has 1 states a case, but n_history=2"):
        model.rollout(X[:, :, 0], 3)
    with pytest.raises(ValueError, match="n_steps must be a positive integer; got 0"):
        model.rollout(X, 0)
