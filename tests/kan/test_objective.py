"""What is minimized: penalties with closed forms."""

import math

import pytest
import torch

from skdyn.kan._evidence import Evidence
from skdyn.kan._layer import KANLayer
from skdyn.kan._network import KAN
from skdyn.kan._objective import KANObjective, bending, crowding, edge_sizes, penalty_form


def a_layer(n_in=2, n_sum=1):
    made = KANLayer(n_in, n_sum, 0, "bspline", 5, 3, "linear").double()
    with torch.no_grad():
        made.weight.zero_()
    return made


def set_edge(layer, i, j, function):
    mesh = layer.basis.mesh()
    values = function(mesh)[..., None].expand(-1, -1, layer.n_subnodes)
    with torch.no_grad():
        layer.weight[i, :-1, j] = layer.basis.fit(mesh, values)[i, :, j]


def test_a_straight_edge_does_not_bend_and_a_parabola_does_by_its_curvature():
    layer = a_layer()
    set_edge(layer, 0, 0, lambda x: 3 * x + 1)
    assert abs(bending(layer).item()) < 1e-9
    set_edge(layer, 1, 0, lambda x: x**2)
    # On [-1, 1] read as of length one, x^2 has the second derivative 8 everywhere.
    assert bending(layer).item() == pytest.approx(64, rel=0.02)


def test_the_size_of_an_edge_is_its_standard_deviation_with_weights_as_repeats():
    layer = a_layer()
    set_edge(layer, 0, 0, lambda x: 2 * x + 5)
    x = torch.rand(40, 2, dtype=torch.float64)
    assert edge_sizes(layer, x)[0, 0].item() == pytest.approx(2 * x[:, 0].std(correction=0).item())
    weight = torch.randint(0, 3, (40,)).double()
    repeated = x.repeat_interleave(weight.long(), dim=0)
    torch.testing.assert_close(edge_sizes(layer, x, weight), edge_sizes(layer, repeated))


def test_the_price_of_equal_edges_is_their_sum_and_the_logarithm_of_their_number():
    module = KAN(((2, 0), (1, 0)), "bspline", 5, 3, "linear").double()
    layer = module.layers[0]
    with torch.no_grad():
        layer.weight.zero_()
    for i in (0, 1):
        set_edge(layer, i, 0, lambda x: x)
    column = torch.linspace(-1, 1, 50, dtype=torch.float64)
    X = torch.stack([column, column.flip(0)], dim=1)
    objective = KANObjective(None, None, Evidence(0.0, 0.0, 50.0, None), 1.0, 3.0, 5.0)
    ones = torch.ones(50, dtype=torch.float64)
    expected = 3 * 2 * column.std(correction=0) + 5 * math.log(2)
    torch.testing.assert_close(objective.sparsity(module, X, ones), expected, rtol=1e-5, atol=0)


def test_an_edge_of_zero_has_a_gradient_of_zero():
    module = KAN(((2, 0), (1, 0)), "bspline", 3, 3, "linear").double()
    with torch.no_grad():
        module.layers[0].weight[1].zero_()
    objective = KANObjective(None, None, Evidence(0.0, 0.0, 50.0, None), 1.0, 1.0, 2.0)
    objective.sparsity(module, torch.randn(30, 2).double(), torch.ones(30).double()).backward()
    gradient = module.layers[0].weight.grad
    assert torch.isfinite(gradient).all()
    assert gradient[1].abs().max() < 1e-6


def test_in_a_wide_layer_straight_edges_pay_least_and_the_residual_most():
    def paid(function=None):
        layer = a_layer(n_in=64)
        if function is None:
            with torch.no_grad():
                layer.weight[0, -1, 0] = 1.0
        else:
            set_edge(layer, 0, 0, function)
        return (crowding(layer) / layer.weight.square().sum()).item()

    # A width of 4 by the powers 1, 1.5 and 2, less what the optimizer's own penalty takes.
    assert paid(lambda x: x) == pytest.approx(3, rel=1e-6)
    assert paid(lambda x: x**2) == pytest.approx(7, rel=1e-6)
    assert paid() == pytest.approx(15)


def test_a_narrow_layer_pays_nothing_more_and_validation_nothing_at_all():
    module = KAN(((64, 0), (2, 0)), "bspline", 5, 3, "linear")
    assert crowding(KAN(((16, 0), (2, 0)), "bspline", 5, 3, "linear").layers[0]) == 0.0
    objective = KANObjective(None, None, Evidence(0.0, 0.0, 50.0, None), 0.0, 1.0, 1.0, alpha=2.0)
    zero = torch.zeros(())
    paid = objective.penalized(zero, module, None, None)
    torch.testing.assert_close(paid, crowding(module.layers[0]))
    assert objective.penalized(zero, module.eval(), None, None) == 0.0


@pytest.mark.parametrize("n_in", [3, 40])
def test_the_form_of_the_penalties_is_their_sum(n_in):
    layer = KANLayer(n_in, 2).double()
    form = penalty_form(layer, 0.3, 2.0)
    weight = layer.weight.detach()
    found = torch.einsum("ikj,ikl,ilj->", weight, form, weight).item()
    assert found == pytest.approx((0.3 * bending(layer) + crowding(layer)).item())


def test_the_penalty_follows_weights_grids_and_cuts():
    objective = KANObjective(None, None, Evidence(0.3, 0.0, 9.0, None), 0.0, 1.0, 2.0, alpha=2.0)
    module = KAN(((40, 0), (2, 0), (1, 0)), "bspline", 5, 3, "linear").double()

    def penalty():
        return objective.penalized(torch.zeros(()), module, None, None).item()

    def separate():
        return sum((0.3 * bending(layer) + crowding(layer)).item() for layer in module.layers)

    first, found = module.layers[0], []
    with torch.no_grad():
        for change in (lambda: None, lambda: first.weight.mul_(2.0), lambda: first.mask[3].zero_(),
                       lambda: module.adapt(torch.rand(30, 40).double()),
                       lambda: module.refine(7)):  # fmt: skip
            change()
            found.append(penalty())
            assert found[-1] == pytest.approx(separate())
    assert len(set(found)) == 5
