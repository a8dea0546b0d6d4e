"""Sums of splines: on each interval, polynomials with a coefficient for each output."""

from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn.functional import silu

from skdyn.training._devices import counted, is_near

__all__ = ["FewSum", "SplineSum", "powers_to", "within_powers"]


class SplineSum(torch.autograd.Function):
    """The weighted sum as what it is: on each interval, a polynomial with coefficients per output.

    A sum over ``k + 1`` rows of a table for each input replaces a product with features that are
    mostly zero: neither time nor memory grows with the grid.
    """

    @staticmethod
    def forward(ctx, x, weight, basis):
        place, u = basis._locate(x)
        order = basis.spline_order
        u.clamp_(*within_powers(u.dtype, order))
        table = basis.in_powers(weight)
        gated = silu(x)
        out = gated @ weight[:, -1]
        start = torch.arange(
            0, place.numel() + 1, place.shape[1], dtype=place.dtype, device=x.device
        )
        for rows, power in zip(table, powers_to(u, order), strict=True):
            out += _sums(rows, place, start, power)
        ctx.basis = basis
        ctx.save_for_backward(x, gated, weight, table, place, start, u)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        (grad,) = grad_outputs
        x, gated, weight, table, place, start, u = ctx.saved_tensors
        basis, order, grad = ctx.basis, len(table) - 1, grad.contiguous()
        to_x = to_weight = None
        if ctx.needs_input_grad[0]:
            to_x = torch.ops.aten.silu_backward(grad @ weight[:, -1].T, x)
            if order > 0:
                to_x += _slopes(table, place, start, u, grad)
        if ctx.needs_input_grad[1]:
            pieces = basis._tables()[2]
            moments = _moments(grad, place, u, order, table.shape[1])
            moments = pieces.transpose(2, 3) @ moments.unflatten(0, pieces.shape[:2])
            moments[:, 1] += moments[:, 0]
            moments[:, -2] += moments[:, -1]
            to_weight = torch.zeros_like(weight)
            for b in range(order + 1):
                to_weight[:, b : b + basis.grid_size] += moments[:, 1:-1, b]
            to_weight[:, -1] = gated.T @ grad
        return to_x, to_weight, None


class FewSum(torch.autograd.Function):
    """The same of few points and outputs, by all functions: there calls cost more than products."""

    @staticmethod
    def forward(ctx, x, weight, basis):
        features, ctx.slopes_of = basis.by_columns(x.T)
        features = features.flatten(0, 1)
        ctx.save_for_backward(features, weight)
        return features.T @ weight.flatten(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        (grad,) = grad_outputs
        features, weight = ctx.saved_tensors
        to_x = to_weight = None
        if ctx.needs_input_grad[0]:
            slopes = ctx.slopes_of(weight)
            one = grad.shape[1] == 1
            to_x = slopes[0] * grad[:, 0] if one else torch.einsum("oin,no->in", slopes, grad)
            to_x = to_x.T
        if ctx.needs_input_grad[1]:
            to_weight = (features @ grad).view_as(weight)
        return to_x, to_weight, None


def within_powers(dtype, order):
    """Return how far a point may be for all powers to be finite."""
    largest = 0.5 * torch.finfo(dtype).max ** (1 / max(order, 1))
    return -largest, largest


def powers_to(u, order):
    """Yield the powers of ``u`` up to the order; None is one."""
    yield None
    power = None
    for _ in range(order):
        power = u if power is None else power * u
        yield power


def _bags(rows, index, start, power):
    """Add up rows of a table, times a power each: shape (n_bags, n_out)."""
    power = power if power is None else power.flatten()
    return torch.embedding_bag(rows, index, start, mode=0, per_sample_weights=power)[0]


def _sums(rows, place, start, power):
    """Add up the rows at each sample's places, times a power: shape (n, n_out)."""
    if rows.shape[1] > 1:
        return _bags(rows, place.flatten(), start[:-1], power)
    found = rows[:, 0].index_select(0, place.flatten()).view_as(place)
    return (found if power is None else found * power).sum(dim=1, keepdim=True)


def _slopes(table, place, start, u, grad):
    """Multiply the polynomials' derivatives at each point with ``grad``: shape (n, n_in)."""
    total, places, order = torch.zeros_like(u), place.flatten(), len(table) - 1
    size, chosen = (len(grad), table.shape[1]), total
    if grad.shape[1] > 1:
        chosen = torch.sparse_csr_tensor(
            start, places, total.view(-1), size, check_invariants=False
        )
        total = chosen.values().view_as(u)
    # c_1 + 2 u (c_2 + 3/2 u (c_3 + ...)) by Horner's rule, in place
    for p in range(order, 0, -1):
        total *= u
        if grad.shape[1] > 1:
            torch.sparse.sampled_addmm(chosen, grad, table[p].T, beta=(p + 1) / p, out=chosen)
        else:
            found = table[p, :, 0].index_select(0, places).view_as(u)
            torch.add(found, total, alpha=(p + 1) / p, out=total)
    return total if grad.shape[1] > 1 else total * grad


def _moments(grad, place, u, order, n_places):
    """Sum rows of ``grad`` times each power over the points of each place.

    Returns
    -------
    Tensor of shape (n_places, k + 1, n_out)
    """
    n_each, place = place.shape[1], place.flatten()
    if grad.shape[1] == 1:
        sums = grad.new_zeros(order + 1, n_places)
        for one, power in zip(sums, powers_to(u, order), strict=True):
            power = grad.expand_as(u) if power is None else power * grad
            one.index_add_(0, place, power.flatten())
        return sums.T[..., None]
    if n_places < 2**15 and is_near(place):  # so short integers numpy sorts by radix
        ranks = torch.from_numpy(place.short().numpy().argsort(kind="stable"))
    else:
        ranks = place.sort().indices
    counts = counted(place, n_places)
    start = counts.cumsum(0) - counts
    sample = torch.arange(len(grad), device=grad.device)[:, None].expand(-1, n_each)
    sample = sample.flatten().index_select(0, ranks)
    u = u.flatten().index_select(0, ranks)
    sums = [_bags(grad, sample, start, power) for power in powers_to(u, order)]
    return torch.stack(sums, dim=1)
