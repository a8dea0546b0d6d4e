"""The time in which states change."""

import numpy as np
import pytest

from skdyn.symbolic.differentiation._time_scale import _corner, check_width, time_scale


def test_the_corner_of_two_lines_is_found():
    k = np.arange(1, 101)
    for corner in (5, 20, 60):
        rising = np.minimum(k, corner) + 0.05 * np.maximum(k - corner, 0)
        assert _corner(rising) == corner


def test_the_error_of_a_chord_is_that_of_a_loop():
    rising = np.cumsum(np.random.default_rng(0).uniform(size=30) * np.linspace(1, 0, 30) ** 2)
    c, k = np.concatenate([[0.0], rising]), np.arange(31)
    errors = []
    for j in range(1, 30):
        chords = np.interp(k, [0, j, 30], c[[0, j, 30]])
        errors.append(((c - chords) ** 2).sum())
    assert _corner(rising) == 1 + np.argmin(errors)


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_it_follows_the_period(noise):
    t = np.linspace(0, 40, 800)
    rng = np.random.default_rng(0)
    found = []
    for period in (8.0, 4.0, 2.0):
        wave = np.sin(2 * np.pi * t / period) ** 3
        found.append(time_scale(t, (wave + noise * rng.standard_normal(800))[:, None], 2))
    assert found[0] / found[1] == pytest.approx(2, rel=0.3)
    assert found[1] / found[2] == pytest.approx(2, rel=0.3)


def test_units_do_not_matter_and_steps_bound_it():
    rng = np.random.default_rng(0)
    t = np.linspace(0, 10, 101)
    X = np.stack([np.sin(t), rng.standard_normal(101)], axis=1)
    assert time_scale(4 * t, X * [8, 0.5], 2) == pytest.approx(4 * time_scale(t, X, 2))
    assert time_scale(t, X[:, 1:], 6) == pytest.approx(0.6)
    assert time_scale(t, np.ones((101, 1)), 2) <= 10 / 12


def test_a_width_must_hold_points_and_fit():
    t = np.linspace(0, 10, 101)
    check_width(0.5, t, 4)
    with pytest.raises(ValueError, match=r"width=0.3 must lie between 4 mean steps, 0.4"):
        check_width(0.3, t, 4)
    with pytest.raises(ValueError, match="length of the trajectory, 10"):
        check_width(11, t, 4)
