"""Fourier layers in real arithmetic: truncated transforms as matrix products.

Fields are laid out grid first, ``(*grid, n, channels)``: then every transform is one (batched)
matrix product from the left, the modes arrive as ``(*modes, 2, n, channels)`` ready for one
product with the weights, and nothing is ever permuted. The axis of two holds real and imaginary
parts; the first axis of the grid keeps its frequencies from 0 on, which for real fields tell all.
"""

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
import torch

from skdyn.operators._factorization import FACTORIZATIONS, DenseWeight

__all__ = ["SpectralConvolution", "axis_frequencies", "from_modes", "mix", "to_modes"]


def axis_frequencies(n_modes: int, n_points: int, *, half: bool) -> tuple[int, ...]:
    """List the frequencies kept along an axis.

    Parameters
    ----------
    n_modes : int
        Frequencies from 0 on, the mean included; at most ``n_points // 2 + 1``.
    n_points : int
        Points of the axis.
    half : bool
        Whether to leave out the negative ones.

    Returns
    -------
    tuple of int
        Ascending. Of an even number of points the highest frequency is its own negative.
    """
    lowest = 0 if half else 1 - n_modes
    if 2 * lowest == -n_points:
        lowest += 1
    return tuple(range(lowest, n_modes))


@lru_cache(maxsize=256)
def _transforms(n_points, frequencies, period, own, half, dtype, device):
    """Return the matrices to the modes and back, real, for one axis.

    ``own`` is that of :func:`to_modes` along this axis.

    The first axis takes real values ``(n_points,)`` to ``(modes, 2)``; another takes complex ones
    ``(2, n_points)`` to ``(modes, 2)``. Frequencies that the grid cannot tell apart are dropped.
    """
    k, j = np.array(frequencies), np.arange(n_points)
    angle = 2 * np.pi * np.outer(k, j) / period
    seen = 2 * np.abs(k) <= n_points
    twin = np.isin(-k, k) & (2 * k == -n_points)  # the highest frequency twice
    wave = np.exp(1j * angle) * (seen & ~twin)[:, None]
    if half:
        own_negative = (k == 0) | ((2 * k == n_points) & (period == n_points))
        back = (wave * np.where(own_negative, 1.0, 2.0)[:, None]).T
        forward = np.stack([wave.real, -wave.imag], axis=1).reshape(-1, n_points)
        backward = np.stack([back.real, -back.imag], axis=2).reshape(n_points, -1)
    else:
        a, b = wave.real, wave.imag  # (a - ib) (u + iv), rows (mode, part), columns (part, point)
        forward = np.stack([np.hstack([a, b]), np.hstack([-b, a])], axis=1)
        forward = forward.reshape(-1, 2 * n_points)
        a, b = wave.real.T, wave.imag.T  # (a + ib) (u + iv), rows (part, point)
        real, imaginary = np.stack([a, -b], axis=2), np.stack([b, a], axis=2)
        backward = np.concatenate([real, imaginary]).reshape(2 * n_points, -1)
    with torch.inference_mode(False):  # they outlive the pass that asks for them first
        return tuple(
            torch.from_numpy(matrix).to(device, dtype)
            for matrix in (forward * _shares(n_points, own, half), backward)
        )


def _shares(n_points, own, half):
    """Return the share of each point in a mean over an axis, once or for both parts."""
    shares = np.full(n_points, 1 / n_points)
    if own is not None and n_points > 1:
        # Own points share alike: a rule of trapezoids, and half of an own step at each end.
        step = (own - 1) / (n_points - 1)
        shares[:] = step / own
        shares[[0, -1]] = (step + 1) / (2 * own)
    return shares if half else np.tile(shares, 2)


def _apply(matrix, x, n_batch):
    """Multiply a matrix from the left to the axis after ``n_batch`` leading ones, flattened."""
    x = x.reshape(n_batch, matrix.shape[1], -1)
    return torch.bmm(matrix.expand(n_batch, -1, -1), x) if n_batch > 1 else matrix @ x[0]


