"""What the networks that pool bags minimize."""

from typing import Any

import torch

from skdyn.hopfield._bag_batches import BagStore
from skdyn.hopfield._pooling import HopfieldPooling

__all__ = ["PoolingObjective"]


class PoolingObjective:
    """Mean loss of the networks on bags of a store; each is as if trained alone.

    Parameters
    ----------
    row_loss : callable
        ``row_loss(outputs, y)`` returns the loss of each bag.
    generator : torch.Generator
        Source of what is dropped out.
    max_instances : int or None, default=None
        How many of a bag at most are seen at a time.
    """

    def __init__(
        self, row_loss: Any, generator: torch.Generator, max_instances: int | None = None
    ) -> None:
        self._row_loss, self._generator = row_loss, generator
        self._max_instances = max_instances
        self._stores: list[BagStore] = []

    def add(self, store: BagStore) -> torch.Tensor:
        """Take in bags; return their numbers, by which batch ask for them.

        Parameters
        ----------
        store : BagStore
            Bags.

        Returns
        -------
        Tensor of int of shape (n_bags,)
        """
        first = sum(map(len, self._stores))
        self._stores.append(store)
        return torch.arange(first, first + len(store))

    def __call__(
        self, module: HopfieldPooling, numbers: torch.Tensor, y: torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        module : HopfieldPooling
            The networks.
        numbers : Tensor of int of shape (n_bags,)
            Of bags in one store.
        y, weight : Tensor of shape (n_bags, ...)
            Their targets and weights.

        Returns
        -------
        Tensor
        """
        training, *watched = self._stores
        if watched and int(numbers[0]) >= len(training):
            batch = watched[0].batch(numbers - len(training))
        else:
            batch = training.batch(numbers, self._generator, self._max_instances)
        losses = torch.stack([self._row_loss(outputs, y) for outputs in module.each(batch)])
        return (losses.mean(dim=0) * weight).mean()

    def multiply_adds(self, module: HopfieldPooling, shape: tuple[int, ...]) -> int:
        """Count the multiply-adds of a pass over a batch of this shape.

        Parameters
        ----------
        module : HopfieldPooling
            The networks.
        shape : tuple of int
            ``(n_bags,)``.

        Returns
        -------
        int
        """
        sizes = self._stores[0].sizes
        if self._max_instances is not None:
            sizes = sizes.clamp(max=self._max_instances)
        return module.multiply_adds((shape[0], -(-int(sizes.sum()) // len(sizes))))
