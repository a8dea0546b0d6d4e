"""The network: layers in a row, whose plan builds another of the same shape."""

import torch

from skdyn.kan._network import KAN


def network(sizes=((3, 0), (2, 1), (1, 0)), **options):
    plan = {"basis": "bspline", "grid_size": 4, "spline_order": 3, "extrapolation": "linear"}
    return KAN(sizes, **(plan | options)).double()


def points(n=50):
    return torch.randn(n, 3, dtype=torch.float64)


def test_the_inputs_of_each_layer_are_the_outputs_of_the_one_before():
    net, x = network(), points()
    seen = net.inputs(x)
    assert [part.shape[1] for part in seen] == [3, 3]
    torch.testing.assert_close(net.layers[1](seen[1]), net(x))


def test_refinement_leaves_the_whole_function_as_it_is():
    net, x = network(), points()
    net.adapt(x)
    before = net(x)
    for size in (5, 10, 20):
        net.refine(size)
    assert net.plan["grid_size"] == 20
    torch.testing.assert_close(net(x), before, rtol=0, atol=1e-10)


def test_adapting_moves_every_layer_to_its_own_inputs():
    net, x = network(((3, 0), (2, 0), (1, 0))), torch.rand(50, 3, dtype=torch.float64)
    net.adapt(10 * x)
    for layer, seen in zip(net.layers, net.inputs(10 * x), strict=True):
        assert (layer.basis.low <= seen.amin(dim=0)).all()
        assert (layer.basis.high >= seen.amax(dim=0)).all()


def test_the_configuration_builds_a_network_that_takes_the_weights():
    net, x = network(), points()
    net.refine(6)
    other = KAN(**net.config()).double()
    other.load_state_dict(net.state_dict())
    torch.testing.assert_close(other(x), net(x))


def test_wide_layers_learn_more_slowly_edge_by_edge():
    groups = network(((64, 0), (8, 0), (1, 0))).parameter_groups()
    assert [group["rate"] for group in groups] == [0.25, 1.0]


def test_only_layers_whose_inputs_strayed_move():
    net, x = network(), torch.rand(50, 3, dtype=torch.float64)
    net.adapt(x)
    before = net(x)
    assert not net.adapt(1.02 * x, only_strayed=True)  # the margin has room for it
    torch.testing.assert_close(net(x), before, rtol=0, atol=0)
    for factor in (1.5, 0.4):  # out of the grid, and in a small part of it
        assert net.adapt(factor * x, only_strayed=True)
        low, high = net.layers[0].basis.low, net.layers[0].basis.high
        assert (high - low < 1.2 * factor).all()
        net.adapt(x)


def test_rows_that_the_first_grids_follow_are_not_looked_at_again():
    net, x = network(), torch.rand(50, 3, dtype=torch.float64)
    net.adapt(x)
    first = net.layers[0].basis.low.clone()
    with torch.no_grad():
        net.layers[0].weight *= 5.0
    assert net.adapt(x, only_strayed=True, known=True)  # the second layer moves
    assert (net.layers[0].basis.low == first).all()


def test_the_first_layer_goes_on_along_chords_on_any_grid():
    net = network()
    net.refine(6)
    assert [layer.basis.chords for layer in net.layers] == [True, False]
    again = KAN(**net.config())
    assert [layer.basis.chords for layer in again.layers] == [True, False]
