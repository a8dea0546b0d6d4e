"""Steps of many lengths, and times asked for."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from skdyn import AutoregressiveOperator, FNORegressor, io
from skdyn.operators._step_times import cut_steps, velocities

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
PRODUCTS = make_pipeline(PolynomialFeatures(2), LinearRegression())


def motion(n_cases=12, n_times=8, own_times=False):
    """Points that move evenly, at uneven times, and their velocities."""
    t = rng.uniform(0.5, 1.5, (n_cases if own_times else 1, n_times)).cumsum(axis=1)
    velocity = rng.normal(size=(n_cases, 2))
    X = rng.normal(size=(n_cases, 2, 1)) + velocity[:, :, None] * t[:, None]
    return X, velocity, t if own_times else t[0]


@pytest.mark.parametrize("own_times", [False, True])
@pytest.mark.parametrize("parameters", [
    {}, {"n_history": 3}, {"n_ahead": 2}, {"n_history": 2, "n_ahead": 3}, {"pushforward": 1},
], ids=str)  # fmt: skip
def test_even_motion_is_followed_over_uneven_times(parameters, own_times):
    X, velocity, t = motion(own_times=own_times)
    model = AutoregressiveOperator(LinearRegression(), target="change", **parameters)
    model.fit(X, context=velocity, t=t)
    h = model.n_history
    rolled = model.rollout(X[:, :, :h], context=velocity, t=t)
    np.testing.assert_allclose(rolled, X[:, :, h:], atol=1e-9)
    assert model.score(X, context=velocity, t=t) == pytest.approx(1)
    upto = t[..., : h + 1]
    next_one = model.predict(X[:, :, :h], context=velocity, t=upto)
    np.testing.assert_allclose(next_one, X[:, :, h], atol=1e-9)
    later = t[..., [-1]] + [2.0, 7.0]  # gaps longer than any step of fit
    whole = np.concatenate([t, later], axis=-1)
    truth = X[:, :, [-1]] + velocity[:, :, None] * [2.0, 7.0]
    far = model.rollout(X, context=velocity, t=whole)
    np.testing.assert_allclose(far, truth, atol=1e-8)


def test_the_next_state_is_learned_from_the_length_of_its_step():
    X, velocity, t = motion(60)
    model = AutoregressiveOperator(PRODUCTS).fit(X, context=velocity, t=t)
    rolled = model.rollout(X[:, :, 0], context=velocity, t=t)
    np.testing.assert_allclose(rolled, X[:, :, 1:], atol=1e-8)


@pytest.mark.parametrize("parameters", [
    {}, {"target": "change"}, {"target": "change", "integrator": "rk4"}, {"pushforward": 1},
], ids=str)  # fmt: skip
def test_times_at_even_steps_change_no_bit(parameters):
    X = rng.normal(size=(8, 1, 6, 8)).cumsum(axis=3)
    network = FNORegressor(hidden_channels=4, n_layers=1, max_iter=2, random_state=0)
    plain = AutoregressiveOperator(network, **parameters).fit(X)
    t = 3.0 + 0.1 * np.arange(6)
    told = AutoregressiveOperator(network, **parameters).fit(X, t=t)
    expected = plain.rollout(X[:, :, 0], 4)
    np.testing.assert_array_equal(told.rollout(X[:, :, 0], 4), expected)
    assert told.score(X, t=t) == plain.score(X)
    skipped = told.rollout(X[:, :, 0], t=[0.0, 0.1, 0.4])
    np.testing.assert_allclose(skipped, expected[:, :, [0, 3]], rtol=1e-9)


class Rotation(LinearRegression):
    """Knows the velocity of a rotation, per mean step of 1, so that all error is the step's."""

    def predict(self, X):
        """Return velocities."""
        return X @ np.array([[0.0, 1.0], [-1.0, 0.0]])


def test_a_fourth_order_step_halves_its_error_sixteenfold():
    even = AutoregressiveOperator(Rotation(), target="change", integrator="rk4")
    even.fit(rng.normal(size=(3, 2, 5)), t=np.arange(5.0))
    gaps = []
    for n in (4, 8, 16):
        t = np.linspace(0, 1, n + 1) ** 1.5  # uneven
        end = even.rollout(np.array([[1.0, 0.0]]), t=t)[0, :, -1]
        gaps.append(np.linalg.norm(end - [np.cos(1), np.sin(1)]))
    orders = np.log2(np.divide(gaps[:-1], gaps[1:]))
    assert orders == pytest.approx(4, abs=0.4)


def test_velocities_are_those_of_the_time_there_was():
    X, velocity, t = motion(own_times=True)
    series = np.moveaxis(X, 2, 1)
    found = velocities(series, np.diff(t, axis=1))
    np.testing.assert_allclose(found.reshape(7, 12, 2), np.stack([velocity] * 7), atol=1e-9)
    model = AutoregressiveOperator(LinearRegression(), target="change", integrator="midpoint")
    model.fit(X, context=velocity, t=t)
    rolled = model.rollout(X[:, :, 0], context=velocity, t=t)
    np.testing.assert_allclose(rolled, X[:, :, 1:], atol=1e-9)


def test_steps_of_pairs_come_time_after_time():
    steps = np.arange(10.0).reshape(2, 5)
    assert cut_steps(None, 3) is None
    assert cut_steps(steps, 3).tolist() == [
        [0, 1, 2], [5, 6, 7], [1, 2, 3], [6, 7, 8], [2, 3, 4], [7, 8, 9],
    ]  # fmt: skip