def _axes(grid, frequencies, periods, own, like):
    axes = zip(grid, frequencies, periods, own or [None] * len(grid), strict=True)
    return [
        _transforms(n, k, period, own_points, axis == 0, like.dtype, like.device)
        for axis, (n, k, period, own_points) in enumerate(axes)
    ]


def to_modes(
    x: torch.Tensor,
    frequencies: tuple[tuple[int, ...], ...],
    periods: tuple[float, ...],
    own: tuple[int, ...] | None = None,
) -> torch.Tensor:
    """Transform real fields into their Fourier coefficients.

    Parameters
    ----------
    x : Tensor of shape (\\*grid, n, channels)
        Fields.
    frequencies : tuple of tuple of int
        Frequencies of each axis; none negative along the first.
    periods : tuple of float
        Period of each axis in grid steps: the number of points, or more where zeros follow them.
    own : tuple of int or None, default=None
        Points of another grid from the first to the last of these, whose means are meant: those of
        this grid converge to nearly these. None means those of this one.

    Returns
    -------
    Tensor of shape (\\*modes, 2, n, channels)
        Means over the grid of fields times waves: real and imaginary parts.
    """
    *grid, n, channels = x.shape
    done = 1
    transforms = _axes(grid, frequencies, periods, own, x)
    for (forward, _), k in zip(transforms, frequencies, strict=True):
        x = _apply(forward, x, done)
        done *= len(k)
    return x.reshape(*map(len, frequencies), 2, n, channels)


def from_modes(
    z: torch.Tensor,
    frequencies: tuple[tuple[int, ...], ...],
    grid: tuple[int, ...],
    periods: tuple[float, ...],
    plus: torch.Tensor | None = None,
) -> torch.Tensor:
    """Sum waves with given coefficients on a grid, and add a field.

    Parameters
    ----------
    z : Tensor of shape (\\*modes, 2, n, channels)
        Coefficients.
    frequencies : tuple of tuple of int
        Frequencies of each axis.
    grid : tuple of int
        Points of each axis; it need not be the grid that the coefficients come from.
    periods : tuple of float
        Period of each axis in steps of that grid.
    plus : Tensor of shape (\\*grid, n, channels) or None, default=None
        What to add.

    Returns
    -------
    Tensor of shape (\\*grid, n, channels)
        Real fields.
    """
    *_, n, channels = z.shape
    matrices = [backward for _, backward in _axes(grid, frequencies, periods, None, z)]
    for axis in reversed(range(1, len(grid))):
        z = _apply(matrices[axis], z, prod(map(len, frequencies[:axis])))
    z = z.reshape(matrices[0].shape[1], -1)
    if plus is None:
        return (matrices[0] @ z).reshape(*grid, n, channels)
    return torch.addmm(plus.reshape(grid[0], -1), matrices[0], z).reshape(*grid, n, channels)


