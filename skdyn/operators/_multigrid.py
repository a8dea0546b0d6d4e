"""A multigrid cycle as a layer, and the network of such layers."""

from itertools import pairwise
from math import prod
from typing import Any

import torch
from torch.nn.functional import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    gelu,
    pad,
)

from skdyn.operators._grids import resample

__all__ = ["BOUNDARIES", "MultigridCycle", "MultigridNetwork", "level_grids"]

# How a field goes on beyond its ends: zero, mirrored at the last point, from the other end.
BOUNDARIES = {"dirichlet": "constant", "neumann": "reflect", "periodic": "circular"}
_CONVOLVE = {1: conv1d, 2: conv2d, 3: conv3d}
_TRANSPOSED = {1: conv_transpose1d, 2: conv_transpose2d, 3: conv_transpose3d}
_CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}
_COARSEST = 3  # a grid with an axis of fewer points is not coarsened further


def level_grids(
    grid: tuple[int, ...], boundary: str, n_levels: int | None = None
) -> list[tuple[int, ...]]:
    """List the grids of the levels, each of every other point of the one before.

    Parameters
    ----------
    grid : tuple of int
        The finest grid.
    boundary : str
        A key of ``BOUNDARIES``; a periodic grid of odd size has no every other point.
    n_levels : int or None, default=None
        Number of levels; None takes as many as there are.

    Returns
    -------
    list of tuple of int
        Fewer than asked for where the grid has no more.
    """
    grids = [tuple(grid)]
    while n_levels is None or len(grids) < n_levels:
        odd = boundary == "periodic" and any(n % 2 for n in grids[-1])
        if odd or min(grids[-1]) < _COARSEST:
            break
        # Where zero is beyond the ends, the first point kept is the second: twice as far from it.
        first = 0 if boundary == "dirichlet" else 1
        grids.append(tuple((n + first) // 2 for n in grids[-1]))
    return grids


class MultigridCycle(torch.nn.Module):
    """One V-cycle for the equation ``A u = f``, all of its stencils learned.

    On each level :math:`u \\leftarrow u + S(f - Au)`, from zero; the residual goes to the next
    level by R and the correction comes back by P; then the smoothing again. Every map is a
    convolution over the nearest points between all channels.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Channels of f and of u.
    grid : tuple of int
        Grid of the finest level.
    boundary : str
        A key of ``BOUNDARIES``.
    n_levels : int
        Number of levels.
    n_smoothing : int, default=1
        Smoothing steps before and after the coarser levels.
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        grid: tuple[int, ...],
        boundary: str,
        n_levels: int,
        n_smoothing: int = 1,
    ) -> None:
        super().__init__()
        self.n_axes, self.beyond = len(grid), BOUNDARIES[boundary]
        self.grids = level_grids(grid, boundary, n_levels)
        self.n_levels = len(self.grids)
        self.n_smoothing = n_smoothing
        f, u = n_inputs, n_outputs
        self.operators = self._stencils(f, u, self.n_levels)
        self.smoothers = self._stencils(u, f, self.n_levels)
        self.restrictions = self._stencils(f, f, self.n_levels - 1)
        self.prolongations = self._stencils(u, u, self.n_levels - 1)

    def _stencils(self, n_to, n_from, count):
        shape = (n_to, n_from, *[3] * self.n_axes)
        bound = (n_from * 3**self.n_axes) ** -0.5
        return torch.nn.ParameterList(
            torch.nn.Parameter(torch.empty(shape).uniform_(-bound, bound)) for _ in range(count)
        )

    def forward(self, f: torch.Tensor) -> torch.Tensor:
        """Run the cycle.

        Parameters
        ----------
        f : Tensor of shape (n, n_inputs, \\*grid)
            Right-hand side.

        Returns
        -------
        Tensor of shape (n, n_outputs, \\*grid)
        """
        return self._cycle(f, 0)

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """Count the multiply-adds of a pass over a batch of this shape.

        Parameters
        ----------
        shape : tuple of int
            ``(n, n_inputs, *grid)``.

        Returns
        -------
        int
        """
        total = 0
        for level, grid in enumerate(self.grids):
            steps = self.n_smoothing * (
                self.operators[level].numel() + self.smoothers[level].numel()
            )
            total += 2 * steps * prod(grid)
            if level:  # to this level and back
                ways = self.restrictions[level - 1].numel() + self.prolongations[level - 1].numel()
                total += ways * prod(grid)
        return shape[0] * total

    def _cycle(self, f, level):
        A, S = self.operators[level], self.smoothers[level]
        u = self._convolve(f, S)
        for _ in range(self.n_smoothing - 1):
            u = u + self._convolve(f - self._convolve(u, A), S)
        if level < self.n_levels - 1:
            residual = f - self._convolve(u, A)
            coarse = self._cycle(self._coarsen(residual, self.restrictions[level]), level + 1)
            u = u + self._refine(coarse, self.prolongations[level], u.shape[2:])
        for _ in range(self.n_smoothing):
            u = u + self._convolve(f - self._convolve(u, A), S)
        return u

    def _convolve(self, field, stencil):
        convolve = _CONVOLVE[self.n_axes]
        if self.beyond == "constant":
            return convolve(field, stencil, padding=1)
        return convolve(pad(field, [1, 1] * self.n_axes, self.beyond), stencil)

    def _coarsen(self, field, stencil):
        """Convolve at every other point, of which the second is the first with zeros beyond."""
        if self.beyond == "constant":
            margins = [side for n in reversed(field.shape[2:]) for side in (0, 1 - n % 2)]
        else:
            margins = [1, 1] * self.n_axes
        return _CONVOLVE[self.n_axes](pad(field, margins, self.beyond), stencil, stride=2)

    def _refine(self, coarse, stencil, grid):
        """Put zeros between the points and convolve; the stencil stands as for convolutions."""
        if self.beyond == "circular":  # the first point is also the neighbor of the last
            coarse = pad(coarse, [0, 1] * self.n_axes, self.beyond)
        axes = tuple(range(2, stencil.ndim))
        turned = stencil.transpose(0, 1).flip(axes)
        fine = _TRANSPOSED[self.n_axes](coarse, turned, stride=2)
        first = 0 if self.beyond == "constant" else 1
        return fine[(..., *[slice(first, first + n) for n in grid])]


class MultigridNetwork(torch.nn.Module):
    """Layers of one multigrid cycle and one map of each point.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Channels in and out.
    grid : tuple of int
        Grid that is trained on.
    output_grid : tuple of int
        Grid of the answers; empty for the mean over the grid.
    boundary : {"dirichlet", "neumann", "periodic"}
        How fields go on beyond their ends.
    hidden_channels : int, default=20
        Channels between the layers.
    n_layers : int, default=4
        Layers.
    n_levels : int, default=4
        Levels of a cycle.
    n_smoothing : int, default=1
        Smoothing steps of a level, on the way down and up.
    """

    cycles: Any  # a list of cycles

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        grid: tuple[int, ...],
        output_grid: tuple[int, ...],
        boundary: str,
        hidden_channels: int = 20,
        n_layers: int = 4,
        n_levels: int = 4,
        n_smoothing: int = 1,
    ) -> None:
        super().__init__()
        self.output_grid, self.periodic = tuple(output_grid), boundary == "periodic"
        widths = [n_inputs] + [hidden_channels] * n_layers
        self.cycles = torch.nn.ModuleList(
            MultigridCycle(n_from, n_to, grid, boundary, n_levels, n_smoothing)
            for n_from, n_to in pairwise(widths)
        )
        convolution = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)[len(grid) - 1]
        self.local = torch.nn.ModuleList(
            convolution(n_from, n_to, 1) for n_from, n_to in pairwise(widths)
        )
        self.project = convolution(hidden_channels, n_outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Answer to functions with functions, or with numbers.

        Parameters
        ----------
        x : Tensor of shape (n, n_inputs, \\*grid)
            Inputs.

        Returns
        -------
        Tensor of shape (n, n_outputs, \\*grid) or (n, n_outputs)
        """
        for cycle, local in zip(self.cycles, self.local, strict=True):
            x = gelu(cycle(x) + local(x))
            if memory := _CHANNELS_LAST.get(x.ndim - 2):  # in which convolutions are faster
                x = x.contiguous(memory_format=memory)
        y = self.project(x)
        if not self.output_grid:
            return y.flatten(2).mean(dim=2)
        return resample(y, self.output_grid, periodic=self.periodic)

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """Count the multiply-adds of a pass over a batch of this shape.

        Parameters
        ----------
        shape : tuple of int
            ``(n, n_inputs, *grid)``.

        Returns
        -------
        int
        """
        at_points = [*self.local, self.project]
        n_weights = sum(weight.numel() for part in at_points for weight in part.parameters())
        cycles = sum(cycle.multiply_adds(shape) for cycle in self.cycles)
        return shape[0] * prod(shape[2:]) * n_weights + cycles
