import numpy as np
from sklearn.preprocessing import PolynomialFeatures

from skdyn.symbolic.optimizers._energy import (
    calmest_center,
    energy_constraints,
    gradients,
    growth,
)


def test_coefficients_that_obey_conserve_energy_at_every_state():
    rng = np.random.default_rng(0)
    library = PolynomialFeatures(3).fit(np.zeros((1, 3)))
    powers = library.powers_
    lhs = energy_constraints(powers, 3).lhs.reshape(-1, 3 * len(powers))
    free = rng.normal(size=lhs.shape[1])
    coef = (free - np.linalg.pinv(lhs) @ lhs @ free).reshape(3, -1)
    x = rng.normal(size=(50, 3))
    nonlinear = powers.sum(axis=1) >= 2
    N = library.transform(x)[:, nonlinear] @ coef[:, nonlinear].T
    np.testing.assert_allclose(np.sum(x * N, axis=1), 0.0, atol=1e-12)
    assert np.abs(N).max() > 1


def test_quadratic_constraints_are_as_many_as_cubic_monomials():
    powers = PolynomialFeatures(2).fit(np.zeros((1, 3))).powers_
    constraints = energy_constraints(powers, 3)
    assert len(constraints.lhs) == 10
    assert np.linalg.matrix_rank(constraints.lhs.reshape(10, -1)) == 10
    # Constant and linear terms are free.
    assert not constraints.lhs[:, :, powers.sum(axis=1) < 2].any()


def test_controls_carry_no_energy():
    powers = np.array([[1, 0, 1], [1, 1, 0]])  # x0 u and x0 x1
    lhs = energy_constraints(powers, 2).lhs
    assert not lhs[:, :, 0].any()
    assert lhs[:, :, 1].any()


def test_gradients_are_those_of_the_terms():
    library = PolynomialFeatures(2).fit(np.zeros((1, 3)))
    constant, linear = gradients(library.powers_, 3)
    x = np.array([0.3, -1.2, 2.0])
    steps = 1e-6 * np.eye(3)
    slopes = (library.transform(x + steps) - library.transform(x - steps)) / 2e-6
    np.testing.assert_allclose(constant + np.tensordot(x, linear, 1), slopes, atol=1e-8)


def test_lorenz_is_calmest_above_its_saddle():
    powers = PolynomialFeatures(2).fit(np.zeros((1, 3))).powers_
    coef = np.zeros((3, 10))
    coef[0, [1, 2]] = -10, 10
    coef[1, [1, 2, 6]] = 28, -1, -1
    coef[2, [3, 5]] = -8 / 3, 1
    constant, linear = gradients(powers, 3)
    center = calmest_center(coef, constant, linear)
    np.testing.assert_allclose(center, [0, 0, 38], atol=1e-2)
    rates = np.linalg.eigvalsh(growth(coef, constant + np.tensordot(center, linear, 1)))
    np.testing.assert_allclose(rates, [-10, -8 / 3, -1], atol=1e-4)
