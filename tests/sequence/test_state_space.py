"""Laws of the layers through time."""

import math

import numpy as np
import pytest
import torch

from skdyn.sequence._state_space import KERNELS, SelectiveLayer, StateSpaceLayer, spectrum

LAYERS = [
    lambda: StateSpaceLayer(3, 4, "s4d_lin", 0.05, 0.5),
    lambda: StateSpaceLayer(3, 4, "s4d_legs", 0.05, 0.5),
    lambda: SelectiveLayer(3, 4),
]


@pytest.fixture
def u():
    return torch.randn(2, 40, 3, dtype=torch.float64)


def convolved(layer, u):
    """The same layer on equal steps by its kernel, in the frequencies."""
    poles = torch.complex(-layer.log_decay.exp(), layer.frequency)
    step = (layer.log_dt.exp() * poles).exp()
    into = (step - 1)[:, None] / poles[:, None] * torch.view_as_complex(layer.into)
    powers = step[None] ** torch.arange(u.shape[1])[:, None]
    out = torch.view_as_complex(layer.out)
    kernel = 2 * torch.einsum("hn,ln,ng->lhg", out, powers, into).real
    spectra = [torch.fft.rfft(x, 2 * u.shape[1], dim=dim) for x, dim in ((kernel, 0), (u, 1))]
    y = torch.fft.irfft(torch.einsum("lhg,blg->blh", *spectra), dim=1)[:, : u.shape[1]]
    return y + layer.direct * u


@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("kernel", KERNELS)
def test_on_equal_steps_the_recurrence_is_a_convolution(u, kernel, dtype, close):
    layer, u = StateSpaceLayer(3, 4, kernel, 0.05, 0.5).to(dtype), u.to(dtype)
    y = layer(u, torch.ones_like(u[:, :, 0]))
    size = y.abs().max().item()
    torch.testing.assert_close(y, convolved(layer, u), rtol=0, atol=close * size)


@pytest.mark.parametrize("make", LAYERS)
def test_nothing_is_known_of_the_future(make, u):
    layer, gaps = make().double(), torch.rand(2, 40, dtype=torch.float64) + 0.2
    before = layer(u, gaps)
    later, longer = u.clone(), gaps.clone()
    later[:, 25:] += 1.0
    longer[:, 25:] *= 3.0
    after = layer(later, longer)
    torch.testing.assert_close(after[:, :25], before[:, :25], rtol=1e-12, atol=1e-12)
    assert not torch.allclose(after[:, 25:], before[:, 25:])


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_value_twice_with_half_the_step_gives_the_same_outputs(u, kernel):
    layer, gaps = (
        StateSpaceLayer(3, 4, kernel, 0.05, 0.5).double(),
        torch.rand(2, 40).double() + 0.2,
    )
    twice = layer(u.repeat_interleave(2, dim=1), gaps.repeat_interleave(2, dim=1) / 2)
    torch.testing.assert_close(twice[:, 1::2], layer(u, gaps), rtol=1e-10, atol=1e-10)


def test_states_follow_their_equation_exactly_between_points():
    layer = StateSpaceLayer(1, 1, "s4d_lin", 0.3, 0.3).double()
    with torch.no_grad():
        layer.frequency.fill_(1.7)
    rate, pole = layer.log_dt.exp().item(), complex(-0.5, 1.7)
    into, out = (torch.view_as_complex(x).item() for x in (layer.into, layer.out))
    gaps, values = [1.0, 2.5, 0.3], [0.4, -1.0, 2.0]
    u, steps = torch.tensor(values).double()[None, :, None], torch.tensor([gaps]).double()
    x = 0j
    for gap, value in zip(gaps, values, strict=True):  # many steps of the midpoint rule
        for _ in range(500):
            half = x + rate * gap / 1000 * (pole * x + into * value)
            x += rate * gap / 500 * (pole * half + into * value)
    expected = 2 * (out * x).real + layer.direct.item() * values[-1]
    assert math.isclose(layer(u, steps)[0, -1, 0].item(), expected, rel_tol=1e-5)


@pytest.mark.parametrize("make", LAYERS)
def test_steps_are_heeded(make, u):
    layer, gaps = make().double(), torch.ones(2, 40, dtype=torch.float64)
    other = gaps.clone()
    other[:, 20] = 2.0
    assert not torch.allclose(layer(u, gaps)[:, 20:], layer(u, other)[:, 20:])


def test_frequencies_of_legs_are_those_of_its_normal_part():
    n = 4
    k = np.arange(2 * n)
    legs = -np.sqrt(np.outer(2 * k + 1, 2 * k + 1)) * (k[:, None] > k) - np.diag(k + 1.0)
    low_rank = np.sqrt(k + 0.5)
    values = np.linalg.eigvals(legs + np.outer(low_rank, low_rank))
    np.testing.assert_allclose(values.real, -0.5, atol=1e-10)
    np.testing.assert_allclose(
        np.sort(values.imag[values.imag > 0]), spectrum("s4d_legs", n), rtol=1e-10
    )


def test_signs_turn_over_whatever_the_step(u):
    layer = SelectiveLayer(3, 4).double()
    with torch.no_grad():
        layer.keep.weight.zero_()
        layer.keep.bias.fill_(-3.0)
    kept = layer.coefficients(u)
    assert (kept < -0.9).all()
    u[:, 1:] = 0.0  # one impulse, which alternates and fades by the time that goes by
    gaps = torch.tensor([1.0, 2.0, 0.5, 1.0]).double().repeat(2, 10)
    first = layer.out.weight @ layer.into(u[0, 0])
    whole = (layer(u, gaps) - layer.direct * u)[0]
    share = kept[0, 0, 0].abs() ** gaps[0, 1:].cumsum(0)
    signs = (-1.0) ** torch.arange(1, 40)
    torch.testing.assert_close(whole[1:], (signs * share)[:, None] * first)
