"""Branch and trunk: sums of functions with coefficients of the inputs."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from skdyn import AdaFNNRegressor, DeepONetRegressor
from skdyn.operators._adaptive_basis import AdaptiveBasisNetwork
from skdyn.operators._branch_trunk import BranchTrunkNetwork, coordinates


def network(**options):
    options = {
        "n_inputs": 2, "n_outputs": 3, "n_sensors": 5, "output_grid": (4, 6), "n_basis": 7,
        "basis": "trunk", "branch": "nonlinear", "merge": "concatenate",
        "hidden_layer_sizes": (8,), "periodic": False,
    } | options  # fmt: skip
    return BranchTrunkNetwork(**options).double()


def test_points_of_a_grid_are_listed_in_its_order():
    first = coordinates((3, 2), periodic=False)[:, 0]
    assert first.tolist() == [-1, -1, 0, 0, 1, 1]
    columns = coordinates((3, 2), periodic=False).shape[1] // 2
    assert coordinates((3, 2), periodic=False)[:, columns].tolist() == [-1, 1] * 3


def test_the_ends_of_a_circle_are_neighbors():
    points = coordinates((64,), periodic=True)
    torch.testing.assert_close(points[0], coordinates((32,), periodic=True)[0])
    gaps = torch.linalg.vector_norm(points - points.roll(1, 0), dim=1)
    torch.testing.assert_close(gaps, gaps[:1].expand(64))


def test_finer_grids_hold_the_same_points():
    fine, coarse = coordinates((9,), periodic=False), coordinates((5,), periodic=False)
    torch.testing.assert_close(fine[::2], coarse)


def test_answers_are_sums_of_the_trunks_functions():
    module = network()
    y = module(torch.randn(40, 2, 5, dtype=torch.float64)) - module.bias[..., None]
    rows = y.detach().reshape(120, 24)
    assert np.linalg.matrix_rank(rows.numpy(), tol=1e-9) <= 7
    functions = module.trunk(coordinates((4, 6), False).double()).detach()
    fitted = functions @ torch.linalg.lstsq(functions, rows.T).solution
    torch.testing.assert_close(fitted, rows.T)


def test_a_linear_branch_is_affine_and_a_product_of_them_is_affine_in_each():
    x, other = torch.randn(2, 1, 2, 5, dtype=torch.float64)
    middle = (x + other) / 2
    linear = network(branch="linear")
    torch.testing.assert_close(linear(middle), (linear(x) + linear(other)) / 2)
    product = network(branch="linear", merge="product")
    assert not torch.allclose(product(middle), (product(x) + product(other)) / 2)
    swap = torch.stack([other[:, 0], x[:, 1]], dim=1)
    half = torch.stack([middle[:, 0], x[:, 1]], dim=1)
    torch.testing.assert_close(product(half), (product(x) + product(swap)) / 2)


def test_modes_are_summed_around_the_mean():
    module = network(basis="pod", n_outputs=1)
    module.mean.fill_(3.0)
    x = torch.randn(2, 2, 5, dtype=torch.float64)
    assert (module(x) == 3.0).all()
    module.modes[0] = 1.0
    expected = module.branches[0](x.flatten(1))[:, 0] + 3.0
    torch.testing.assert_close(module(x)[:, 0, 1, 2], expected)


@pytest.mark.parametrize("basis", ["trunk", "pod"])
def test_answers_may_be_numbers(basis):
    module = network(basis=basis, output_grid=(), n_basis=2)
    assert module(torch.randn(6, 2, 5, dtype=torch.float64)).shape == (6, 3)


@pytest.mark.parametrize(
    "estimator",
    [
        DeepONetRegressor(hidden_layer_sizes=(8, 0)),
        AdaFNNRegressor(hidden_layer_sizes=(8, 0)),
        AdaFNNRegressor(basis_layer_sizes=(0,)),
    ],
    ids=str,
)
def test_layers_without_a_unit_are_refused(estimator):
    with pytest.raises(ValueError, match="_layer_sizes must be positive integers; got"):
        estimator.fit(np.eye(8), np.arange(8.0))


class Called(TorchDispatchMode):
    """Notes which of torch's functions are called."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names = {*getattr(self, "names", ()), str(func)}
        return func(*args, **kwargs or {})


@pytest.mark.parametrize(
    "module", [network(), AdaptiveBasisNetwork(2, 1, 1, 3, (4,), (4,), False).double()]
)
def test_coordinates_are_made_once_for_all_steps(module):
    x = torch.randn(3, 2, 5, dtype=torch.float64)
    with torch.inference_mode():
        module(x)
    with Called() as called:
        module(x).sum().backward()
    names = " ".join(called.names)
    assert not any(name in names for name in ("arange", "cos", "_to_copy", "scalar_dense"))
