"""Learned integrals: quadrature, norms, what is penalized."""

import numpy as np
import pytest
import torch
from scipy.integrate import trapezoid

from skdyn import AdaFNNRegressor
from skdyn.datasets import make_gaussian_random_field
from skdyn.operators._adaptive_basis import AdaptiveBasisNetwork, quadrature

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_weights_are_those_of_the_trapezoidal_rule():
    values = np.random.default_rng(0).standard_normal((5, 4))
    expected = trapezoid(trapezoid(values, dx=1 / 3), dx=1 / 4)
    found = quadrature((5, 4), periodic=False).double() @ torch.from_numpy(values).ravel()
    assert float(found) == pytest.approx(expected, rel=1e-6)
    torch.testing.assert_close(quadrature((8,), periodic=True), torch.full((8,), 1 / 8))


@pytest.mark.parametrize("grid", [(9,), (4, 5), (3, 4, 3), (1,)])
def test_weights_sum_to_one(grid):
    assert float(quadrature(grid, False).sum()) == pytest.approx(1.0)


def network(periodic=False):
    return AdaptiveBasisNetwork(2, 3, 1, 4, (16,), (8,), periodic).double()


def test_functions_have_mean_square_one_and_their_integrals_are_the_features():
    module, x = network(), torch.randn(6, 2, 33, dtype=torch.float64)
    functions = module.functions((33,), x).detach()
    squares = trapezoid(functions.square().sum(1).numpy(), dx=1 / 32)
    np.testing.assert_allclose(squares, 1.0, rtol=1e-6)
    integrals = trapezoid((functions * x[:, None]).sum(2).numpy(), dx=1 / 32)
    expected = module.head(torch.from_numpy(integrals))
    torch.testing.assert_close(module(x), expected, rtol=1e-5, atol=1e-7)


def test_answers_hardly_depend_on_the_grid():
    module = network(periodic=True)
    fields = make_gaussian_random_field(8, 128, n_modes=3, random_state=0).reshape(4, 2, 128)
    fine = torch.from_numpy(fields)
    torch.testing.assert_close(module(fine), module(fine[..., ::4]), rtol=0, atol=1e-3)


@pytest.mark.parametrize("penalty", ["orthogonality", "sparsity"])
def test_penalties_lower_what_they_weigh(penalty):
    X = make_gaussian_random_field(60, 24, random_state=0)
    y = X[:, 6:12].mean(axis=1)
    seen = []
    for weight in (0.0, 3.0):
        model = AdaFNNRegressor(
            3, basis_layer_sizes=(16,), max_iter=40, learning_rate=0.02, random_state=0,
            batch_size="auto",
            **{penalty: weight},
        ).fit(X, y)  # fmt: skip
        functions = model.basis_functions()[:, 0]
        assert functions.shape == (3, 24)
        products = np.abs(functions @ functions.T - np.diag(np.square(functions).sum(1))).sum()
        seen.append(products if penalty == "orthogonality" else np.abs(functions).mean())
    assert seen[1] < 0.8 * seen[0]
