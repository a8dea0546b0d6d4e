"""What a path does to a state: fields of controlled differential equations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import torch

__all__ = ["FIELDS", "LinearField", "LowRankField", "MLPControlField"]


Mover = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # of states, and moves of a path


def _added(z, matrix, moves, factor=1):
    """Return z + factor * matrix @ moves."""
    return torch.baddbmm(z[:, :, None], matrix, moves[:, :, None], alpha=factor)[:, :, 0]


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

    def mover(self) -> Mover:
        """Return what moves states; a CPU takes a fraction of a tanh's time for a sigmoid."""
        layers = (layer for layer in self.trunk if isinstance(layer, torch.nn.Linear))
        hidden = [(layer.weight.t(), layer.bias) for layer in layers]
        weight, bias = 2 * self.last.weight.t(), 2 * self.last.bias

        def moved(z, moves):
            a = z
            for own_weight, own_bias in hidden:
                a = torch.nn.functional.silu(torch.addmm(own_bias, a, own_weight))
            shares = torch.addmm(bias, a, weight).sigmoid().view(-1, *self.shape)
            return _added(z - moves.sum(dim=1, keepdim=True), shares, moves, 2)

        return moved


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

    def mover(self) -> Mover:
        """Return what moves states."""

        def moved(z, moves):
            left, right = self._factors(z)
            return _added(z, left, torch.bmm(right, moves[:, :, None])[:, :, 0])

        return moved


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

    def mover(self) -> Mover:
        """Return what moves states."""
        return lambda z, moves: _added(z, self.matrix(z), moves)


FIELDS: dict[str, Any] = {
    "mlp": MLPControlField, "low_rank": LowRankField, "linear": LinearField,
}  # fmt: skip
