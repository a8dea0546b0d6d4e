"""The closed forms, beside the integrals they stand for."""

import numpy as np
import pytest
from scipy.special import erf

from skdyn.kernels._moments import ACTIVATIONS

# Variances of u and v, and their correlation.
PLACES = [(0.7, 0.7, 0.3), (1.3, 0.2, -0.8), (2.0, 1.0, 0.95), (0.05, 3.0, 0.0), (1.0, 1.0, 1.0)]
FUNCTIONS = {
    "erf": (erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-(x**2))),
    "sin": (np.sin, np.cos),
}


def gap_of(u, v, correlation):
    return u + v - 2 * correlation * np.sqrt(u * v)


def by_gauss_hermite(function, u, v, correlation):
    """E[function(U) function(V)] for smooth functions."""
    x, weight = np.polynomial.hermite_e.hermegauss(200)
    weight = weight / weight.sum()
    a, b = np.meshgrid(x, x, indexing="ij")
    second = np.sqrt(v) * (correlation * a + np.sqrt(1 - correlation**2) * b)
    return weight @ (function(np.sqrt(u) * a) * function(second)) @ weight


def by_angles(power, u, v, correlation):
    """E[(U V)^power] over U, V > 0: the radius in closed form, the angle by Gauss and Legendre."""
    between = np.arccos(correlation)
    # Of U = r cos(s), V = r cos(s - between) both are positive for s in the wedge.
    x, weight = np.polynomial.legendre.leggauss(60)
    width = np.pi - between
    s = between - np.pi / 2 + width * (x + 1) / 2
    moment = 2.0 if power else 1.0  # E[r^2], of the density r exp(-r^2 / 2)
    products = (np.cos(s) * np.cos(s - between)) ** power
    return moment * np.sqrt(u * v) ** power * (weight @ products) * width / 2 / (2 * np.pi)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_smooth_activations_have_the_means_of_a_quadrature(name, place):
    means = ACTIVATIONS[name].means(*place[:2], gap_of(*place))
    wanted = [by_gauss_hermite(function, *place) for function in FUNCTIONS[name]]
    np.testing.assert_allclose(means, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("place", PLACES)
def test_relu_has_the_means_of_a_quadrature(place):
    means = ACTIVATIONS["relu"].means(*place[:2], gap_of(*place))
    wanted = [by_angles(power, *place) for power in (1, 0)]
    np.testing.assert_allclose(means, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("place", PLACES[:-1])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_are_those_of_finite_differences(name, place):
    activation, at = ACTIVATIONS[name], np.array([*place[:2], gap_of(*place)])
    step = 1e-6 * np.eye(3)
    ahead, behind = (np.array([activation.means(*(at + s * d)) for d in step]) for s in (1, -1))
    of_mean, of_prime = (ahead - behind).T / 2e-6
    np.testing.assert_allclose(activation.mean_slopes(*at), of_mean[:2], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(-activation.means(*at)[1] / 2, of_mean[2], rtol=1e-6)
    np.testing.assert_allclose(activation.prime_slopes(*at), of_prime, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_far_variances_stay_finite(name):
    u, v = np.array([[1e-60], [1e-3], [1e60]]), np.array([[1e-60, 1e-3, 1e60]])
    with np.errstate(all="raise", under="ignore"):
        for gap in (np.square(np.sqrt(u) - np.sqrt(v)), u + v, np.square(np.sqrt(u) + np.sqrt(v))):
            found = [*ACTIVATIONS[name].means(u, v, gap), *ACTIVATIONS[name].mean_slopes(u, v, gap)]
            found += ACTIVATIONS[name].prime_slopes(u, v, gap)
            assert all(np.isfinite(values).all() for values in found)


def test_a_node_that_is_always_zero_contributes_nothing():
    zero, one = np.array(0.0), np.array(1.0)
    assert ACTIVATIONS["relu"].means(zero, one, one)[0] == 0
    assert np.isfinite(ACTIVATIONS["relu"].mean_slopes(zero, one, one)).all()


def test_a_small_angle_keeps_its_digits():
    """The arc cosine of a correlation would know 1e-9 as zero."""
    angle = 1e-9
    _, prime = ACTIVATIONS["relu"].means(1.0, 1.0, np.array(angle**2))
    np.testing.assert_allclose(np.pi * (1 - 2 * prime), angle, rtol=1e-6)
