"""What a path does to a state: fields of controlled differential equations."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch

__all__ = ["FIELDS", "LinearField", "LowRankField", "MLPControlField"]


def _trunk(dim, hidden_layer_sizes):
    widths = [dim, *hidden_layer_sizes]
    layers: list[torch.nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [torch.nn.Linear(before, after), torch.nn.SiLU()]
    return torch.nn.Sequential(*layers), widths[-1]


class MLPControlField(torch.nn.Module):
    """A network with one output, from -1 to 1, for each pair of a state and a channel.

    Parameters
    ----------
    dim, n_channels : int
        Width of states and paths.
    hidden_layer_sizes : tuple of int
        Hidden layers.
    rank : int
        Not looked at.
    """

    def __init__(
        self, dim: int, n_channels: int, hidden_layer_sizes: tuple[int, ...], rank: int
    ) -> None:
        super().__init__()
        self.shape = dim, n_channels
        self.trunk, width = _trunk(dim, hidden_layer_sizes)
        self.last = torch.nn.Linear(width, dim * n_channels)

    def matrix(self, z: torch.Tensor) -> torch.Tensor:
        """Return the field, (n, dim, n_channels), of states z."""
        return self.last(self.trunk(z)).tanh().view(-1, *self.shape)

    def forward(self, z, moves):
        """Return how states move with a path."""
        return torch.bmm(self.matrix(z), moves[:, :, None])[:, :, 0]


class LowRankField(torch.nn.Module):
    """A network for some products of a direction in the states and one among the channels.

    Parameters
    ----------
    dim, n_channels : int
        Width of states and paths.
    hidden_layer_sizes : tuple of int
        Hidden layers.
    rank : int
        How many products.
    """

    def __init__(
        self, dim: int, n_channels: int, hidden_layer_sizes: tuple[int, ...], rank: int
    ) -> None:
        super().__init__()
        self.dim, self.n_channels, self.rank = dim, n_channels, rank
        self.trunk, width = _trunk(dim, hidden_layer_sizes)
        self.last = torch.nn.Linear(width, rank * (dim + n_channels))

    def _factors(self, z):
        factors = self.last(self.trunk(z)).tanh()
        left, right = factors.split([self.rank * self.dim, self.rank * self.n_channels], dim=1)
        left = left.view(-1, self.dim, self.rank) / math.sqrt(self.rank)
        return left, right.view(-1, self.rank, self.n_channels)

    def matrix(self, z: torch.Tensor) -> torch.Tensor:
        """Return the field, (n, dim, n_channels), of states z."""
        return torch.bmm(*self._factors(z))

    def forward(self, z, moves):
        """Return how states move with a path."""
        left, right = self._factors(z)
        return torch.bmm(left, torch.bmm(right, moves[:, :, None]))[:, :, 0]


class LinearField(torch.nn.Module):
    """A matrix and a shift for each channel.

    Parameters
    ----------
    dim, n_channels : int
        Width of states and paths.
    hidden_layer_sizes : tuple of int
        Not looked at.
    rank : int
        Not looked at.
    """

    def __init__(
        self, dim: int, n_channels: int, hidden_layer_sizes: tuple[int, ...], rank: int
    ) -> None:
        super().__init__()
        self.shape = dim, n_channels
        self.last = torch.nn.Linear(dim, dim * n_channels)

    def matrix(self, z: torch.Tensor) -> torch.Tensor:
        """Return the field, (n, dim, n_channels), of states z."""
        return self.last(z).view(-1, *self.shape)

    def forward(self, z, moves):
        """Return how states move with a path."""
        return torch.bmm(self.matrix(z), moves[:, :, None])[:, :, 0]


FIELDS: dict[str, Any] = {
    "mlp": MLPControlField, "low_rank": LowRankField, "linear": LinearField,
}  # fmt: skip