class SpectralConvolution(torch.nn.Module):
    """Convolution with a learned periodic kernel, by its Fourier coefficients.

    Each kept mode k of the channels is multiplied by a complex matrix :math:`W_k`.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Channels in and out.
    n_modes : tuple of int
        Frequencies kept along each axis, the mean included.
    grid : tuple of int
        Grid that the layer is trained on.
    padding : float, default=0.0
        Zeros that follow the fields, as a fraction of the grid. They cost nothing here: only the
        waves become longer.
    periodic : bool, default=True
        Whether a step beyond the last point is the first one; otherwise the last point is the end
        of the domain, and its length in steps of another grid one less than the points.
    factorization : {"tucker", "cp", "tt"} or None, default=None
        Form of the weights; None is dense.
    rank : int or float, default=0.1
        Its rank, or the share of the dense weights to spend.
    incremental : bool, default=False
        Whether the number of frequencies in use may be limited, by the buffer ``limit``.
    """

    limit: torch.Tensor | None

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        n_modes: tuple[int, ...],
        grid: tuple[int, ...],
        *,
        padding: float = 0.0,
        periodic: bool = True,
        factorization: str | None = None,
        rank: int | float = 0.1,
        incremental: bool = False,
    ) -> None:
        super().__init__()
        self.grid, self.padding, self.periodic = tuple(grid), padding, periodic
        self.frequencies = tuple(
            axis_frequencies(k, n, half=axis == 0)
            for axis, (k, n) in enumerate(zip(n_modes, grid, strict=True))
        )
        shape = (*map(len, self.frequencies), n_inputs, 2 * n_outputs)
        self.shape = shape
        if factorization is None:
            self.weight = DenseWeight(shape)
        else:
            self.weight = FACTORIZATIONS[factorization](shape, rank)
        self.register_buffer("limit", torch.tensor(max(n_modes)) if incremental else None)
        self._read: Any = None, None, None

    def periods(self, grid: tuple[int, ...]) -> tuple[float, ...]:
        """Return the period of each axis in steps of a grid.

        Parameters
        ----------
        grid : tuple of int
            Points of each axis.

        Returns
        -------
        tuple of float
        """
        pairs = zip(grid, self.grid, strict=True)
        longer = 1 + self.padding
        if self.periodic:
            return tuple(longer * n for n, _ in pairs)
        return tuple(longer * own * (n - 1) / max(own - 1, 1) or 1.0 for n, own in pairs)

    def forward(self, x: torch.Tensor, plus: torch.Tensor | None = None) -> torch.Tensor:
        """Convolve fields, and add others.

        Parameters
        ----------
        x : Tensor of shape (\\*grid, n, n_inputs)
            Fields.
        plus : Tensor of shape (\\*grid, n, n_outputs) or None, default=None
            What to add.

        Returns
        -------
        Tensor of shape (\\*grid, n, n_outputs)
        """
        grid, weight, frequencies = tuple(x.shape[:-2]), self.weight(), self.frequencies
        if self.limit is not None:
            used = [_within(axis, self._limit()) for axis in frequencies]
            weight = weight[tuple(used)]
            frequencies = tuple(axis[kept] for axis, kept in zip(frequencies, used, strict=True))
        periods = self.periods(grid)
        own = None if self.periodic else self.grid
        z = mix(to_modes(x, frequencies, periods, own), weight)
        return from_modes(z, frequencies, grid, periods, plus)

    def _limit(self):
        """Return the limit as a number, read from its device when it has changed alone."""
        limit: Any = self.limit
        if limit.is_inference():  # which tell no changes
            return int(limit)
        tensor, version, number = self._read
        if tensor is not limit or version != limit._version:
            number = int(limit)
            self._read = limit, limit._version, number
        return number

    def multiply_adds(self, n: int, grid: tuple[int, ...]) -> int:
        """Count the multiply-adds of a pass over fields.

        Parameters
        ----------
        n : int
            Number of fields.
        grid : tuple of int
            Their grid.

        Returns
        -------
        int
        """
        *modes, n_inputs, twice_n_outputs = self.shape
        # To modes axis by axis, the last first, each a product with a complex matrix, and back.
        sizes = [prod(grid[: axis + 1]) * prod(modes[axis:]) for axis in range(len(grid))]
        waves = 2 * sum(sizes) * (n_inputs + twice_n_outputs // 2)
        return n * (waves + 2 * prod(modes) * n_inputs * twice_n_outputs)


def mix(z: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Multiply each mode by its complex matrix.

    Parameters
    ----------
    z : Tensor of shape (\\*modes, 2, n, n_inputs)
        Coefficients.
    weight : Tensor of shape (\\*modes, n_inputs, 2 * n_outputs)
        Real parts of the matrices, then imaginary ones.

    Returns
    -------
    Tensor of shape (\\*modes, 2, n, n_outputs)
    """
    *modes, _, n, n_inputs = z.shape
    # Both parts times both parts in one product, which needs no copy of fields or weights.
    weight = weight.reshape(prod(modes), n_inputs, -1)
    product = torch.bmm(z.reshape(prod(modes), 2 * n, n_inputs), weight)
    (aa, ab), (ba, bb) = (
        part.unbind(-2) for part in product.reshape(*modes, 2, n, 2, -1).unbind(-4)
    )
    return torch.stack([aa - bb, ab + ba], dim=-3)


def _within(frequencies, limit):
    """Return the slice of the frequencies below a limit."""
    kept = [i for i, k in enumerate(frequencies) if abs(k) < limit]
    return slice(kept[0], kept[-1] + 1)
