"""Batches as slices of tensors that are already where they are needed."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from skdyn.training._devices import sent

_GATHERED = 2**20  # numbers gathered at once: enough that calls cost nothing beside them


class TensorBatches:
    """Iterate over aligned tensors in batches.

    A gather puts the cases of many batches in a new order; the batches are views of it. Against a
    ``DataLoader`` this saves a Python call and a stack for every single case. What is gathered at
    once is bounded, so that there never is a second copy of large data.

    Parameters
    ----------
    tensors : tuple of Tensor
        Tensors that share their first axis, the cases.
    batch_size : int
        Cases a batch; the last one may be smaller.
    generator : torch.Generator or None, default=None
        Source of each epoch's order; None keeps the order as it is.
    """

    def __init__(
        self,
        tensors: Iterable[torch.Tensor],
        batch_size: int,
        generator: torch.Generator | None = None,
    ) -> None:
        self.tensors = tuple(tensors)
        self.n_cases = len(self.tensors[0])
        self.batch_size = min(batch_size, self.n_cases)
        self.generator = generator

    def __len__(self) -> int:
        return -(-self.n_cases // self.batch_size)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        if self.batch_size == self.n_cases:  # the order of one batch changes nothing but rounding
            yield self.tensors
            return
        if self.generator is None:
            yield from self._cut(self.tensors)
            return
        order = torch.randperm(self.n_cases, generator=self.generator)
        order = sent(order, self.tensors[0].device)
        for some in order.split(self._n_gathered()):
            yield from self._cut([tensor[some] for tensor in self.tensors])

    def _cut(self, tensors):
        return zip(*(tensor.split(self.batch_size) for tensor in tensors), strict=True)

    def _n_gathered(self):
        """Return how many cases are gathered at once: whole batches, one at least."""
        n_numbers = sum(tensor[0].numel() for tensor in self.tensors)
        return max(1, _GATHERED // (n_numbers * self.batch_size)) * self.batch_size


def to_tensor(array: np.ndarray | torch.Tensor) -> torch.Tensor:
    """Return a tensor that shares an array's memory, or a copy where nobody may write to that.

    Torch has no tensors that cannot be written to and warns: of files mapped for reading, and of
    what joblib shares between processes. Nor has it tensors that run backwards in memory.

    Parameters
    ----------
    array : ndarray or Tensor
        The numbers.

    Returns
    -------
    Tensor
    """
    if isinstance(array, np.ndarray):
        array = np.require(array, requirements="W")
        if any(stride < 0 for stride in array.strides):
            array = array.copy()
    return torch.as_tensor(array)
