"""The kernel of random networks."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF

from skdyn.kernels import NNGPKernel

FUNCTIONS = {"relu": lambda x: np.maximum(x, 0), "sin": np.sin}


def rows():
    return np.random.default_rng(1).normal(size=(5, 3))


def test_a_layer_of_relus_is_the_kernel_of_cho_and_saul():
    """Their arc-cosine kernel of degree one, half of it."""
    X = rows()
    norms = np.linalg.norm(X, axis=1)
    angle = np.arccos(np.clip(X @ X.T / np.outer(norms, norms), -1, 1))
    wanted = np.outer(norms, norms) * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / np.pi
    K = NNGPKernel(weight_var=2.0, bias_var=0.0, input_var=3.0)(X)
    np.testing.assert_allclose(K, wanted, rtol=1e-7)


def test_a_layer_of_sines_with_large_biases_is_an_rbf_kernel():
    X = rows()
    kernel = NNGPKernel(1, "sin", weight_var=2.0, bias_var=50.0, input_var=3 / 0.7**2)
    np.testing.assert_allclose(kernel(X) - 50.0, RBF(0.7)(X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_random_networks_have_this_covariance(activation):
    """Within five standard errors of 200 networks of width 100 with two hidden layers."""
    X, random_state, n, width = rows(), np.random.default_rng(0), 200, 100
    nodes = np.broadcast_to(X, (n, *X.shape))
    for size in (width, width, 1):
        weight = random_state.normal(size=(n, nodes.shape[2], size)) * np.sqrt(1.5 / nodes.shape[2])
        entering = nodes @ weight + random_state.normal(size=(n, 1, size)) * np.sqrt(0.3)
        nodes = FUNCTIONS[activation](entering)
    products = entering * entering[..., 0][:, None, :]
    error = products.std(axis=0) / np.sqrt(n)
    K = NNGPKernel(2, activation, 1.5, 0.3)(X)
    assert (np.abs(products.mean(axis=0) - K) < 5 * error).all()
