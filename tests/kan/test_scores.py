"""Scores of edges and inputs."""

import torch

from skdyn.kan._network import KAN
from skdyn.kan._scores import edge_means, node_quantiles, score_edges


def network(sizes=((3, 0), (2, 1), (2, 0))):
    return KAN(sizes, "bspline", 4, 3, "linear").double()


def points(n=60):
    return torch.randn(n, 3, dtype=torch.float64)


def test_permuting_inputs_permutes_the_scores():
    net, x, order = network(), points(), [2, 0, 1]
    edges, nodes = score_edges(net, x)
    with torch.no_grad():
        net.layers[0].weight.copy_(net.layers[0].weight[order])
    permuted_edges, permuted_nodes = score_edges(net, x[:, order])
    torch.testing.assert_close(permuted_edges[0], edges[0][order])
    torch.testing.assert_close(permuted_nodes[0], nodes[0][order])
    torch.testing.assert_close(permuted_edges[1], edges[1])


def test_the_only_edge_of_a_node_has_the_nodes_score():
    net = network(((3, 0), (1, 0), (1, 0)))
    for layer, keep in zip(net.layers, (0, 0), strict=True):
        layer.mask.zero_()
        layer.mask[keep] = 1
    edges, nodes = score_edges(net, points())
    torch.testing.assert_close(nodes[1], torch.ones(1, dtype=torch.float64))
    torch.testing.assert_close(nodes[0], torch.tensor([1.0, 0, 0], dtype=torch.float64))
    assert edges[0].shape == (3, 1)


def test_an_edge_without_a_way_on_counts_for_nothing():
    net = network()
    net.layers[1].mask[1] = 0
    edges, nodes = score_edges(net, points())
    assert nodes[1][1] == 0
    assert (edges[0][:, 1] == 0).all()


def test_a_row_of_weight_two_counts_as_two_rows():
    net, x = network(), points(10)
    weight = torch.randint(0, 3, (10,)).double()
    repeated = x.repeat_interleave(weight.long(), dim=0)
    for one, other in zip(score_edges(net, x, weight)[0], score_edges(net, repeated)[0]):
        torch.testing.assert_close(one, other)
    for one, other in zip(edge_means(net, x, weight), edge_means(net, repeated)):
        torch.testing.assert_close(one, other)


def test_the_quantiles_of_a_node_begin_and_end_at_its_extremes():
    net, x = network(), points()
    for quantiles, seen in zip(node_quantiles(net, x), net.inputs(x), strict=True):
        assert quantiles.shape[1] == seen.shape[1]
        torch.testing.assert_close(quantiles[0], seen.amin(dim=0))
        torch.testing.assert_close(quantiles[-1], seen.amax(dim=0))
        assert (quantiles.diff(dim=0) >= 0).all()
