"""Layers in networks of one's own."""

import pytest
import torch

from skdyn.kan.layers import KAN, KANLayer


def inputs(*shape):
    return 2 * torch.rand(*shape, generator=torch.Generator().manual_seed(0)) - 1


def test_a_layer_takes_axes_before_the_inputs_as_linear_does():
    layer, x = KANLayer(2, 3, 1), inputs(4, 5, 2)
    assert torch.equal(layer(x), layer(x.reshape(20, 2)).reshape(4, 5, 4))
    assert torch.equal(layer(x[0, 0]), layer(x[:1, 0])[0])


def test_sums_come_first_and_then_products_of_the_sums_left():
    layer, x = KANLayer(2, 1, 1).double(), inputs(6, 2).double()
    sums = layer.edges(x).sum(dim=1) + layer.bias
    expected = torch.stack([sums[:, 0], sums[:, 1] * sums[:, 2]], dim=1)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("basis", ["bspline", "chebyshev"])
def test_a_network_learns_by_an_optimizer_of_torch_and_goes_on_after_refining(basis):
    torch.manual_seed(0)
    net, x = KAN((2, 2, 1), basis, grid_size=3).double(), inputs(300, 2).double()
    target = torch.exp(torch.sin(3 * x[:, :1]) + x[:, 1:] ** 2)
    errors = []
    for grid_size in (3, 8):
        net.refine(grid_size)
        optimizer = torch.optim.LBFGS(net.parameters(), max_iter=60, line_search_fn="strong_wolfe")

        def loss(optimizer=optimizer):
            optimizer.zero_grad()
            loss = ((net(x) - target) ** 2).mean()
            loss.backward()
            return loss

        optimizer.step(loss)
        errors.append(loss().item() / target.var().item())
    assert errors[0] < 0.01
    assert errors[1] < 0.6 * errors[0]


def test_a_state_dict_brings_the_function_back():
    net, x = KAN((2, (2, 1), 1)), 5 * inputs(9, 2)
    net.adapt(x)
    again = KAN((2, (2, 1), 1))
    again.load_state_dict(net.state_dict())
    assert torch.equal(again(x), net(x))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1), "n_in must be an integer of at least 1; got 0"),
        ((1, 0), "n_sum and n_mult are both 0"),
        ((1, 1, 0, "splines"), "basis must be one of"),
        ((1, 1, 0, "rbf", 2.5), "grid_size must be an integer of at least 1; got 2.5"),
        ((1, 1, 0, "rbf", 3, 3, "cubic"), "extrapolation must be one of"),
    ],
)
def test_arguments_without_sense_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        KANLayer(*arguments)


def test_a_network_needs_inputs_and_outputs():
    with pytest.raises(ValueError, match="layer_sizes must name inputs and outputs"):
        KAN((3,))
