"""Networks of a branch and a trunk: coefficients of functions, and functions."""

import math
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch

__all__ = ["BranchTrunkNetwork", "coordinates"]

_WAVES = 4  # along each axis, given to the trunk beside coordinates: a plain one learns them slowly


def coordinates(grid: tuple[int, ...], periodic: bool) -> torch.Tensor:
    """Return what the trunk sees of each point of a grid.

    Parameters
    ----------
    grid : tuple of int
        Its shape; empty for the one point of functions that are numbers.
    periodic : bool
        Whether its axes are; then they are circles, else intervals with both ends.

    Returns
    -------
    Tensor of shape (n_points, n_values)
        Waves of low frequency, after the coordinates themselves where they do not jump.
    """
    columns = []
    for axis, n in enumerate(grid):
        x = torch.arange(n) / (n if periodic else max(n - 1, 1))
        x = x.reshape(-1, *[1] * (len(grid) - axis - 1)).expand(grid).reshape(-1)
        angles = (2 if periodic else 1) * math.pi * x[:, None] * torch.arange(1, _WAVES + 1)
        columns += [angles.cos(), angles.sin()] if periodic else [
            2 * x[:, None] - 1, angles.cos(), angles.sin()
        ]  # fmt: skip
    return torch.cat(columns, dim=1) if columns else torch.ones(1, 1)


@lru_cache(maxsize=8)
def coordinates_on(
    grid: tuple[int, ...], periodic: bool, dtype: torch.dtype, device: torch.device
) -> torch.Tensor:
    """Return :func:`coordinates` in a precision and a place: sent there once, not at every step."""
    with torch.inference_mode(False):  # they are used in training too
        return coordinates(grid, periodic).to(device, dtype)


def check_layer_sizes(estimator, name: str = "hidden_layer_sizes") -> tuple[int, ...]:
    """Return the widths in a parameter, which must be positive integers."""
    given = getattr(estimator, name)
    sizes = tuple(int(n) for n in np.atleast_1d(np.asarray(given)))
    if any(n < 1 for n in sizes):
        raise ValueError(f"{name} must be positive integers; got {given!r}.")
    return sizes


def perceptron(widths: list[int]) -> torch.nn.Sequential:
    """Layers of the given widths, with smooth steps between them."""
    layers = []
    for n_from, n_to in pairwise(widths):
        layers += [torch.nn.Linear(n_from, n_to), torch.nn.GELU()]
    return torch.nn.Sequential(*layers[:-1])


class BranchTrunkNetwork(torch.nn.Module):
    """Sum of functions, the coefficients of which depend on the inputs.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Channels in and out.
    n_sensors : int
        Points of the grid of the inputs.
    output_grid : tuple of int
        Grid of the answers; empty for numbers.
    n_basis : int
        Functions, for each channel of the answers.
    basis : {"trunk", "pod"}
        Functions that are learned by a network of coordinates, or put in :attr:`modes`.
    branch : {"nonlinear", "linear"}
        Map from the inputs to the coefficients.
    merge : {"concatenate", "product"}
        One branch for all channels of the inputs, or the product of one for each.
    hidden_layer_sizes : tuple of int
        Hidden layers of branch and trunk.
    periodic : bool
        Whether the grids are.
    """

    modes: torch.Tensor
    mean: torch.Tensor
    output_grid: tuple[int, ...]

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        n_sensors: int,
        output_grid: tuple[int, ...],
        n_basis: int,
        basis: str,
        branch: str,
        merge: str,
        hidden_layer_sizes: tuple[int, ...],
        periodic: bool,
    ) -> None:
        super().__init__()
        self.n_outputs, self.output_grid = n_outputs, tuple(output_grid)
        self.n_branches = n_inputs if merge == "product" else 1
        self.periodic = periodic
        hidden = list(hidden_layer_sizes)
        inputs = n_inputs * n_sensors // self.n_branches
        within = hidden if branch == "nonlinear" else []
        n_coefficients = n_basis if basis == "pod" else n_basis * n_outputs
        self.branches = torch.nn.ModuleList(
            perceptron([inputs, *within, n_coefficients]) for _ in range(self.n_branches)
        )
        if basis == "pod":
            n_points = math.prod(self.output_grid)
            self.trunk: Any = None
            self.register_buffer("modes", torch.zeros(n_basis, n_outputs * n_points))
            self.register_buffer("mean", torch.zeros(n_outputs * n_points))
        else:
            n_values = coordinates(self.output_grid, periodic).shape[1]
            self.trunk = perceptron([n_values, *hidden, n_basis])
            self.bias = torch.nn.Parameter(torch.zeros(n_outputs, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Answer to functions with functions, or with numbers.

        Parameters
        ----------
        x : Tensor of shape (n, n_inputs, \\*grid)
            Inputs.

        Returns
        -------
        Tensor of shape (n, n_outputs, *output_grid) or (n, n_outputs)
        """
        parts = x.flatten(2).chunk(self.n_branches, dim=1)
        coefficients: Any = math.prod(
            branch(part.flatten(1)) for branch, part in zip(self.branches, parts, strict=True)
        )
        if self.trunk is None:
            y = coefficients @ self.modes + self.mean
        else:
            points = coordinates_on(self.output_grid, self.periodic, x.dtype, x.device)
            functions = self.trunk(points)
            coefficients = coefficients.unflatten(1, (self.n_outputs, -1))
            y = coefficients @ functions.T / functions.shape[1] ** 0.5 + self.bias
        return y.reshape(len(x), self.n_outputs, *self.output_grid)

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
        n_points = math.prod(self.output_grid)
        branches = sum(weight.numel() for weight in self.branches.parameters())
        if self.trunk is None:
            return shape[0] * (branches + self.modes.numel())
        # The trunk is asked once for all cases of a batch.
        trunk = sum(weight.numel() for weight in self.trunk.parameters())
        sums = self.n_outputs * self.trunk[-1].out_features
        return shape[0] * (branches + n_points * sums) + n_points * trunk
