"""Training on rows that are never in memory together."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from skdyn.autoencoder._sources import BatchedRows, StoredRows
from skdyn.training import ShuffledStream

__all__ = ["StreamedRows", "checked_blocks"]

_BLOCKS = 64  # of an array on disk in a full buffer: so many places meet in each batch


class StreamedRows:
    """Validated training rows: a sample of them at once, and all of them batch by batch.

    Parameters
    ----------
    source : StoredRows or BatchedRows
        Where they come from.
    check : callable
        ``check(block, reset)`` returns the block validated, or raises; ``reset`` is whether it
        decides the number of features and their names.
    reset : bool
        Whether the first block does.
    buffer_size : int
        Rows in the sample at most, and in the buffer that shuffles.

    Attributes
    ----------
    sample : ndarray of shape (n_sample_rows, n_features)
        Rows from all over an array on disk, or the first ones of batches.
    shape : tuple of int
        Rows, as many as there are in a pass, and features. Those of an iterator are unknown: the
        sample's count stands for them.
    """

    def __init__(
        self,
        source: StoredRows | BatchedRows,
        check: Callable[[Any, bool], np.ndarray],
        reset: bool,
        buffer_size: int,
    ) -> None:
        self._source, self._check, self._buffer_size = source, check, buffer_size
        first = list(checked_blocks(source.first(buffer_size), check, reset))
        if not first:
            raise ValueError("X gave no batches; at least one with one row is needed.")
        self.sample = np.concatenate(first)[:buffer_size]
        n_rows = source.count()
        self.shape = (len(self.sample) if n_rows is None else n_rows, self.sample.shape[1])

    def __len__(self) -> int:
        return self.shape[0]

    def batches(self, batch_size: int, generator: torch.Generator) -> ShuffledStream:
        """Return the batches of training.

        Parameters
        ----------
        batch_size : int
            Rows a batch.
        generator : torch.Generator
            Source of the order.

        Returns
        -------
        ShuffledStream
        """
        n_rows = -(-self._buffer_size // _BLOCKS)

        def read():
            blocks = self._source.blocks(n_rows, generator)
            checked = checked_blocks(blocks, self._check)
            return ((block,) for block in checked)

        return ShuffledStream(read, batch_size, generator, self._buffer_size)


def checked_blocks(
    blocks: Iterator[Any], check: Callable[[Any, bool], np.ndarray], reset: bool = False
) -> Iterator[np.ndarray]:
    """Validate blocks, and say which one is wrong.

    Parameters
    ----------
    blocks : iterator of array
        The blocks; those without rows are left out.
    check : callable
        See :class:`StreamedRows`.
    reset : bool, default=False
        Whether the first block decides the number of features and their names.

    Yields
    ------
    ndarray of shape (n_block_rows, n_features)

    Raises
    ------
    ValueError
        If a block is no table of finite numbers, or of another width than the first.
    """
    for number, block in enumerate(blocks):
        if not len(block):
            continue
        try:
            rows = check(block, reset)
        except ValueError as error:
            raise ValueError(f"Batch {number} of X: {error}") from error
        reset = False
        yield rows
