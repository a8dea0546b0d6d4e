"""What is told of rollouts that leave all that was seen."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge

from skdyn import AutoregressiveOperator, io

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


def test_a_rollout_that_is_no_number_any_more_is_refused():
    X = spiral(5, 5)
    model = AutoregressiveOperator(Doubling()).fit(X)
    with (
        np.errstate(over="ignore"),
        pytest.warns(UserWarning, match="Step .* of the rollout leaves"),
        pytest.raises(ValueError, match=r"Step 10\d\d of the rollout makes .* in case \d"),
    ):
        model.rollout(X[:, :, 0], 2000)
