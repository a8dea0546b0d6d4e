"""How trajectories are cut, and what regressors and rollouts read of them."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import AutoregressiveOperator, FNORegressor, SSMRegressor, io

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
    model = AutoregressiveOperator(step, n_history=3, history="channels").fit(X)
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


class Shapes(LinearRegression):
    """Notes what it reads, as an estimator of functions or of rows."""

    def __init__(self, reads_fields=True):
        super().__init__()
        self.reads_fields = reads_fields

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = self.reads_fields
        return tags

    def fit(self, X, y):
        """Fit rows."""
        self.shapes_, self.first_ = (X.shape, y.shape), X
        self.answer_ = y.shape[1:]
        return super().fit(X.reshape(len(X), -1), y.reshape(len(y), -1))

    def predict(self, X):
        """Predict as it was shown."""
        return super().predict(X.reshape(len(X), -1)).reshape(len(X), *self.answer_)


@pytest.mark.parametrize(
    ("reads_fields", "history", "shapes"),
    [
        (True, "axis", ((600, 2, 4), (600, 2))),
        (True, "channels", ((600, 4, 2), (600, 1, 2))),
        (False, "axis", ((600, 8), (600, 2))),
        (False, "auto", ((600, 8), (600, 2))),
    ],
)
def test_a_history_of_variables_is_channels_or_an_axis(reads_fields, history, shapes):
    X = spiral(n_times=24)
    model = AutoregressiveOperator(Shapes(reads_fields), n_history=4, history=history).fit(X)
    assert model.estimator_.shapes_ == shapes
    first = X[:, :, :4] if history == "axis" and reads_fields else X[:, :, :4].swapaxes(1, 2)
    assert (model.estimator_.first_[:30].ravel() == first.ravel()).all()  # the oldest first
    np.testing.assert_allclose(model.rollout(X[:, :, :4], 20), X[:, :, 4:], atol=1e-8)


def test_the_channels_of_each_state_stand_side_by_side():
    X = diffusion().repeat(2, axis=1) * [[[1.0]], [[-2.0]]]
    model = AutoregressiveOperator(Shapes(), n_history=3).fit(X)
    assert model.estimator_.shapes_ == ((60, 6, 12), (60, 2, 12))
    first = model.estimator_.first_[:20]
    for time in range(3):
        assert (first[:, 2 * time : 2 * time + 2] == X[:, :, time]).all()


@pytest.mark.parametrize("network", [
    FNORegressor(hidden_channels=4, n_layers=1, max_iter=2, random_state=0),
    SSMRegressor(max_iter=1, random_state=0),
], ids=lambda network: type(network).__name__)  # fmt: skip
def test_networks_of_functions_and_of_series_read_variables_along_time(network, tmp_path):
    X = spiral(4, 8)
    model = AutoregressiveOperator(network, n_history=4, history="axis").fit(X, context=X[:, :, 0])
    rolled = model.rollout(X[:, :, :4], 3, context=X[:, :, 0])
    assert rolled.shape == (4, 2, 3)
    assert model.estimator_.n_features_in_ == 4
    io.save(model, tmp_path / "model")
    again = io.load(tmp_path / "model").rollout(X[:, :, :4], 3, context=X[:, :, 0])
    np.testing.assert_array_equal(again, rolled)


def test_a_history_that_may_be_read_in_two_ways_is_refused_or_doubted():
    with pytest.raises(ValueError, match=r"states of 2 columns, and n_history=3, .*'axis' if"):
        AutoregressiveOperator(Shapes(), n_history=3).fit(spiral())
    noise = rng.normal(size=(5, 9, 12))
    with pytest.warns(UserWarning, match="The 9 columns .* function on 9 points, with 3 past"):
        AutoregressiveOperator(Shapes(), n_history=3).fit(noise)
    smooth = noise.cumsum(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AutoregressiveOperator(Shapes(), n_history=3).fit(smooth)
        AutoregressiveOperator(Shapes(), n_history=3, history="channels").fit(noise)
    with pytest.raises(ValueError, match=r"history='axis' .* grid \(12,\) of their own"):
        AutoregressiveOperator(Shapes(), n_history=3, history="axis").fit(diffusion())
    with pytest.raises(ValueError, match=r"context of shape \(5, 1, 9\) must be numbers"):
        AutoregressiveOperator(Shapes(), history="axis").fit(noise, context=np.ones((5, 1, 9)))


def test_a_state_saved_before_reads_as_it_did():
    model = AutoregressiveOperator(LinearRegression(), n_history=2).fit(spiral())
    later = {
        "history", "n_ahead", "known_step", "noise",
        "time_unit_", "_layout", "_learned", "_step_lengths",
    }  # fmt: skip
    state = model.__getstate__()
    assert later < state.keys()
    again = AutoregressiveOperator()
    again.__setstate__({name: value for name, value in state.items() if name not in later})
    assert again._layout == "rows"
    start = spiral()[:, :, :2]
    np.testing.assert_array_equal(again.rollout(start, 3), model.rollout(start, 3))
