"""Linear recurrences with coefficients of their own at each step, all steps nearly at once."""

from __future__ import annotations

import math

import torch

__all__ = ["linear_scan"]


def linear_scan(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Run :math:`h_k = a_k h_{k-1} + b_k` from :math:`h_0 = 0`.

    Parameters
    ----------
    a, b : tensor of shape (n, k, d)
        Coefficients, real or complex, of absolute value one at most.

    Returns
    -------
    tensor of shape (n, k, d)
        The states after each step.
    """
    return _Scan.apply(a, b)


class _Scan(torch.autograd.Function):
    """The recurrence, whose gradient is the same recurrence backward in time.

    Nothing but coefficients and states is kept for it.
    """

    @staticmethod
    def forward(ctx, a, b):
        h = _run(a, b)
        ctx.save_for_backward(a, h)
        return h

    @staticmethod
    def backward(ctx, *grads):
        (grad,), (a, h) = grads, ctx.saved_tensors
        later = torch.nn.functional.pad(a[:, 1:].conj(), (0, 0, 0, 1))
        of_b = _run(later.flip(1), grad.flip(1)).flip(1)
        before = torch.nn.functional.pad(h[:, :-1], (0, 0, 1, 0))
        return of_b * before.conj(), of_b


def _run(a, b):
    """Run within chunks, all at once, then carry each chunk's end into the next.

    Some 2 sqrt(k) steps instead of k, with products of coefficients only: none overflows.
    """
    n, k, d = b.shape
    size = math.isqrt(k - 1) + 1
    n_chunks = -(-k // size)
    h, decay = (_by_place(x, n_chunks, size) for x in (b, a))
    for place in range(1, size):
        h[place].addcmul_(decay[place], h[place - 1])
        decay[place].mul_(decay[place - 1])
    carried, carry = [], torch.zeros_like(h[0, 0])
    for chunk in range(n_chunks):
        carried.append(carry)
        carry = torch.addcmul(h[-1, chunk], decay[-1, chunk], carry)
    h.addcmul_(decay, torch.stack(carried))
    return h.permute(2, 1, 0, 3).reshape(n, n_chunks * size, d)[:, :k]


def _by_place(x, n_chunks, size):
    """Return a copy of shape (size, n_chunks, n, d)."""
    n, k, d = x.shape
    x = torch.nn.functional.pad(x, (0, 0, 0, n_chunks * size - k))
    return (
        x.reshape(n, n_chunks, size, d)
        .permute(2, 1, 0, 3)
        .clone(memory_format=torch.contiguous_format)
    )
