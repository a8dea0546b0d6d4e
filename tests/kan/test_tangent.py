"""Outputs and derivatives by hand: those of the network and of autograd."""

import pytest
import torch

from skdyn.kan._network import KAN
from skdyn.kan._tangent import Tangent


def network(**options):
    torch.manual_seed(0)
    net = KAN((2, (2, 1), (1, 1), 2), grid_size=3, **options).double()
    X = torch.randn(30, 2, dtype=torch.float64)
    net.adapt(X)
    X[:3] *= 3  # far beyond the grids
    net.layers[1].mask[0, 1] = 0
    net.layers[2].mask[1] = 0
    return net, X


def autograd_rows(net, X, output):
    """Return the derivatives of an output at each row by all that is linear, in a layer's order."""
    rows = []
    for x in X:
        net.zero_grad()
        net(x[None])[0, output].backward()
        rows.append(torch.cat([w.grad.flatten() for layer in net.layers
                               for w in layer.linear_weights()]))  # fmt: skip
    return torch.stack(rows, dim=1)


def rows_of(made, output, n_weights):
    """Return the derivatives of an output by all that is linear."""
    by_output = torch.zeros(2, len(made.outputs), dtype=torch.float64)
    by_output[output] = 1
    out = torch.empty(n_weights, len(made.outputs), dtype=torch.float64)
    made.rows_of(by_output, slice(None), out)
    torch.testing.assert_close(made.gradient(by_output), out.sum(dim=1))
    return out


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"extrapolation": "constant"},
        {"spline_order": 0},
        {"basis": "rbf"},
        {"basis": "fourier", "extrapolation": "constant"},
        {"symbolic": ((0, 1, 2, "sin"), (1, 0, 0, "exp"), (2, 1, 1, "x^2"))},
    ],
    ids=str,
)
def test_outputs_and_derivatives_are_those_of_the_network(options):
    net, X = network(**options)
    for layer in net.layers:
        torch.nn.init.normal_(layer.weight)
    made = Tangent(net.layers, [torch.arange(layer.n_in) for layer in net.layers], X)
    torch.testing.assert_close(made.outputs, net(X).detach())
    for output in range(2):
        expected = autograd_rows(net, X, output)
        torch.testing.assert_close(rows_of(made, output, len(expected)), expected)


def test_inputs_without_edges_are_left_out():
    net, X = network()
    wanted = [torch.tensor([0, 1]), torch.arange(3), torch.tensor([0])]
    made = Tangent(net.layers, wanted, X)
    torch.testing.assert_close(made.outputs, net(X).detach())
    expected = autograd_rows(net, X, 0)
    cut = net.layers[2].weight[1].numel()
    edges = expected[: -net.layers[2].bias.numel()]
    assert not edges[-cut:].any()
    kept = torch.cat([edges[:-cut], expected[-net.layers[2].bias.numel() :]])
    torch.testing.assert_close(rows_of(made, 0, len(kept)), kept)
