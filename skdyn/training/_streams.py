"""Batches from data larger than memory, shuffled in a buffer of bounded size."""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Self

import numpy as np
import torch

from skdyn.training._batches import to_tensor
from skdyn.training._devices import sent


class ShuffledStream:
    """Iterate over blocks of cases in batches, mixed in a buffer.

    Blocks fill the buffer. Whenever it is full, a random half of it leaves as batches, and new
    blocks take the empty places: a case stays for two turns on average, so that it meets others
    from all over a few buffers' length. What is left after the last block leaves shuffled too.

    Parameters
    ----------
    read : callable
        ``read()`` begins a pass: it returns an iterable of blocks, each a sequence of arrays that
        share their first axis, the cases.
    batch_size : int
        Cases a batch; only the last of a pass may be smaller.
    generator : torch.Generator
        Source of the order.
    buffer_size : int
        Cases held in memory, rounded to an even number of batches, two at least.

    Attributes
    ----------
    n_cases : int
        Cases that the latest pass has given so far.
    """

    def __init__(
        self,
        read: Callable[[], Iterable[Sequence[np.ndarray]]],
        batch_size: int,
        generator: torch.Generator,
        buffer_size: int,
    ) -> None:
        self.read = read
        self.batch_size = batch_size
        self.generator = generator
        self.capacity = 2 * batch_size * max(1, buffer_size // (2 * batch_size))
        self.like = torch.empty(0)
        self.n_cases = 0

    def to(self, like: torch.Tensor) -> Self:
        """Return this stream with batches on the device and, if floating, in the type of a tensor.

        Parameters
        ----------
        like : Tensor
            The example.

        Returns
        -------
        ShuffledStream
        """
        stream = copy.copy(self)
        stream.like = like
        return stream

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        self.n_cases = 0
        buffers, free = None, torch.arange(self.capacity)
        for block in self.read():
            tensors = [self._in_precision(to_tensor(array)) for array in block]
            if buffers is None:
                buffers = [part.new_empty((self.capacity, *part.shape[1:])) for part in tensors]
            while len(tensors[0]):
                places, free = free.tensor_split([len(tensors[0])])
                for buffer, part in zip(buffers, tensors, strict=True):
                    buffer[places] = part[: len(places)]
                tensors = [part[len(places) :] for part in tensors]
                if not len(free):
                    order = torch.randperm(self.capacity, generator=self.generator)
                    free = order[: self.capacity // 2]
                    yield from self._batches(buffers, free)
        if buffers is not None:
            taken = torch.ones(self.capacity, dtype=torch.bool).index_fill_(0, free, False)
            (rest,) = taken.nonzero(as_tuple=True)
            rest = rest[torch.randperm(len(rest), generator=self.generator)]
            yield from self._batches(buffers, rest)

    def _batches(self, buffers, places):
        for part in places.split(self.batch_size) if len(places) else ():
            self.n_cases += len(part)
            yield tuple(sent(buffer[part], self.like.device) for buffer in buffers)

    def _in_precision(self, tensor):
        return tensor.to(self.like.dtype) if tensor.is_floating_point() else tensor
