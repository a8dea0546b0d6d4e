"""The kernel of networks in training."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge

from skdyn.kernels import NNGPKernel, NTKKernel

FUNCTIONS = {"relu": torch.relu, "erf": torch.erf, "sin": torch.sin}
WEIGHT, BIAS = 1.5, 0.3


def rows():
    return np.random.default_rng(1).normal(size=(3, 2))


def drawn(sizes, generator):
    """Weights and biases of a network, all from the standard normal distribution."""
    shapes = [s for n, m in pairwise(sizes) for s in ((n, m), (m,))]
    return [torch.randn(*s, generator=generator, dtype=torch.float64) for s in shapes]


def network(parameters, x, activation):
    """Output for one row, in the parametrization of the tangent kernel."""
    for layer in range(0, len(parameters), 2):
        weight, bias = parameters[layer : layer + 2]
        x = activation(x) if layer else x
        x = (WEIGHT / len(weight)) ** 0.5 * x @ weight + BIAS**0.5 * bias
    return x[0]


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_wide_networks_have_this_tangent_kernel(activation):
    """Within three standard errors of eight networks of width 1024, and what width leaves."""
    X, generator = torch.from_numpy(rows()), torch.Generator().manual_seed(0)
    empirical = []
    for _ in range(8):
        parameters = drawn((2, 1024, 1024, 1), generator)
        gradient = torch.func.grad(lambda p, x: network(p, x, FUNCTIONS[activation]))
        flat = torch.stack([
            torch.cat([g.flatten() for g in gradient(parameters, x)]) for x in X
        ])  # fmt: skip
        empirical.append((flat @ flat.T).numpy())
    error = np.std(empirical, axis=0, ddof=1) / np.sqrt(len(empirical))
    K = NTKKernel(2, activation, WEIGHT, BIAS)(X.numpy())
    assert (np.abs(np.mean(empirical, axis=0) - K) < 3 * error).all()
    assert (error < 0.05 * K.max()).all()
    assert not (np.abs(NNGPKernel(2, activation, WEIGHT, BIAS)(X.numpy()) - K) < 3 * error).any()


def test_a_trained_wide_network_ends_at_the_kernels_regression():
    """Gradient descent from a small start, on the squared error of four rows."""
    generator = torch.Generator().manual_seed(0)
    X = torch.tensor([[-1.0, 0.2], [0.3, -0.5], [0.8, 0.9], [-0.2, -1.0]], dtype=torch.float64)
    y = torch.tensor([1.0, -0.5, 0.3, 0.0], dtype=torch.float64)
    query = torch.tensor([[0.1, 0.1], [-0.6, 0.4]], dtype=torch.float64)
    parameters = drawn((2, 2048, 1), generator)
    outputs = torch.func.vmap(network, in_dims=(None, 0, None))
    start = [p.clone() for p in parameters]

    def function(parameters, X):  # less the start: a network that begins at zero
        return outputs(parameters, X, torch.erf) - outputs(start, X, torch.erf)

    gradient = torch.func.grad(lambda p: (function(p, X) - y).square().sum() / 2)
    for _ in range(300):
        steps = gradient(parameters)
        parameters = [p - 0.4 * step for p, step in zip(parameters, steps, strict=True)]
    kernel = NTKKernel(1, "erf", WEIGHT, BIAS)
    wanted = KernelRidge(kernel=kernel, alpha=1e-8).fit(X.numpy(), y.numpy()).predict(query.numpy())
    np.testing.assert_allclose(function(parameters, X).numpy(), y.numpy(), atol=0.02)
    np.testing.assert_allclose(function(parameters, query).numpy(), wanted, atol=0.05)