@pytest.mark.parametrize("network", [
    LinearRegression(), FNORegressor(hidden_channels=4, n_layers=1, max_iter=2, random_state=0),
], ids=lambda network: type(network).__name__)  # fmt: skip
def test_the_unit_of_time_means_nothing_and_dates_are_times(network, tmp_path):
    X, _, t = motion()
    X = X[:, :, :, None] * np.ones(6)
    hours = np.rint(t * 24) / 24
    dates = np.datetime64("2020-01-01") + (hours * 24).astype("timedelta64[h]")
    answers = []
    for times in (hours, 1e6 * hours, dates):
        model = AutoregressiveOperator(network, target="change").fit(X, t=times)
        answers.append(model.rollout(X[:, :, 0], t=times))
    np.testing.assert_allclose(answers[1], answers[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(answers[2], answers[0], rtol=1e-4, atol=1e-4)
    assert model.time_unit_ == f"days since {dates[0].astype('datetime64[D]')}"
    if isinstance(network, FNORegressor):
        io.save(model, tmp_path / "model")
        again = io.load(tmp_path / "model").rollout(X[:, :, 0], t=dates)
        np.testing.assert_array_equal(again, answers[2])


def decay(states, step):
    """Shrink states for as long as each step is."""
    return states * np.exp(-step.reshape(-1, *[1] * (states.ndim - 1)))


@pytest.mark.parametrize("even", [False, True])
def test_a_known_step_is_told_how_long_it_is(even):
    t = 0.25 * np.arange(6) if even else rng.uniform(0.1, 0.5, 6).cumsum()
    X = rng.normal(size=(5, 3, 1)) * np.exp(-t)
    model = AutoregressiveOperator(LinearRegression(), target="change", known_step=decay, n_ahead=2)
    rolled = model.fit(X, t=t).rollout(X[:, :, 0], t=t)
    np.testing.assert_allclose(rolled, X[:, :, 1:], rtol=1e-12)


def test_times_that_say_too_little_are_refused():
    X, _, t = motion()
    uneven = AutoregressiveOperator(LinearRegression(), target="change").fit(X, t=t)
    even = AutoregressiveOperator(LinearRegression(), n_history=2).fit(X, t=np.arange(8) / 4)
    with pytest.raises(ValueError, match=r"fitted on steps from 0\..* to 1\..* say with t="):
        uneven.rollout(X[:, :, 0], 3)
    with pytest.raises(ValueError, match=r"fitted on steps from 0\..* to 1\..* say with t="):
        uneven.score(X)
    for both in ({}, {"n_steps": 3, "t": t}):
        with pytest.raises(ValueError, match="Pass either n_steps, or t with the times of"):
            uneven.rollout(X[:, :, 0], **both)
    with pytest.raises(ValueError, match=r"t has the shape \(8,\); times must be \(8 \+ n_times"):
        uneven.rollout(X, t=t)
    with pytest.raises(ValueError, match=r"times must be \(8,\), or \(12, 8\) for 12 cases"):
        AutoregressiveOperator(LinearRegression()).fit(X, t=t[1:])
    times = np.tile(np.arange(8.0), (12, 1))
    times[3, 3] = 2
    with pytest.raises(ValueError, match=r"t must increase: in case 3, 2 is followed by 2"):
        AutoregressiveOperator(LinearRegression()).fit(X, t=times)
    with pytest.raises(ValueError, match="t has 2 times after those of the states in X; predict"):
        uneven.predict(X[:, :, 0], t=t[:3])
    with pytest.raises(ValueError, match=r"t has a step of 0\.3, but all steps in fit were 0\.25"):
        even.rollout(X[:, :, :2], t=[0, 0.25, 0.55])
    with pytest.raises(ValueError, match=r"t has a step of 0\.5, .* states looked back on one"):
        even.rollout(X[:, :, :2], t=[0, 0.5, 0.75])
    with pytest.raises(
        ValueError, match=r"steps from 0\.5 to 0\.5, but all steps in fit were 0\.25"
    ):
        even.score(X, t=np.arange(8) / 2)
    with pytest.raises(ValueError, match="unlike numbers of steps in the cases"):
        even.rollout(X[:2, :, :2], t=[[0, 0.25, 0.5], [0, 0.25, 0.75]])


def test_steps_unlike_those_of_fit_are_doubted():
    X, _, t = motion()
    model = AutoregressiveOperator(LinearRegression(), target="change").fit(X, t=t)
    with pytest.warns(UserWarning, match=r"t takes steps from 0\.1 to 0\.1, but those in fit were"):
        model.rollout(X[:, :, 0], t=[0.0, 0.1])


def test_a_rollout_that_leaves_names_which_of_the_times_asked_for():
    X = np.exp(np.arange(4.0))[:, None].T * np.ones((3, 2, 4))
    model = AutoregressiveOperator(LinearRegression()).fit(X, t=np.arange(4))
    with pytest.warns(UserWarning, match="Step 2 of the rollout leaves"):
        model.rollout(X[:, :, 0], t=[0, 2, 9])


def test_times_are_routed_where_they_are_asked_for():
    X, _, t = motion()
    direct = AutoregressiveOperator(LinearRegression(), target="change").fit(X, t=t)
    with config_context(enable_metadata_routing=True):
        step = AutoregressiveOperator(LinearRegression(), target="change")
        step.set_fit_request(t=True).set_score_request(t=True).set_predict_request(t=True)
        routed = make_pipeline(step).fit(X, t=t)
        assert routed.score(X, t=t) == direct.score(X, t=t)
        found = routed.predict(X[:, :, 0], t=t[:2])
    np.testing.assert_array_equal(found, direct.predict(X[:, :, 0], t=t[:2]))
