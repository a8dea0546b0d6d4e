"""The network of the Fourier neural operator."""

from functools import lru_cache
from math import prod
from typing import Any

import torch
from torch.nn.functional import conv2d, gelu, pad

from skdyn.operators._grids import resample
from skdyn.operators._spectral import SpectralConvolution

__all__ = ["FourierNetwork"]


class FourierNetwork(torch.nn.Module):
    """Lift each point, convolve and mix a few times, project each point.

    Inside, fields are laid out grid first, ``(*grid, n, channels)``.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Channels in and out.
    grid : tuple of int
        Grid that is trained on.
    output_grid : tuple of int
        Grid of the answers; empty for numbers, which are means over the grid.
    n_modes : tuple of int
        Frequencies kept along each axis.
    hidden_channels : int, default=32
        Channels between lifting and projection.
    n_layers : int, default=4
        Fourier layers.
    channel_mlp : float, default=1.0
        Width of the network that follows each convolution at each point, as a share of
        ``hidden_channels``; zero leaves it out.
    local_size : int, default=1
        Points along each axis that the local map of a layer sees.
    padding : float, default=0.0
        See :class:`SpectralConvolution`.
    periodic : bool, default=False
        Whether the grid is; otherwise the coordinates of each point are inputs too.
    factorization : {"tucker", "cp", "tt"} or None, default=None
        Form of the spectral weights.
    rank : int or float, default=0.1
        Its rank.
    incremental : bool, default=False
        Whether :meth:`limit_modes` may be called.
    """

    convolutions: Any  # a list of SpectralConvolution

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        grid: tuple[int, ...],
        output_grid: tuple[int, ...],
        n_modes: tuple[int, ...],
        hidden_channels: int = 32,
        n_layers: int = 4,
        channel_mlp: float = 1.0,
        local_size: int = 1,
        padding: float = 0.0,
        periodic: bool = False,
        factorization: str | None = None,
        rank: int | float = 0.1,
        incremental: bool = False,
    ) -> None:
        super().__init__()
        self.grid, self.output_grid = tuple(grid), tuple(output_grid)
        self.periodic = periodic
        c, n_coordinates = hidden_channels, 0 if periodic else len(grid)
        self.lift = torch.nn.Linear(n_inputs + n_coordinates, c)
        self.convolutions = torch.nn.ModuleList(
            SpectralConvolution(
                c, c, n_modes, grid,
                padding=padding, periodic=periodic, factorization=factorization, rank=rank,
                incremental=incremental,
            )
            for _ in range(n_layers)
        )  # fmt: skip
        self.local = torch.nn.ModuleList(
            _local(c, local_size, len(grid), periodic) for _ in range(n_layers)
        )
        width = max(1, round(channel_mlp * c)) if channel_mlp else 0
        self.mixers = torch.nn.ModuleList(
            _Bypassed(c, width) for _ in range(n_layers if width else 0)
        )
        # Numbers are means of what a point has and where it is.
        n_read = c if self.output_grid else c + n_coordinates
        self.project = torch.nn.Sequential(
            torch.nn.Linear(n_read, c), torch.nn.GELU(), torch.nn.Linear(c, n_outputs)
        )

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
        x = self.lift(self._with_coordinates(x.movedim((0, 1), (-2, -1))).contiguous())
        for layer, (convolution, local) in enumerate(
            zip(self.convolutions, self.local, strict=True)
        ):
            skipped, last = x, layer == len(self.local) - 1
            x = convolution(x, plus=local(x))
            x = x if last else gelu(x)
            if self.mixers:
                x = self.mixers[layer](x, skipped)
                x = x if last else gelu(x)
        if not self.output_grid:
            return self.project(self._with_coordinates(x)).flatten(end_dim=-3).mean(dim=0)
        y = self.project(x).movedim((-2, -1), (0, 1))
        if self.output_grid == self.grid:
            return y  # on the grid of the input, whichever that is
        return resample(y, self.output_grid, periodic=self.periodic)

    def _with_coordinates(self, x):
        if self.periodic:
            return x
        *grid, n, _ = x.shape
        places = _coordinates(tuple(grid), x.dtype, x.device)
        return torch.cat([x, places.expand(*grid, n, len(grid))], dim=-1)

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
        n, _, *grid = shape
        at_points = [self.lift, *self.local, *self.mixers, self.project]
        n_weights = sum(weight.numel() for part in at_points for weight in part.parameters())
        waves = sum(part.multiply_adds(n, tuple(grid)) for part in self.convolutions)
        return n * prod(grid) * n_weights + waves

    def limit_modes(self, limit: int) -> None:
        """Use only the frequencies below a limit, along each axis.

        Parameters
        ----------
        limit : int
            The limit, at least 1.
        """
        for convolution in self.convolutions:
            convolution.limit.fill_(limit)


class _Bypassed(torch.nn.Module):
    """A small network on the channels of each point, added to what bypasses it."""

    def __init__(self, channels, width):
        super().__init__()
        self.widen = torch.nn.Linear(channels, width)
        self.narrow = torch.nn.Linear(width, channels, bias=False)

    def forward(self, x, bypass):
        hidden = gelu(self.widen(x)).flatten(end_dim=-2)
        return torch.addmm(bypass.flatten(end_dim=-2), hidden, self.narrow.weight.T).view_as(bypass)


class _Neighbors(torch.nn.Module):
    """A convolution over the nearest points, on fields laid out grid first.

    Cases lie between the grid and the channels. Taken as part of the last axis, over which the
    convolution is spread by as many, they need not be moved: channels are last in memory, as fast
    convolutions want them. On three axes, the planes of the first one are added up.
    """

    def __init__(self, channels, size, n_axes, periodic):
        super().__init__()
        convolution = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)[n_axes - 1]
        self.map = convolution(channels, channels, size)
        self.periodic = periodic

    def forward(self, x):
        *grid, n, channels = x.shape
        weight, size = self.map.weight, self.map.weight.shape[-1]
        x = self._beyond(x, len(grid), size // 2)
        if len(grid) == 1:
            x, weight = x.unsqueeze(0), weight.unsqueeze(2)
        planes = x.reshape(-1, x.shape[-4], x.shape[-3] * n, channels).permute(0, 3, 1, 2)
        if len(grid) < 3:
            y = conv2d(planes, weight, self.map.bias, dilation=(1, n))
        else:
            y = self.map.bias[:, None, None] + sum(
                conv2d(planes[first : first + grid[0]], part, dilation=(1, n))
                for first, part in enumerate(weight.unbind(2))
            )
        return y.permute(0, 2, 3, 1).reshape(*grid, n, -1)

    def _beyond(self, x, n_axes, reach):
        """Add as many points on each side of each axis: zeros, or those of the other end."""
        if not self.periodic:
            return pad(x, (0, 0, 0, 0, *[reach] * (2 * n_axes)))
        for axis in range(n_axes):
            n = x.shape[axis]
            sides = x.narrow(axis, n - reach, reach), x.narrow(axis, 0, reach)
            x = torch.cat([sides[0], x, sides[1]], dim=axis)
        return x


def _local(channels, size, n_axes, periodic):
    if size == 1:
        return torch.nn.Linear(channels, channels)
    return _Neighbors(channels, size, n_axes, periodic)


@lru_cache(maxsize=8)
def _coordinates(grid, dtype, device):
    """Return the coordinates of each point, from -1 to 1, shape ``(*grid, 1, axes)``."""
    with torch.inference_mode(False):  # they outlive the pass that asks for them first
        axes = [torch.linspace(-1, 1, points, dtype=dtype, device=device) for points in grid]
        return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).unsqueeze(-2)
