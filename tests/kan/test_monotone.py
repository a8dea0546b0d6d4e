"""Splines by the steps between their coefficients: exact there and back, the slopes of autograd."""

import torch

from skdyn.kan._monotone import by_steps, coefficients, nearest_steps

SIGN = torch.tensor([[1.0, 0.0], [-1.0, 1.0]]).double()


def test_edges_that_rise_or_fall_come_back_as_they_were():
    rising = torch.randn(2, 6, 2).double()
    rising[:, :-1] = rising[:, :-1].sort(dim=1)[0]
    whole = torch.where(SIGN[:, None] < 0, -rising, rising)
    kept = torch.cat([whole[:, :-1], whole[:, -1:] * (SIGN[:, None] == 0)], dim=1)
    torch.testing.assert_close(coefficients(nearest_steps(whole, SIGN), SIGN), kept)


def test_what_does_not_rise_becomes_something_near_that_does():
    whole = torch.randn(2, 6, 2).double()
    found = coefficients(nearest_steps(whole, SIGN), SIGN)
    assert (SIGN[:, None] * found[:, :-1].diff(dim=1) >= 0).all()
    reach = (whole[:, :-1].amax(dim=1) - whole[:, :-1].amin(dim=1))[:, None]
    assert ((found - whole)[:, :-1].abs() <= 0.5 * reach + 1e-12).all()


def test_slopes_by_steps_are_those_of_autograd():
    learned = torch.rand(2, 6, 2).double().requires_grad_()
    toward = torch.randn(2, 6, 2).double()
    (coefficients(learned, SIGN) * toward).sum().backward()
    held = SIGN[:, None] != 0
    no_silu = torch.cat([toward[:, :-1], toward[:, -1:] * ~held], dim=1)
    torch.testing.assert_close(by_steps(no_silu, SIGN), learned.grad)
