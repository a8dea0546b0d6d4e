"""Weights of spectral layers: dense, or as few numbers that a product makes many.

A weight is a real tensor ``(*modes, n_inputs, 2 * n_outputs)``. Called, each module gives it whole.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, cast

import torch

__all__ = ["FACTORIZATIONS", "CPWeight", "DenseWeight", "TTWeight", "TuckerWeight"]

_LETTERS = "abcdefgh"


def _spread(shape):
    """Standard deviation of entries that keeps the size of signals: ``1 / sqrt(2 n_inputs)``."""
    return (2 * shape[-2]) ** -0.5


def _largest_rank(count: Callable[[int], int], budget: float) -> int:
    """Return the largest rank whose number of weights stays within the budget, at least 1."""
    rank = 1
    while count(rank + 1) <= budget and count(rank + 1) > count(rank):
        rank += 1
    return rank


class DenseWeight(torch.nn.Module):
    """All numbers by themselves.

    Parameters
    ----------
    shape : sequence of int
        Shape of the weight.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.values = torch.nn.Parameter(torch.randn(*shape) * _spread(shape))

    def forward(self) -> torch.Tensor:
        """Return the weight.

        Returns
        -------
        Tensor
        """
        return self.values


class TuckerWeight(torch.nn.Module):
    """A small core, and a matrix for each axis: ``W = G x_1 U_1 ... x_m U_m``.

    Parameters
    ----------
    shape : sequence of int
        Shape of the weight.
    rank : int or float
        Length of every axis of the core, at most the axis' own; or the share of dense weights.
    """

    def __init__(self, shape: Sequence[int], rank: int | float) -> None:
        super().__init__()
        if not isinstance(rank, int):
            rank = _largest_rank(lambda r: self._count(shape, r), rank * prod(shape))
        core = [min(rank, n) for n in shape]
        spread = _spread(shape) / prod(core) ** 0.5
        self.core = torch.nn.Parameter(torch.randn(*core) * spread)
        self.factors = torch.nn.ParameterList(
            torch.randn(n, r) for n, r in zip(shape, core, strict=True)
        )

    @staticmethod
    def _count(shape, rank):
        core = [min(rank, n) for n in shape]
        return prod(core) + sum(n * r for n, r in zip(shape, core, strict=True))

    def forward(self) -> torch.Tensor:
        """Return the weight.

        Returns
        -------
        Tensor
        """
        weight, axes = self.core, cast("Any", ([0], [1]))
        for factor in self.factors:  # each takes the first axis and puts its own last
            weight = torch.tensordot(weight, factor, dims=axes)
        return weight


class CPWeight(torch.nn.Module):
    """A sum of products of vectors, one vector for each axis and term.

    Parameters
    ----------
    shape : sequence of int
        Shape of the weight.
    rank : int or float
        Number of terms, or the share of dense weights.
    """

    def __init__(self, shape: Sequence[int], rank: int | float) -> None:
        super().__init__()
        if not isinstance(rank, int):
            rank = max(1, int(rank * prod(shape) / sum(shape)))
        scale = (_spread(shape) / rank**0.5) ** (1 / len(shape))
        self.factors = torch.nn.ParameterList(torch.randn(n, rank) * scale for n in shape)

    def forward(self) -> torch.Tensor:
        """Return the weight.

        Returns
        -------
        Tensor
        """
        letters = _LETTERS[: len(self.factors)]
        terms = ",".join(f"{letter}z" for letter in letters)
        return torch.einsum(f"{terms}->{letters}", *self.factors)


class TTWeight(torch.nn.Module):
    """A train of cores, one for each axis, each multiplied with the next.

    Parameters
    ----------
    shape : sequence of int
        Shape of the weight.
    rank : int or float
        Length of the bonds, at most what is needed; or the share of dense weights.
    """

    def __init__(self, shape: Sequence[int], rank: int | float) -> None:
        super().__init__()
        if not isinstance(rank, int):
            rank = _largest_rank(lambda r: self._count(shape, r), rank * prod(shape))
        bonds = self._bonds(shape, rank)
        scale = (_spread(shape) / prod(bonds) ** 0.5) ** (1 / len(shape))
        self.cores = torch.nn.ParameterList(
            torch.randn(a, n, b) * scale
            for a, n, b in zip(bonds[:-1], shape, bonds[1:], strict=True)
        )

    @staticmethod
    def _bonds(shape, rank):
        inner = [min(rank, prod(shape[:axis]), prod(shape[axis:])) for axis in range(1, len(shape))]
        return [1, *inner, 1]

    @classmethod
    def _count(cls, shape, rank):
        bonds = cls._bonds(shape, rank)
        return sum(a * n * b for a, n, b in zip(bonds[:-1], shape, bonds[1:], strict=True))

    def forward(self) -> torch.Tensor:
        """Return the weight.

        Returns
        -------
        Tensor
        """
        weight = self.cores[0]
        for core in list(self.cores)[1:]:
            weight = torch.tensordot(weight, core, dims=1)
        return weight.squeeze(0).squeeze(-1)


# Kossaifi et al. 2023, "Multi-Grid Tensorized Fourier Neural Operator".
FACTORIZATIONS: dict[str, Callable[..., torch.nn.Module]] = {
    "tucker": TuckerWeight,
    "cp": CPWeight,
    "tt": TTWeight,
}
