"""All weights as one vector, which is read anew when they have changed."""

import torch

from skdyn.kan._network import KAN
from skdyn.kan._weight_vector import WeightVector


def network():
    torch.manual_seed(0)
    net = KAN((2, 3, 1), grid_size=3).double()
    net.layers[1].mask[1] = 0
    return net


def test_what_is_written_is_read_and_edges_that_are_cut_take_no_part():
    net = network()
    vector, cut = WeightVector(net.layers), net.layers[1].weight[1].clone()
    assert vector.length == len(vector.now()) == 2 * 7 * 3 + 3 + 2 * 7 + 1
    vector.write(2 * vector.now())
    assert torch.equal(vector.now(), vector.read(torch.Tensor.detach))
    assert torch.equal(net.layers[1].weight[1], cut)


def test_a_weight_that_others_change_is_seen():
    net = network()
    vector = WeightVector(net.layers)
    before, version = vector.now(), vector.version()
    with torch.no_grad():
        net.layers[0].bias += 1
    assert vector.version() != version
    assert (vector.now() != before).sum() == 3


def test_other_edges_another_grid_or_other_layers_are_another_vector():
    net = network()
    vector = WeightVector(net.layers)
    assert vector.is_of(net.layers)
    net.layers[0].mask[0, 0] = 0
    assert not vector.is_of(net.layers)
    vector = WeightVector(net.layers)
    net.refine(5)
    assert not vector.is_of(net.layers)
