"""The chaotic systems against scipy, and on their attractors."""

import numpy as np
from scipy.integrate import solve_ivp

from skdyn.datasets import make_lorenz63, make_lorenz96


def test_lorenz63_equals_scipy_over_a_time_in_which_chaos_is_still_small():
    X, t = make_lorenz63(x0=[1.0, 1.0, 1.0], t_span=(0.0, 3.0), n_timepoints=50, rho=27.0)

    def lorenz(_, state):
        x, y, z = state
        return [10 * (y - x), x * (27 - z) - y, x * y - 8 / 3 * z]

    known = solve_ivp(lorenz, (0, 3), [1, 1, 1], method="Radau", t_eval=t, rtol=1e-9, atol=1e-9).y
    np.testing.assert_allclose(X[0], known, atol=2e-4)


def test_lorenz63_starts_on_the_attractor():
    X, _ = make_lorenz63(4, n_timepoints=50, t_span=(0.0, 1.0), random_state=0)
    assert X.shape == (4, 3, 50)
    assert (np.abs(X) < 60).all()
    # Nothing on the attractor comes near z = 0 except along the axis.
    assert (X[:, 2] > 0).all()


def test_lorenz63_goes_to_rest_below_the_critical_rayleigh_number():
    X, _ = make_lorenz63(3, rho=0.5, t_span=(0.0, 40.0), n_timepoints=10, random_state=0)
    np.testing.assert_allclose(X[:, :, -1], 0.0, atol=1e-6)


def test_lorenz96_stays_at_its_fixed_point_and_leaves_it_when_disturbed():
    X, _ = make_lorenz96(x0=np.full(5, 8.0), n_channels=5, t_span=(0.0, 1.0), n_timepoints=10)
    np.testing.assert_allclose(X, 8.0)
    disturbed = np.full(5, 8.0)
    disturbed[0] += 0.01
    X, _ = make_lorenz96(x0=disturbed, n_channels=5, t_span=(0.0, 10.0), n_timepoints=10)
    assert np.abs(X - 8.0).max() > 1


def test_lorenz96_is_the_same_on_a_turned_ring():
    x0 = np.random.default_rng(0).normal(size=6)
    X, _ = make_lorenz96(x0=x0, n_channels=6, t_span=(0.0, 2.0), n_timepoints=9)
    turned, _ = make_lorenz96(x0=np.roll(x0, 2), n_channels=6, t_span=(0.0, 2.0), n_timepoints=9)
    np.testing.assert_allclose(np.roll(X, 2, axis=1), turned, atol=1e-7)
