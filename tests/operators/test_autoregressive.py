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
    {"n_ahead": 3}, {"target": "change", "n_ahead": 4, "n_history": 2},
    {"n_ahead": 2, "n_history": 3, "pushforward": 1},
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
        ({"n_ahead": 4}, np.ones((2, 1, 4, 8)), "n_history=1 to the n_ahead=4 .* needs 5"),
        (
            {"n_ahead": 2, "pushforward": 1}, np.ones((2, 1, 4, 8)),
            "pushforward=1 needs trajectories of 5 times",
        ),
        (
            {"integrator": "rk4", "target": "change", "n_ahead": 2}, np.ones((2, 1, 4, 8)),
            "needs n_ahead=1; got 2",
        ),
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


def advection(n_cases=30, n_times=9, n_points=10):
    """Fields that travel by one point a step: ``(n_cases, 2, n_times, n_points)``."""
    start = rng.normal(size=(n_cases, 2, n_points))
    return np.stack([np.roll(start, time, axis=2) for time in range(n_times)], axis=2)


class Counting(LinearRegression):
    """Counts how often it is asked, and notes what it was shown."""

    def fit(self, X, y):
        """Fit rows to rows, or fields to fields."""
        self.calls_, self.first_, self.answer_ = 0, y, y.shape[1:]
        return super().fit(X.reshape(len(X), -1), y.reshape(len(y), -1))

    def predict(self, X):
        """Predict."""
        self.calls_ += 1
        return super().predict(X.reshape(len(X), -1)).reshape(len(X), *self.answer_)


class OfFields(Counting):
    """The same, of fields."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


@pytest.mark.parametrize("step", [Counting(), OfFields()], ids=lambda step: type(step).__name__)
@pytest.mark.parametrize("target", ["state", "change"])
@pytest.mark.parametrize(("n_ahead", "calls"), [(1, 7), (2, 4), (3, 3), (7, 1)])
def test_what_travels_arrives_in_as_few_calls_as_there_are_bundles(step, target, n_ahead, calls):
    X = advection()
    model = AutoregressiveOperator(step, target=target, n_ahead=n_ahead).fit(X)
    rolled = model.rollout(X[:, :, 0], 7)
    assert model.estimator_.calls_ == calls
    np.testing.assert_allclose(rolled, X[:, :, 1:8], atol=1e-9)
    np.testing.assert_array_equal(model.predict(X[:, :, 0]), rolled[:, :, 0])
    assert model.score(X, sample_weight=np.arange(30)) == pytest.approx(1)


def test_bundled_states_are_channels_the_first_first():
    X = advection()
    model = AutoregressiveOperator(OfFields(), n_history=2, n_ahead=3).fit(X)
    shown = model.estimator_.first_
    assert shown.shape == (5 * 30, 6, 10)
    for time in range(3):
        assert (shown[:30, 2 * time : 2 * time + 2] == X[:, :, 2 + time]).all()
    flat = AutoregressiveOperator(OfFields(), n_ahead=3).fit(X[:, 0].swapaxes(1, 2))
    assert flat.estimator_.first_.shape == (6 * 30, 3, 10)
    assert flat.rollout(X[:, 0, 0], 4).shape == (30, 10, 4)


def test_a_score_weighs_all_states_of_a_case_alike():
    X = advection() + 0.1 * rng.normal(size=(30, 2, 9, 10))
    model = AutoregressiveOperator(Ridge(), n_ahead=2).fit(X)
    ones = np.arange(30) < 7
    weighed = model.score(X, sample_weight=ones.astype(float))
    assert weighed == pytest.approx(model.score(X[:7]))
