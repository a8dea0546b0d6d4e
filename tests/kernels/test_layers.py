"""The recursion over layers, where it can be written down by hand."""

from itertools import pairwise

import numpy as np
import pytest

from skdyn.kernels._layers import Network, first_layer, layers_above, slopes_of_pairs
from skdyn.kernels._moments import ACTIVATIONS

WEIGHT, BIAS = 1.7, 0.3


def first(with_tangent=True):
    """Rows of a first layer, by their covariance."""
    rows = np.random.default_rng(0).normal(size=(5, 3))
    covariance = BIAS + rows @ rows.T
    u = np.diag(covariance)
    gap = np.maximum(u[:, None] + u - 2 * covariance, 0.0)
    np.fill_diagonal(gap, 0.0)
    return first_layer(u[:, None], u[None, :], gap, with_tangent)


def test_the_first_layer_is_linear():
    layer = first()
    np.testing.assert_allclose(np.diag(layer.kernel), layer.u[:, 0])
    np.testing.assert_array_equal(layer.kernel, layer.tangent)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_layer_follows_from_the_one_below(activation):
    layers = layers_above(Network(2, activation, WEIGHT, BIAS), first())
    for below, above in pairwise(layers):
        mean, prime = ACTIVATIONS[activation].means(*below[:3])
        np.testing.assert_allclose(above.kernel, BIAS + WEIGHT * mean)
        np.testing.assert_allclose(
            above.tangent, BIAS + WEIGHT * mean + below.tangent * WEIGHT * prime
        )
        np.testing.assert_allclose(np.diag(above.kernel), above.u[:, 0])
        np.testing.assert_allclose((above.u + above.v - above.gap) / 2, above.kernel, rtol=1e-12)


@pytest.mark.parametrize("with_tangent", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_slopes_are_those_of_finite_differences(activation, with_tangent):
    """Along directions that move both rows alike, as hyperparameters do."""
    network, start = Network(3, activation, WEIGHT, BIAS), first(with_tangent)
    slopes = slopes_of_pairs(network, layers_above(network, start))

    def output(network=network, scale=1.0, offset=0.0):
        moved = (scale * start.u + offset, scale * start.v + offset, scale * start.gap)
        last = layers_above(network, first_layer(*moved, with_tangent))[-1]
        return last.tangent if with_tangent else last.kernel

    def difference(change, h=1e-6):
        return (change(h) - change(-h)) / (2 * h)

    along = {
        "weight": (slopes.weight, lambda h: output(network._replace(weight=WEIGHT + h))),
        "bias": (slopes.bias, lambda h: output(network._replace(bias=BIAS + h))),
        "offset": (slopes.row + slopes.row.T, lambda h: output(offset=h)),
        "scale": (
            slopes.row * start.u + (slopes.row * start.u).T + slopes.gap * start.gap,
            lambda h: output(scale=1 + h),
        ),
    }
    for name, (found, change) in along.items():
        np.testing.assert_allclose(found, difference(change), rtol=1e-6, atol=1e-7, err_msg=name)
