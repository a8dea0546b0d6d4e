"""Training on rows that are never in memory together, or that come more than once."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from skdyn.autoencoder._aligned import AlignedRows, Block
from skdyn.training import ShuffledStream

__all__ = ["StreamedRows", "checked_blocks"]

_BLOCKS = 64  # of an array on disk in a full buffer: so many places meet in each batch


class StreamedRows:
    """Validated training rows: a sample of them at once, and all of them batch by batch.

    Parameters
    ----------
    source : AlignedRows
        Where they come from.
    check : callable
        ``check(block, reset)`` returns the arrays of a block validated, inputs first, or raises;
        ``reset`` is whether it decides the number of features and their names.
    reset : bool
        Whether the first block does.
    buffer_size : int
        Rows in the sample at most, and in the buffer that shuffles.
    n_total : int or None, default=None
        Rows that an iterator will give.

    Attributes
    ----------
    sample : ndarray of shape (n_sample_rows, n_features)
        Rows from all over an array on disk, or the first ones of batches.
    target_sample : ndarray of shape (n_sample_rows, n_outputs) or None
        Their targets.
    n_rows : int or None
        Rows of a pass; None of an iterator of which nothing more is known.
    """

    def __init__(
        self,
        source: AlignedRows,
        check: Callable[[Block, bool], tuple[np.ndarray, ...]],
        reset: bool,
        buffer_size: int,
        n_total: int | None = None,
    ) -> None:
        self._source, self._check, self._buffer_size = source, check, buffer_size
        first = list(self._checked(source.first(buffer_size), reset))
        if not first:
            raise ValueError("X gave no batches; at least one with one row is needed.")
        parts = [np.concatenate(part) for part in zip(*first, strict=True)]
        self.sample, *targets = (part[:buffer_size] for part in parts)
        self.target_sample = targets[0] if targets else None
        self.n_rows = source.count()
        if self.n_rows is None and len(parts[0]) < buffer_size:  # these were all of them
            self.n_rows = len(parts[0])
        elif self.n_rows is None:
            self.n_rows = n_total if source.weight is None else len(source.weight)

    def __len__(self) -> int:
        return len(self.sample) if self.n_rows is None else self.n_rows

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
            return self._checked(self._source.blocks(n_rows, generator))

        return ShuffledStream(read, batch_size, generator, self._buffer_size)

    def _checked(self, blocks, reset=False):
        """Yield the arrays of blocks, validated, their rows as often as they come."""
        for counts, arrays in checked_blocks(blocks, self._checked_block, reset):
            if counts is not None:
                arrays = tuple(np.repeat(part, counts, axis=0) for part in arrays)
            if len(arrays[0]):
                yield arrays

    def _checked_block(self, block, reset):
        return block.counts, self._check(block, reset)


def checked_blocks(
    blocks: Iterator[Any], check: Callable[[Any, bool], Any], reset: bool = False
) -> Iterator[Any]:
    """Validate blocks, and say which one is wrong.

    Parameters
    ----------
    blocks : iterator of array or Block
        The blocks; those without rows are left out.
    check : callable
        ``check(block, reset)`` returns the block validated, or raises.
    reset : bool, default=False
        Whether the first block decides the number of features and their names.

    Yields
    ------
    object
        What ``check`` returned.

    Raises
    ------
    ValueError
        If a block is no table of finite numbers, or of another width than the first.
    """
    for number, block in enumerate(blocks):
        if not len(block.X if isinstance(block, Block) else block):
            continue
        try:
            rows = check(block, reset)
        except ValueError as error:
            raise ValueError(f"Batch {number} of X: {error}") from error
        reset = False
        yield rows
