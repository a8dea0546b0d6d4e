"""Levels of categories and missing numbers: values of their own, means where nothing is known."""

import torch

from skdyn.kan._layer import KANLayer
from skdyn.kan._levels import Levels
from skdyn.kan._network import KAN
from skdyn.kan._pruning import cut_edges, without_nodes
from skdyn.kan._tangent import Tangent


def layer():
    """Two numbers, the second of which has gaps, and a column of three levels."""
    made = KANLayer(3, 2).double()
    made.take_levels(Levels(2, (0, 0, 3), (1,)).double())
    X = torch.randn(40, 3, dtype=torch.float64)
    X[:, 2] = torch.arange(40) % 3
    X[::4, 1] = torch.nan
    weight = torch.rand(40, dtype=torch.float64)
    made.levels.look_at(X, weight)
    made.adapt(X)
    with torch.no_grad():
        made.levels.value.copy_(torch.randn(4, 2))
        made.weight.normal_()
    return made, X, weight


def test_edges_add_up_to_the_subnodes_by_either_way():
    made, X, _ = layer()
    known = made.features(X)
    sums = made.edges(X).sum(dim=1) + made.bias
    torch.testing.assert_close(made.subnodes(X), sums)
    torch.testing.assert_close(made.subnodes(X, known, torch.arange(3)), sums)
    assert sums.isfinite().all()


def test_an_unknown_level_is_the_mean_of_the_levels_over_the_training_data():
    made, X, weight = layer()
    unknown = torch.tensor([[0.0, 0.0, torch.nan]]).double()
    each = (weight[:, None] * made.edges(X)[:, 2]).sum(dim=0) / weight.sum()
    torch.testing.assert_close(made.edges(unknown)[0, 2], each)


def test_a_missing_number_is_the_mean_of_the_edge_and_a_value_of_its_own():
    made, _, _ = layer()
    gaps = torch.tensor([[torch.nan, torch.nan, 0.0]]).double()
    typical = made.levels.typical
    assert typical[:, 1].isfinite().all()
    means = made.edges(torch.nn.functional.pad(typical[:, :2], (0, 1))).mean(dim=0)
    found = made.edges(gaps)[0]
    torch.testing.assert_close(found[0], means[0])
    torch.testing.assert_close(found[1], means[1] + made.levels.value[3])


def test_derivatives_by_all_that_is_learned_are_those_of_autograd():
    made, X, _ = layer()
    toward = torch.randn(40, 2, dtype=torch.float64)
    (made.subnodes(X) * toward).sum().backward()
    expected = torch.cat([weight.grad.flatten() for weight in made.linear_weights()])
    rows = torch.empty(len(expected), 40, dtype=torch.float64)
    Tangent([made], [torch.arange(3)], X).rows_of(toward.T, slice(None), rows)
    torch.testing.assert_close(rows.sum(dim=1), expected)


def test_a_smaller_network_says_the_same_without_edges_that_were_nothing():
    net = KAN(((3, 0), (3, 0), (1, 0)), categories=(0, 0, 3), missing=(1,)).double()
    _, X, weight = layer()
    net.layers[0].levels.look_at(X, weight)
    with torch.no_grad():
        net.layers[0].levels.value.normal_()
    keep = [torch.ones(3, 3, dtype=torch.bool), torch.tensor([[True], [False], [True]])]
    keep[0][2, 2] = False
    cut_edges(net, keep, [torch.zeros(3, 3), torch.zeros(3, 1)])
    assert not net.layers[0].standing()[2, 2]
    smaller = without_nodes(net, [torch.tensor([True, False, True])])
    torch.testing.assert_close(smaller(X), net(X))
