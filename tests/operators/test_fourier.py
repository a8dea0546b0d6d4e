import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from skdyn.operators._fourier import FourierNetwork

GRIDS = [(8,), (5, 6), (4, 5, 4)]


def network(grid, output_grid=None, **parameters):
    torch.manual_seed(0)
    output_grid = grid if output_grid is None else output_grid
    modes = tuple(min(3, n // 2) for n in grid)
    return FourierNetwork(
        2, 3, grid, output_grid, modes, hidden_channels=4, n_layers=2, **parameters
    ).double()


def fields(*grid):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 2, *grid, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("local_size", [1, 3])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_periodic_networks_commute_with_shifts(grid, local_size):
    net, x = network(grid, periodic=True, local_size=local_size), fields(*grid)
    axes, shift = tuple(range(2, 2 + len(grid))), tuple(range(1, 1 + len(grid)))
    with torch.no_grad():
        moved = net(torch.roll(x, shift, axes))
        np.testing.assert_allclose(moved, torch.roll(net(x), shift, axes), atol=1e-12)


def test_others_know_where_they_are():
    net, x = network((8,)), fields(8)
    with torch.no_grad():
        gap = net(torch.roll(x, 1, 2)) - torch.roll(net(x), 1, 2)
    assert gap.abs().max() > 1e-3


@pytest.mark.parametrize("periodic", [True, False])
def test_answers_are_the_same_functions_at_any_resolution(periodic):
    """Smooth inputs: what aliases of the pointwise maps is all that differs."""
    net = network((64,), periodic=periodic)

    def smooth(n):
        x = np.arange(n) / n if periodic else np.linspace(0, 1, n)
        waves = np.stack([np.sin(2 * np.pi * x), 0.5 * np.cos(2 * np.pi * x)])
        return torch.from_numpy(waves)[None]

    with torch.no_grad():
        coarse, fine = net(smooth(64)), net(smooth(64 * 4 - 3 * (not periodic)))
    tolerance = 1e-10 if periodic else 1e-3  # waves there, trapezoids here
    np.testing.assert_allclose(fine[:, :, ::4], coarse, atol=tolerance)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_an_empty_output_grid_is_the_mean_over_the_grid(grid):
    with torch.no_grad():
        mean = network(grid, periodic=True)(fields(*grid)).flatten(2).mean(2)
        found = network(grid, (), periodic=True)(fields(*grid))
        np.testing.assert_allclose(found, mean, atol=1e-12)


def test_on_open_domains_the_mean_knows_where_each_point_is():
    net, of_fields, x = network((6,), ()), network((6,)), fields(6)
    with torch.no_grad():
        found = net(x)
        net.project[0].weight[:, 4:] = 0.0
        assert (net(x) - found).abs().max() > 1e-3
        weights = net.state_dict()
        weights["project.0.weight"] = weights["project.0.weight"][:, :4]
        of_fields.load_state_dict(weights)
        np.testing.assert_allclose(net(x), of_fields(x).mean(2), atol=1e-12)


def test_another_output_grid_is_interpolated():
    with torch.no_grad():
        here, there = network((5, 6))(fields(5, 6)), network((5, 6), (9, 6))(fields(5, 6))
    assert there.shape == (2, 3, 9, 6)
    np.testing.assert_allclose(there[:, :, ::2], here, atol=1e-12)


@pytest.mark.parametrize("factorization", [None, "tucker", "cp", "tt"])
def test_modes_beyond_the_limit_are_out_of_use(factorization):
    net = network((12,), factorization=factorization, rank=4, incremental=True, periodic=True)
    x = fields(12)
    with torch.no_grad():
        whole = net(x)
        net.limit_modes(2)
        limited = net(x)
        for convolution in net.convolutions:
            assert convolution.weight().shape[0] == 3
        assert (whole - limited).abs().max() > 1e-6
        net.limit_modes(3)
        np.testing.assert_array_equal(net(x), whole)


def test_limited_modes_are_those_of_a_smaller_layer():
    net, small = network((12,), incremental=True), network((12,))
    x = torch.randn(12, 2, 4, dtype=torch.float64)
    convolution = net.convolutions[0]
    convolution.limit.fill_(2)
    with torch.no_grad():
        dense = small.convolutions[0]
        dense.weight.values.copy_(convolution.weight.values)
        dense.weight.values[2:] = 0.0
        np.testing.assert_allclose(convolution(x), dense(x), atol=1e-14)


class Called(TorchDispatchMode):
    """Notes which of torch's functions are called."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names = {*getattr(self, "names", ()), str(func)}
        return func(*args, **kwargs or {})


def test_a_step_makes_no_matrices_and_waits_for_no_number():
    net = network((12,), incremental=True, output_grid=(9,))
    x = fields(12)
    net.limit_modes(2)
    first = net(x)
    with Called() as called:
        assert torch.equal(net(x), first)
    names = " ".join(called.names)
    assert not any(name in names for name in ("scalar_dense", "linspace", "arange", "_to_copy"))
    net.limit_modes(3)
    assert not torch.equal(net(x), first)
    net.load_state_dict(net.state_dict() | {"convolutions.0.limit": torch.tensor(1)})
    assert net.convolutions[0]._limit() == 1


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("grid", [(8,), (5, 6), (5, 7, 6)], ids=str)
def test_local_maps_are_the_usual_convolutions(grid, periodic, size):
    (local,) = network(grid, periodic=periodic, local_size=size).local[:1]
    usual = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)[len(grid) - 1](
        4, 4, size, padding="same", padding_mode="circular" if periodic else "zeros"
    ).double()
    usual.load_state_dict(local.map.state_dict())
    x = torch.randn(*grid, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = usual(x.movedim((-2, -1), (0, 1))).movedim((0, 1), (-2, -1))
        np.testing.assert_allclose(local(x), expected, atol=1e-12)


def test_a_channel_mlp_sees_one_point_and_is_bypassed():
    net, x = network((8,), channel_mlp=0.5), fields(8)
    plain = network((8,), channel_mlp=0.0)
    assert not list(plain.mixers)
    assert [m.widen.out_features for m in net.mixers] == [2, 2]
    with torch.no_grad():
        for mixer in net.mixers:
            mixer.narrow.weight.zero_()
        z = torch.cat([x, torch.linspace(-1, 1, 8).double().expand(2, 1, 8)], dim=1)
        lifted = net.lift(z.movedim(1, 2))
        expected = net.project(torch.nn.functional.gelu(lifted))
        np.testing.assert_allclose(net(x), expected.movedim(2, 1), atol=1e-12)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_the_local_map_of_one_point_is_in_that_of_several(grid):
    wide, narrow = network(grid, local_size=3), network(grid)
    weights = dict(narrow.named_parameters())
    with torch.no_grad():
        for name, parameter in wide.named_parameters():
            if ".map." not in name:
                parameter.copy_(weights[name])
        for several, one in zip(wide.local, narrow.local, strict=True):
            several.map.weight.zero_()
            several.map.weight[(..., *[1] * len(grid))] = one.weight
            several.map.bias.copy_(one.bias)
        np.testing.assert_allclose(wide(fields(*grid)), narrow(fields(*grid)), atol=1e-12)


def test_a_prediction_on_a_new_grid_does_not_keep_training_from_it():
    network = FourierNetwork(1, 1, (37,), (37,), (4,), 3, 1)
    x = torch.randn(2, 1, 37)
    with torch.inference_mode():
        predicted = network(x)
    answered = network(x)
    answered.square().mean().backward()
    assert torch.equal(answered, predicted)
    assert network.lift.weight.grad[:, 1].abs().sum() > 0  # of the coordinate
