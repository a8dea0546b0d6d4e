"""Sums of splines: those of the functions one by one, and their gradients."""

import pytest
import torch

from skdyn.kan.bases import make_basis
from skdyn.kan.bases._spline_sums import FewSum, SplineSum
from skdyn.testing._device_use import DeviceUse, as_if_away


@pytest.mark.parametrize("sum_", [SplineSum, FewSum])
@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("n_out", [1, 2])
def test_sums_and_gradients_are_those_of_products_with_the_functions(order, n_out, sum_):
    torch.manual_seed(0)
    basis = make_basis("bspline", 3, n_out, 4, order, "linear").double()
    x = (2 * torch.randn(9, 3, dtype=torch.float64)).requires_grad_()
    weight = torch.randn(3, basis.n_functions + 1, n_out, dtype=torch.float64, requires_grad=True)
    toward = torch.randn(9, n_out, dtype=torch.float64)
    expected = basis.features(x).flatten(1) @ weight.flatten(0, 1)
    found = sum_.apply(x, weight, basis)
    torch.testing.assert_close(found, expected)
    for ours, theirs in zip(
        torch.autograd.grad((found * toward).sum(), (x, weight)),
        torch.autograd.grad((expected * toward).sum(), (x, weight)),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("sum_", [SplineSum, FewSum])
def test_sums_ask_a_device_for_nothing(sum_):
    basis = make_basis("bspline", 3, 2, 4, 3, "linear")
    x, weight = torch.randn(9, 3, requires_grad=True), torch.randn(3, basis.n_functions + 1, 2)
    weight.requires_grad_()
    there = torch.autograd.grad(sum_.apply(x, weight, basis).sum(), (x, weight))
    with as_if_away(), DeviceUse() as use:
        away = torch.autograd.grad(sum_.apply(x, weight, basis).sum(), (x, weight))
    assert use.n_waits == 0, use.waits
    for ours, theirs in zip(away, there, strict=True):
        torch.testing.assert_close(ours, theirs)
