"""Snapping edges: what is replaced, what is refitted, what is left alone."""

import math

import numpy as np
import pytest
import torch

from skdyn.kan._edge_fit import Candidate
from skdyn.kan._evidence import Evidence
from skdyn.kan._library import make_library
from skdyn.kan._network import KAN
from skdyn.kan._objective import KANObjective
from skdyn.kan._snapping import _refit, set_edge, snap_edges, squared_error


def network():
    torch.manual_seed(0)
    plan = {"basis": "bspline", "grid_size": 4, "spline_order": 3, "extrapolation": "linear"}
    module = KAN(((2, 0), (1, 0)), **plan).double()
    module.adapt(inputs())
    return module


def inputs():
    generator = torch.Generator().manual_seed(1)
    return 2 * torch.rand(200, 2, dtype=torch.float64, generator=generator) - 1


def snapped(target, library, allowed, minor=False):
    """A network that has learned the target, edges replaced by functions of the library."""
    X = inputs()
    y = target(*X.T)[:, None]
    module, losses = network(), squared_error(y.var().item())
    make_objective = lambda: KANObjective(  # noqa: E731
        *losses, Evidence(0.0, 0.0, len(X), "unknown"), 0.0, 1.0, 1.0
    )
    with torch.no_grad():  # one layer: least squares is all there is to learn
        features = torch.cat([module.layers[0].basis.features(X).flatten(1), torch.ones(200, 1)], 1)
        solution = torch.linalg.lstsq(features, y, driver="gelsd").solution
        module.layers[0].weight.copy_(solution[:-1].reshape(2, -1, 1))
        module.layers[0].bias.copy_(solution[-1])
    minor = [np.full((2, 1), minor)]
    batch = (X, y, torch.ones(200, dtype=torch.float64))
    accepts = allowed if callable(allowed) else lambda module, loss: loss <= allowed
    found = snap_edges(module, make_objective, batch, make_library(library), accepts, minor, 1e-8)
    return found, (found(X) - y).square().mean().item() / y.var().item()


def test_functions_that_fit_are_found_and_refitted_to_rounding():
    found, loss = snapped(lambda a, b: torch.exp(a) + torch.sin(3 * b), None, 1e-4)
    assert {place: edge.name for place, edge in found.layers[0].symbolic.items()} == {
        "0_0": "exp",
        "1_0": "sin",
    }
    assert not found.layers[0].mask.any()
    assert loss < 1e-20


def test_an_edge_stays_where_every_function_costs_too_much():
    found, loss = snapped(lambda a, b: torch.exp(a) + torch.sin(5 * b), ["x", "exp"], 0.02)
    assert list(found.layers[0].symbolic) == ["0_0"]
    assert found.layers[0].mask.tolist() == [[0.0], [1.0]]
    assert loss < 0.02


def test_an_edge_that_is_nothing_becomes_nothing():
    found, loss = snapped(lambda a, b: torch.exp(a) + 0 * b, None, 1e-6, minor=True)
    assert list(found.layers[0].symbolic) == ["0_0"]
    assert loss < 1e-20


def test_an_edge_that_shrinks_to_nothing_is_swept_away():
    found, loss = snapped(lambda a, b: torch.exp(a) + 0 * b, ["x", "exp"], 1e-6)
    assert list(found.layers[0].symbolic) == ["0_0"]
    assert not found.layers[0].mask.any()
    assert loss < 1e-12


def test_a_network_that_is_not_real_at_some_row_has_no_loss():
    module, X = network(), inputs()
    set_edge(module.layers[0], 0, 0, Candidate("sqrt", 1.0, 0.9, 1.0, 0.0, 1.0, 2))
    y = (X[:, :1] + 0.9).clamp(min=0).sqrt()
    objective = KANObjective(
        *squared_error(1.0), Evidence(0.0, 0.0, len(X), "unknown"), 0.0, 1.0, 1.0
    )
    assert math.isnan(_refit(module, objective, (X, y, torch.ones_like(X[:, 0]))))


def test_an_edge_that_cost_too_much_is_tried_again_after_the_others():
    """The first function alone is refused, as beside splines; both together are accepted."""
    tried = []

    def accepts(module, loss):
        tried.append(list(module.layers[0].symbolic))
        return len(tried) > 1

    found, loss = snapped(lambda a, b: torch.exp(a) + torch.sin(3 * b), None, accepts)
    assert len(found.layers[0].symbolic) == 2
    assert len(tried) == 3
    assert tried[0] != tried[1]
    assert loss < 1e-20


def test_no_edge_is_swept_away_that_the_loss_needs():
    """Beside an edge of a million, one of one is dust by size."""
    module, X = network(), inputs()
    layer = module.layers[0]
    with torch.no_grad():
        set_edge(layer, 0, 0, Candidate("x", 1.0, 0.0, 1e6, 0.0, 1.0, 1))
        set_edge(layer, 1, 0, Candidate("x", 1.0, 0.0, 1.0, 0.0, 1.0, 1))
        y = module(X)
    losses = squared_error(1.0)
    make_objective = lambda: KANObjective(  # noqa: E731
        *losses, Evidence(0.0, 0.0, len(X), "unknown"), 0.0, 1.0, 1.0
    )
    batch = (X, y, torch.ones(len(X), dtype=torch.float64))
    found = snap_edges(module, make_objective, batch, [], lambda *_: True, [], 1e-8)
    assert set(found.layers[0].symbolic) == {"0_0", "1_0"}
    torch.testing.assert_close(found(X), y)


def test_setting_an_edge_replaces_it_and_it_alone():
    layer, x = network().layers[0], inputs()
    before = layer.edges(x)
    set_edge(layer, 1, 0, Candidate("sin", 2.0, 0.1, 3.0, -1.0, 1.0, 2))
    after = layer.edges(x)
    assert torch.equal(after[:, 0], before[:, 0])
    assert torch.allclose(after[:, 1, 0], 3 * torch.sin(2 * x[:, 1] + 0.1) - 1)
    assert torch.allclose(layer(x), after.sum(dim=1) + layer.bias)


def test_a_constant_becomes_part_of_the_bias():
    layer, x = network().layers[0], inputs()
    bias = layer.bias.item()
    set_edge(layer, 1, 0, Candidate("0", 1.0, 0.0, 0.0, 2.5, 1.0, 0))
    assert not layer.symbolic
    assert layer.bias.item() == pytest.approx(bias + 2.5)
    assert torch.allclose(layer(x), layer.edges(x)[:, 0] + layer.bias)


def test_curvature_of_the_squared_error_is_its_derivative():
    row_loss, curvature = squared_error(2.0)
    outputs = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    y = torch.zeros(5, 3, dtype=torch.float64)
    (slope,) = torch.autograd.grad(row_loss(outputs, y).sum(), outputs)
    gradient, factor = curvature(outputs.detach(), y)
    assert torch.allclose(gradient, slope)
    hessian = torch.autograd.functional.hessian(lambda o: row_loss(o, y[:1]).sum(), outputs[:1])
    assert torch.allclose(factor[0] @ factor[0].T, hessian[0, :, 0])
