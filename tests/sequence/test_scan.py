"""The recurrence, and its gradient."""

import pytest
import torch

from skdyn.sequence._scan import linear_scan


def one_by_one(a, b):
    h, states = torch.zeros_like(b[:, 0]), []
    for k in range(b.shape[1]):
        h = a[:, k] * h + b[:, k]
        states.append(h)
    return torch.stack(states, dim=1)


def drawn(k, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(3, k, 2, dtype=dtype, generator=generator) for _ in range(2))
    return a / (1 + a.abs()), b


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("k", [1, 2, 7, 16])
def test_all_steps_at_once_are_one_after_the_other(k, dtype):
    a, b = drawn(k, dtype)
    torch.testing.assert_close(linear_scan(a, b), one_by_one(a, b), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_the_gradient_is_that_of_the_steps(dtype):
    a, b = (x.requires_grad_() for x in drawn(5, dtype))
    assert torch.autograd.gradcheck(linear_scan, (a, b))


def test_coefficients_of_zero_forget_and_negative_ones_turn_over():
    a = torch.tensor([-1.0, -1.0, 0.0, 1.0])[None, :, None]
    b = torch.tensor([2.0, 0.0, 5.0, 0.0])[None, :, None]
    assert linear_scan(a, b).flatten().tolist() == [2.0, -2.0, 5.0, 5.0]
