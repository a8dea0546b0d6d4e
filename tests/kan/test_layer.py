"""A layer: sums of edges, products of sums, and grids that move under the same functions."""

import pytest
import torch

from skdyn.kan._layer import KANLayer


def layer(n_in=3, n_sum=2, n_mult=0, basis="bspline", grid_size=4):
    return KANLayer(n_in, n_sum, n_mult, basis, grid_size, 3, "linear").double()


def points(n=50, n_in=3):
    return torch.randn(n, n_in, dtype=torch.float64)


def test_the_subnodes_are_the_sums_of_the_edges_and_a_bias():
    made, x = layer(), points()
    with torch.no_grad():
        made.bias.normal_()
    torch.testing.assert_close(made.subnodes(x), made.edges(x).sum(dim=1) + made.bias)


def test_a_product_node_multiplies_two_sums():
    made, x = layer(n_sum=1, n_mult=2), points()
    sums = made.subnodes(x)
    assert sums.shape == (50, 5)
    expected = torch.stack([sums[:, 0], sums[:, 1] * sums[:, 2], sums[:, 3] * sums[:, 4]], dim=1)
    torch.testing.assert_close(made(x), expected)


def test_an_edge_that_is_masked_adds_nothing():
    made, x = layer(), points()
    made.mask[1, 0] = 0
    assert not made.standing()[1, 0]
    assert made.standing().sum() == 5
    torch.testing.assert_close(made.edges(x)[:, 1, 0], torch.zeros(50, dtype=torch.float64))
    torch.testing.assert_close(made.subnodes(x), made.edges(x).sum(dim=1) + made.bias)


@pytest.mark.parametrize("basis", ["bspline", "chebyshev", "fourier", "selectable"])
def test_refinement_leaves_the_function_as_it_is(basis):
    made, x = layer(basis=basis), points()
    made.adapt(x)
    with torch.no_grad():
        made.weight.normal_()
    before = made(x)
    made.refine(7)
    assert made.weight.shape[1] == made.basis.n_functions + 1
    torch.testing.assert_close(made(x), before, rtol=0, atol=1e-10)


def test_adapting_the_grid_keeps_functions_that_both_grids_hold():
    made, x = layer(), points()
    with torch.no_grad():  # a straight line is a spline on any grid, and stays one outside
        made.weight.zero_()
        greville = made.basis.fit(x, 2 * x[..., None].expand(-1, -1, 2))
        made.weight[:, :-1] = greville
    before = made(x)
    made.adapt(x)
    torch.testing.assert_close(made(x), before)


def test_other_first_weights_are_drawn_from_the_generator():
    made, x = layer(), points()
    before = made(x)
    made.redraw(torch.Generator().manual_seed(0))
    first = made(x)
    made.redraw(torch.Generator().manual_seed(0))
    torch.testing.assert_close(made(x), first)
    assert (first - before).abs().max() > 0.1
