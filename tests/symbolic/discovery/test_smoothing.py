import numpy as np
import pytest

from skdyn.symbolic.differentiation._spline import smoothing_spline
from skdyn.symbolic.discovery._smoothing import gauss_times, noise_model, smooth

T = np.linspace(0, 10, 120)


def test_gauss_nodes_integrate_polynomials_of_degree_seven_exactly():
    t = np.array([0.0, 0.3, 1.1, 2.0])
    nodes, weights = gauss_times(t)
    assert (weights * nodes**7).reshape(-1, 4).sum(axis=1) == pytest.approx(np.diff(t**8) / 8)


def test_a_clean_record_is_interpolated():
    X = np.column_stack([np.sin(T), np.exp(-T / 4)])
    record = smooth([T], [X])
    assert record.clean.all()
    nodes = gauss_times(T)[0]
    for found, truth in zip(record.nodes(), (np.sin(nodes), np.exp(-nodes / 4))):
        assert found == pytest.approx(truth, abs=1e-6)
    assert record.at(0, T) == pytest.approx(X.T, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_constant_noise_is_measured(seed):
    noise = np.random.default_rng(seed).normal(size=(len(T), 1))
    record = smooth([T], [np.sin(T)[:, None] + 0.1 * noise])
    assert not record.clean.any()
    assert np.median(record.sd[0]) == pytest.approx(0.1, rel=0.25)


@pytest.mark.parametrize("seed", range(3))
def test_noise_in_proportion_to_the_state_is_measured_where_the_state_is_large_and_small(seed):
    truth = np.exp(2 * np.sin(T))
    noise = np.random.default_rng(seed).normal(size=len(T))
    record = smooth([T], [(truth * (1 + 0.1 * noise))[:, None]])
    relative = record.sd[0][:, 0] / truth
    for some in (truth > 2, truth < 0.5):
        assert np.median(relative[some]) == pytest.approx(0.1, rel=0.25)


@pytest.mark.parametrize("seed", range(3))
def test_noise_in_proportion_to_a_state_is_halved_in_its_small_values_too(seed):
    """By logarithms: one roughness of the state itself would leave noise in the small values."""
    truth = np.exp(3 * np.sin(2 * T))
    x = truth * (1 + 0.2 * np.random.default_rng(seed).normal(size=len(T)))
    assert np.std(smooth([T], [x[:, None]]).at(0, T)[0] / truth) < 0.1


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_scaling_the_data_scales_curves_and_noise(sign):
    rng = np.random.default_rng(0)
    x = np.exp(np.sin(T)) + 0.1 * rng.normal(size=len(T))
    record, scaled = smooth([T], [x[:, None]]), smooth([T], [sign * 1000 * x[:, None]])
    assert scaled.sd[0] == pytest.approx(1000 * record.sd[0], rel=1e-5)
    assert scaled.nodes()[0] == pytest.approx(sign * 1000 * record.nodes()[0], rel=1e-5)


def test_the_curve_is_nearer_to_the_truth_than_the_measurements():
    rng = np.random.default_rng(0)
    truth = np.sin(T)
    record = smooth([T], [truth[:, None] + 0.1 * rng.normal(size=(len(T), 1))])
    assert np.std(record.at(0, T)[0] - truth) < 0.05


@pytest.mark.parametrize("seed", range(3))
def test_a_fast_change_between_rests_is_followed_better_than_by_one_spline(seed):
    t = np.linspace(0, 10, 200)
    x = np.tanh(8 * (t - 3)) + 0.05 * np.random.default_rng(seed).normal(size=len(t))
    plain = smoothing_spline(t, x, np.ones(len(t)))
    curve = smooth([t], [x[:, None]]).curves[0][0]
    at = np.linspace(0, 10, 1000)
    error, plain_error = (np.std(f(at) - np.tanh(8 * (at - 3))) for f in (curve, plain))
    assert error < 0.7 * plain_error


def test_controls_are_straight_between_their_times_and_come_after_the_states():
    u = np.where(T < 5, 0.0, 1.0)[:, None]
    record = smooth([T], [np.sin(T)[:, None]], [u])
    assert (record.n_states, record.n_variables) == (1, 2)
    middle = (T[1:] + T[:-1]) / 2
    assert record.at(0, middle)[1] == pytest.approx((u[1:, 0] + u[:-1, 0]) / 2, abs=1e-12)


def test_segments_have_curves_of_their_own():
    short = np.array([0.0, 0.1, 0.4])
    record = smooth([T, short], [np.sin(T)[:, None], np.cos(short)[:, None]])
    assert record.at(1, short)[0] == pytest.approx(np.cos(short))
    assert len(record.nodes()[0]) == 4 * (len(T) - 1 + len(short) - 1)


@pytest.mark.parametrize(
    ("constant", "proportional"), [(0.3, 0.0), (0.0, 0.3), (0.3, 0.1)], ids=str
)
def test_the_noise_model_tells_constant_from_proportional_noise(constant, proportional):
    x = np.geomspace(0.1, 30, 400)
    sd = np.hypot(constant, proportional * x)
    y = x + sd * np.random.default_rng(0).normal(size=len(x))
    (found,), _ = noise_model([x], [y])
    assert np.median(np.abs(np.log(found / sd))) < 0.25


def test_the_noise_model_gives_segments_their_own_noise_and_is_better_for_better_curves():
    rng = np.random.default_rng(0)
    x = [np.ones(50), 100 * np.ones(30)]
    y = [part * (1 + 0.1 * rng.normal(size=len(part))) for part in x]
    scales, value = noise_model(x, y)
    assert [len(s) for s in scales] == [50, 30]
    assert np.median(scales[1]) / np.median(scales[0]) > 50
    assert noise_model([part * 1.3 for part in x], y)[1] > value


def test_a_state_that_decays_to_nothing_may_have_noise_in_proportion():
    """The median departure is that of the rest, where there is nothing to depart from."""
    t = np.linspace(0, 8, 60)
    noise = np.random.default_rng(0).normal(size=60)
    x = np.exp(-2 * t)
    record = smooth([t], [np.column_stack([x, x * (1 + 0.02 * noise)])])
    assert record.clean.tolist() == [True, False]
    assert 0.005 < np.median(record.sd[0][:, 1] / x) < 0.03
