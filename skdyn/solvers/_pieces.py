"""Stops that no step may cross, and solving from one to the next where the field jumps there.

A kink of the field costs an adaptive solver many refused steps; told of it, it lands there. Where
the field itself jumps, its value before and after differ: each piece of time is a solve of its own,
that asks for the field on its side only, and begins with the step that the last one would have
taken.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import nn

from skdyn.solvers._field import DrivenField

__all__ = ["Grid", "lay_grid", "one_side", "solve_pieces"]

_TOGETHER = 1e-9  # share of the whole time within which a stop and a requested time are one


class Grid(NamedTuple):
    """Times of a solve.

    Attributes
    ----------
    times : tensor of shape (t,) or (n, t)
        Requested times and stops.
    wanted : tensor of shape (k,) or None
        Which of them were requested; None means all.
    landings : list of int
        Which of them no step may cross.
    """

    times: torch.Tensor
    wanted: torch.Tensor | None
    landings: list[int]


def lay_grid(times, stops):
    """Put stops among the requested times.

    Parameters
    ----------
    times : tensor of shape (t,) or (n, t)
        Requested times, float64.
    stops : None, "times" or tensor of shape (k,)
        Where to stop.

    Returns
    -------
    Grid
    """
    inner = list(range(1, times.shape[-1] - 1))
    if stops is None:
        return Grid(times, None, [])
    if isinstance(stops, str):
        return Grid(times, None, inner)
    sign = 1.0 if times[-1] > times[0] else -1.0
    tolerance = _TOGETHER * abs(float(times[-1] - times[0]))
    stops = stops[
        ((stops - times[0]) * sign > tolerance) & ((times[-1] - stops) * sign > tolerance)
    ]
    near = (stops[:, None] - times).abs()
    apart = near.amin(dim=1) > tolerance
    merged, order = torch.sort(sign * torch.cat([times, stops[apart]]))
    place = torch.argsort(order)
    wanted = place[: len(times)]
    landings = {*place[len(times) :].tolist(), *wanted[near[~apart].argmin(dim=1)].tolist()}
    return Grid(sign * merged, wanted, sorted(landings))


def one_side(field, first, last):
    """A field that is asked within a piece of time only, never for its ends or beyond.

    Parameters
    ----------
    field : callable
        The field.
    first, last : tensor of shape () or (n, 1)
        The piece's ends.

    Returns
    -------
    callable
    """
    low, high = torch.minimum(first, last), torch.maximum(first, last)
    inside = torch.nextafter(low, high), torch.nextafter(high, low)
    if isinstance(field, DrivenField):  # keeps its own tape
        return field.between(*inside)
    return (_ModuleInside if isinstance(field, nn.Module) else _Inside)(field, *inside)


class _Inside:
    def __init__(self, field, low, high):
        self.field, self.low, self.high = field, low, high

    def __call__(self, t, y):
        return self.field(torch.minimum(torch.maximum(t, self.low), self.high), y)


class _ModuleInside(nn.Module):
    """A module stays one: its parameters are known without a try."""

    def __init__(self, field, low, high):
        super().__init__()
        self.field, self.low, self.high = field, low, high

    def forward(self, t, y):
        return self.field(torch.minimum(torch.maximum(t, self.low), self.high), y)


def solve_pieces(route, field, y0, grid):
    """Solve from landing to landing.

    Parameters
    ----------
    route : Route
        How to solve.
    field : callable
        The vector field, which may jump at the landings.
    y0 : tensor of shape (n, d)
        Initial states.
    grid : Grid
        The times.

    Returns
    -------
    ys : tensor of shape (n, t, d)
        States at the times of the grid.
    pieces : list of Solved
        The solves.
    """
    pieces, pace, y, parts = [], None, y0, [y0[:, None]]
    left = route.plan.max_steps
    for start, end in pairwise([0, *grid.landings, grid.times.shape[-1] - 1]):
        times = grid.times[..., start : end + 1]
        ends = (times[..., k].to(y0).reshape(-1, 1) for k in (0, -1))
        first, last = ends if times.ndim == 2 else (end[0, 0] for end in ends)
        plan = route.plan._replace(max_steps=left)
        piece = route._replace(plan=plan).solve(one_side(field, first, last), y, times, pace)
        y, pace = piece.ys[:, -1], piece.march.pace
        left -= piece.march.n_accepted + piece.march.n_rejected
        parts.append(piece.ys[:, 1:])
        pieces.append(piece)
    return torch.cat(parts, dim=1), pieces
