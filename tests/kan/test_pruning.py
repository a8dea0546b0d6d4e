"""Cutting: what is dead changes nothing, what lives leaves its mean."""

import torch

from skdyn.kan._network import KAN
from skdyn.kan._pruning import cut_edges, without_nodes
from skdyn.kan._scores import edge_means


def network(basis="bspline"):
    return KAN(((3, 0), (3, 2), (2, 0)), basis, 4, 3, "linear").double()


def points(n=60):
    return torch.randn(n, 3, dtype=torch.float64)


def all_edges(net):
    return [torch.ones_like(layer.mask, dtype=torch.bool) for layer in net.layers]


def test_cutting_a_dead_edge_changes_no_prediction():
    net, x = network(), points()
    with torch.no_grad():
        net.layers[0].weight[1, :, 2] = 0.0
    before, keep = net(x), all_edges(net)
    keep[0][1, 2] = False
    cut_edges(net, keep, edge_means(net, x))
    assert not net.layers[0].standing()[1, 2]
    torch.testing.assert_close(net(x), before)


def test_a_cut_edge_leaves_its_mean_behind():
    net, x = network(), points()
    before, keep = net.layers[1].subnodes(net.inputs(x)[1]).mean(dim=0), all_edges(net)
    keep[1][0] = False
    cut_edges(net, keep, edge_means(net, x))
    torch.testing.assert_close(net.layers[1].subnodes(net.inputs(x)[1]).mean(dim=0), before)


def test_taking_out_nodes_that_are_cut_off_changes_no_prediction():
    for basis in ("bspline", "wavelet", "selectable"):
        net, x = network(basis), points()
        keep = all_edges(net)
        stays = torch.tensor([True, False, True, False, True])
        keep[1][~stays] = False
        cut_edges(net, keep, edge_means(net, x))
        smaller = without_nodes(net, [stays])
        assert smaller.plan["layer_sizes"] == ((3, 0), (2, 1), (2, 0))
        torch.testing.assert_close(smaller(x), net(x))


def test_masks_of_edges_that_stay_are_kept():
    net = network()
    net.layers[0].mask[0, 2] = 0
    stays = torch.tensor([False, True, True, True, True])
    smaller = without_nodes(net, [stays])
    assert smaller.layers[0].mask[0, 1] == 0
    assert smaller.layers[0].mask.sum() == smaller.layers[0].mask.numel() - 1
