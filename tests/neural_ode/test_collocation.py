"""Smooth curves: exact where they must be, and honest about noise."""

import numpy as np
import pytest
from scipy.interpolate import make_smoothing_spline

from skdyn._trajectories import Trajectories
from skdyn.neural_ode import _collocation
from skdyn.neural_ode._collocation import smooth_trajectories, smoothing_strength


def sines(n_points=60, noise=0.0, n_cases=8, irregular=False, seed=0):
    """Trajectories of (sin, cos) and their true states and velocities."""
    rng = np.random.default_rng(seed)
    t = np.tile(np.linspace(0, 10, n_points), (n_cases, 1))
    if irregular:
        t = np.sort(rng.uniform(0, 10, t.shape), axis=1)
    phase = t + rng.uniform(0, 6, (n_cases, 1))
    states = np.stack([np.sin(phase), np.cos(phase)], axis=2)
    values = states + noise * rng.normal(size=states.shape)
    velocities = np.stack([np.cos(phase), -np.sin(phase)], axis=2)
    return Trajectories(values, t, np.full(n_cases, n_points)), states, velocities


def test_straight_lines_are_returned_exactly_however_they_are_sampled():
    t = np.array([[0.0, 0.1, 0.7, 2.0, 2.2, 5.0, 6.0]])
    values = np.stack([3 + 2 * t, 1 - t], axis=2)
    smooth = smooth_trajectories(Trajectories(values, t, np.array([7])))
    np.testing.assert_allclose(smooth.states, values, atol=1e-9)
    np.testing.assert_allclose(smooth.velocities, np.broadcast_to([2, -1], values.shape), atol=1e-8)


def test_clean_data_are_interpolated_with_accurate_velocities():
    data, states, velocities = sines()
    smooth = smooth_trajectories(data)
    np.testing.assert_allclose(smooth.states, states, atol=1e-12)
    np.testing.assert_allclose(smooth.velocities, velocities, atol=2e-3)
    assert (smooth.noise < 1e-3).all()


@pytest.mark.parametrize("noise", [0.03, 0.1, 0.3])
def test_the_noise_is_found(noise):
    data, states, _ = sines(noise=noise)
    smooth = smooth_trajectories(data)
    np.testing.assert_allclose(smooth.noise, noise, rtol=0.15)
    error = np.sqrt(np.mean((smooth.states - states) ** 2))
    assert error < 0.6 * noise


def test_irregular_times_and_missing_values_cost_little():
    data, states, velocities = sines(noise=0.05, irregular=True)
    lost = np.random.default_rng(1).random(data.values.shape) < 0.3
    data = data._replace(values=np.where(lost, np.nan, data.values))
    smooth = smooth_trajectories(data)
    assert np.isfinite(smooth.states).all()
    known = smooth.known
    assert np.sqrt(np.mean((smooth.states - states)[known] ** 2)) < 0.05
    assert np.sqrt(np.mean((smooth.velocities - velocities)[known] ** 2)) < 0.25


def test_without_robustness_the_penalty_is_scipys(monkeypatch):
    """One series, plain generalized cross-validation: what scipy's own smoothing spline does."""
    monkeypatch.setattr(_collocation, "_ROBUSTNESS", 1.0)
    rng = np.random.default_rng(0)
    t = np.linspace(0, 10, 100)
    y = np.sin(t) + 0.2 * rng.normal(size=100)
    lam, noise = smoothing_strength([(t, y)])
    np.testing.assert_allclose(
        make_smoothing_spline(t, y, lam=lam)(t), make_smoothing_spline(t, y)(t), atol=5e-3
    )
    assert abs(noise - 0.2) < 0.04


def test_a_short_noisy_series_is_not_followed_through_its_noise():
    """Of twenty noisy series of 25 points, plain cross-validation takes some for exact."""
    rng = np.random.default_rng(0)
    t = np.linspace(0, 6, 25)
    found = [smoothing_strength([(t, np.sin(t) + 0.2 * rng.normal(size=25))])[1] for _ in range(20)]
    assert min(found) > 0.1
    assert 0.16 < np.median(found) < 0.24


def test_long_series_are_judged_by_their_blocks():
    rng = np.random.default_rng(0)
    t = np.linspace(0, 400, 20_000)
    _, noise = smoothing_strength([(t, np.sin(t) + 0.1 * rng.normal(size=len(t)))])
    assert abs(noise - 0.1) < 0.01


@pytest.mark.parametrize("n_points", [2, 3, 4])
def test_few_points_are_interpolated(n_points):
    data, states, _ = sines(n_points=n_points)
    smooth = smooth_trajectories(data)
    np.testing.assert_allclose(smooth.states, states, atol=1e-12)
    assert (smooth.noise == 0).all()


def test_nothing_is_known_before_the_first_and_after_the_last_observation():
    data, _, _ = sines(n_points=20)
    values = data.values.copy()
    values[0, :3, 0], values[1, -2:, 1], values[2, 1:, 0] = np.nan, np.nan, np.nan
    smooth = smooth_trajectories(data._replace(values=values))
    np.testing.assert_array_equal(np.flatnonzero(~smooth.known[0]), [0, 1, 2])
    np.testing.assert_array_equal(np.flatnonzero(~smooth.known[1]), [18, 19])
    assert not smooth.known[2].any()
    assert np.isfinite(smooth.states).all()
    assert (smooth.states[2, :, 0] == values[2, 0, 0]).all()


def test_padding_repeats_the_last_state_and_is_not_known():
    data, states, _ = sines(n_points=20)
    data.values[0, 12:], data.times[0, 12:], data.n_points[0] = np.nan, np.nan, 12
    smooth = smooth_trajectories(data)
    assert not smooth.known[0, 12:].any()
    np.testing.assert_allclose(smooth.states[0, 12:], np.tile(states[0, 11], (8, 1)), atol=1e-12)


def test_jumps_of_an_exact_series_are_no_noise():
    t = np.arange(120.0)
    jumps = np.tanh(8 * np.sin(t / 9))  # rests, and jumps within two points
    data = Trajectories(jumps[None, :, None], t[None], np.array([120]))
    assert smooth_trajectories(data).noise < 0.01
    rng = np.random.default_rng(0)
    noisy = data._replace(values=data.values + 0.1 * rng.normal(size=data.values.shape))
    assert smooth_trajectories(noisy).noise > 0.05
