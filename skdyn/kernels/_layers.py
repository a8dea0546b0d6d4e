"""The recursion over the layers of a wide network: kernels of pairs of rows, and their slopes."""

from typing import NamedTuple

import numpy as np

from skdyn.kernels._moments import ACTIVATIONS

__all__ = ["Layer", "Network", "SlopesOfPairs", "first_layer", "layers_above", "slopes_of_pairs"]


class Network(NamedTuple):
    """What a wide network is after its first layer.

    Attributes
    ----------
    depth : int
        Number of hidden layers.
    activation : str
        A name of :data:`~skdyn.kernels._moments.ACTIVATIONS`.
    weight, bias : float
        Variances of the weights, times their number of inputs, and of the biases.
    """

    depth: int
    activation: str
    weight: float
    bias: float


class Layer(NamedTuple):
    """A linear layer as pairs of rows see it.

    Attributes
    ----------
    u, v : ndarray of shape (n, 1) and (1, m), or both of shape (n,)
        Variances of a node that sees a row of the one table, or of the other.
    gap : ndarray of shape (n, m) or (n,)
        Variance of the difference of both.
    kernel : ndarray, in the shape of the gap
        Covariance of both: the kernel of the network that ends here, with random weights.
    tangent : ndarray, in the shape of the gap, or None
        Tangent kernel of the network that ends here, where it is wanted.
    mean, prime : ndarray, in the shape of the gap, or None
        Means of the activation, and of its derivative, of both nodes below; None in the first.
    """

    u: np.ndarray
    v: np.ndarray
    gap: np.ndarray
    kernel: np.ndarray
    tangent: np.ndarray | None
    mean: np.ndarray | None = None
    prime: np.ndarray | None = None


class SlopesOfPairs(NamedTuple):
    """Derivatives of the output of a network for pairs of rows of one table.

    Attributes
    ----------
    row, gap : ndarray of shape (n, n)
        By what enters from the first layer: the variance of the row before, and the gap. By
        symmetry the variance of the row behind has the transpose.
    weight, bias : ndarray of shape (n, n)
        By the variances of all layers after the first.
    """

    row: np.ndarray
    gap: np.ndarray
    weight: np.ndarray
    bias: np.ndarray


def first_layer(u, v, gap, with_tangent):
    """Return the first layer: linear in its weights, so that both kernels are the covariance."""
    kernel = (u + v - gap) / 2
    return Layer(u, v, gap, kernel, kernel if with_tangent else None)


def layers_above(network, first):
    """Return all layers from a first one to the output."""
    means = ACTIVATIONS[network.activation].means
    weight, bias = network.weight, network.bias
    layers = [first]
    for _ in range(network.depth):
        u, v, gap, _, tangent, *_ = layers[-1]
        mean, prime = means(u, v, gap)
        of_u, of_v = (means(a, a, np.zeros_like(a))[0] for a in (u, v))
        kernel = bias + weight * mean
        layers.append(Layer(
            bias + weight * of_u, bias + weight * of_v,
            weight * np.maximum(of_u + of_v - 2 * mean, 0.0),
            kernel, None if tangent is None else kernel + weight * prime * tangent, mean, prime,
        ))  # fmt: skip
    return layers


def slopes_of_pairs(network, layers):
    """Return the derivatives of the last of the layers, whose rows and columns are the same.

    From the output back: an entry is one number that depends on five, so that one pass is enough.
    """
    weight, activation = network.weight, ACTIVATIONS[network.activation]
    wants_tangent = layers[0].tangent is not None
    zero = np.zeros_like(layers[0].gap)
    # Derivatives by what the layer above tells: kernel, tangent, variance of the row, gap.
    by_kernel, by_tangent, by_row, by_gap = np.ones_like(zero), zero, zero, zero
    if wants_tangent:
        by_kernel, by_tangent = zero, by_kernel
    total_weight, total_bias = np.zeros_like(zero), np.zeros_like(zero)
    for below, above in zip(layers[-2::-1], layers[:0:-1], strict=True):
        u, v, gap, _, tangent, *_ = below
        # The tangent kernel is the kernel and something more.
        by_kernel = by_kernel + by_tangent
        own = by_row * above.u
        total_bias += by_kernel + by_row + by_row.T
        # All but the biases is in proportion to the variance of the weights.
        total_weight += by_kernel * above.mean + by_gap * above.gap / weight
        total_weight += (own + own.T - network.bias * (by_row + by_row.T)) / weight
        by_mean, by_row_mean = weight * (by_kernel - 2 * by_gap), weight * (by_row + by_gap)
        own_slope = sum(activation.mean_slopes(u, u, np.zeros_like(u)))
        by_row = by_mean * activation.mean_slopes(u, v, gap)[0] + by_row_mean * own_slope
        by_gap = -by_mean * above.prime / 2
        if wants_tangent:
            total_weight += by_tangent * above.prime * tangent
            by_prime = weight * by_tangent * tangent
            of_row, _, of_gap = activation.prime_slopes(u, v, gap)
            by_row = by_row + by_prime * of_row
            by_gap = by_gap + by_prime * of_gap
            by_tangent = weight * by_tangent * above.prime
        by_kernel = zero
    # The first layer's tangent kernel is its covariance, (u + v - gap) / 2.
    return SlopesOfPairs(by_row + by_tangent / 2, by_gap - by_tangent / 2, total_weight, total_bias)
