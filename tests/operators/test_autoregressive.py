import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from skdyn import AutoregressiveOperator, FNORegressor

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
