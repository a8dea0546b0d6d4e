"""Laws and closed forms of the oscillating systems."""

import numpy as np
import pytest

from skdyn.datasets import (
    make_damped_oscillator,
    make_lotka_volterra,
    make_pendulum,
    make_van_der_pol,
)


def test_lotka_volterra_conserves_its_invariant():
    X, _ = make_lotka_volterra(5, alpha=1.1, beta=0.9, delta=0.8, gamma=2.0, random_state=0)
    prey, predator = X[:, 0], X[:, 1]
    invariant = 0.8 * prey - 2.0 * np.log(prey) + 0.9 * predator - 1.1 * np.log(predator)
    np.testing.assert_allclose(invariant, invariant[:, :1].repeat(100, axis=1), atol=1e-6)
    assert np.ptp(prey) > 1


def test_lotka_volterra_rests_at_its_fixed_point():
    X, _ = make_lotka_volterra(x0=[3.0, 1.5])
    np.testing.assert_allclose(X[0], np.array([[3.0], [1.5]]).repeat(100, axis=1), atol=1e-9)


@pytest.mark.parametrize("zeta", [0.0, 0.1, 0.9])
def test_damped_oscillator_equals_its_closed_form(zeta):
    omega, x0, v0 = 1.7, 0.8, -0.3
    X, t = make_damped_oscillator(omega=omega, zeta=zeta, x0=[x0, v0])
    slow = omega * np.sqrt(1 - zeta**2)
    sine = (v0 + zeta * omega * x0) / slow
    position = np.exp(-zeta * omega * t) * (x0 * np.cos(slow * t) + sine * np.sin(slow * t))
    np.testing.assert_allclose(X[0, 0], position, atol=1e-7)


def test_pendulum_conserves_its_energy_without_damping():
    X, _ = make_pendulum(5, gravity=3.0, length=2.0, random_state=0)
    energy = X[:, 1] ** 2 / 2 - 1.5 * np.cos(X[:, 0])
    np.testing.assert_allclose(energy, energy[:, :1].repeat(100, axis=1), atol=1e-7)


def test_pendulum_loses_energy_with_damping():
    X, _ = make_pendulum(5, damping=0.5, random_state=0)
    energy = X[:, 1] ** 2 / 2 - 9.81 * np.cos(X[:, 0])
    assert (np.diff(energy, axis=1) < 0).all()


def test_pendulum_of_small_angles_is_a_linear_oscillator():
    X, t = make_pendulum(x0=[1e-4, 0.0])
    np.testing.assert_allclose(X[0, 0], 1e-4 * np.cos(np.sqrt(9.81) * t), atol=1e-10)


def test_van_der_pol_reaches_the_same_limit_cycle_from_inside_and_outside():
    X, _ = make_van_der_pol(x0=[[0.1, 0.0], [4.0, 0.0]], t_span=(30.0, 90.0), n_timepoints=3000)
    # The amplitude of the cycle for mu = 1 is 2.00862 (van der Pol's own expansion starts at 2).
    np.testing.assert_allclose(X[:, 0, 1500:].max(axis=1), 2.00862, atol=1e-3)


def test_a_stiff_van_der_pol_is_integrated_all_the_same():
    X, _ = make_van_der_pol(mu=1000.0, x0=[2.0, 0.0], t_span=(0.0, 2000.0), n_timepoints=2000)
    assert np.abs(X[0, 0]).max() == pytest.approx(2.0, abs=1e-3)
    assert X[0, 0].min() < -1.9


def test_bad_parameters_are_named():
    with pytest.raises(ValueError, match=r"mu must be a finite number in \[0, inf\); got -1"):
        make_van_der_pol(mu=-1)
    with pytest.raises(ValueError, match=r"zeta must be a finite number"):
        make_damped_oscillator(zeta="0.1")
    with pytest.raises(ValueError, match=r"length must be a finite number in \(0, inf\); got nan"):
        make_pendulum(length=float("nan"))
