"""Rows that need not fit into memory: arrays on disk and iterables of batches."""

import mmap
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any

import numpy as np
import torch

__all__ = ["BatchedRows", "StoredRows", "as_source"]


class StoredRows:
    """Rows of an array on disk, read in contiguous blocks.

    Parameters
    ----------
    array : array of shape (n_rows, n_features)
        A ``numpy.memmap``, or what has ``shape``, ``chunks`` and slices (Zarr, HDF5, Dask).
    """

    once = False

    def __init__(self, array: Any) -> None:
        self.array = array

    def blocks(self, n_rows: int, generator: torch.Generator | None = None) -> Iterator[np.ndarray]:
        """Read all rows once.

        Parameters
        ----------
        n_rows : int
            Rows a block at least, where there are so many; whole chunks are read.
        generator : torch.Generator or None, default=None
            Source of the order of the blocks; None keeps the rows in order.

        Yields
        ------
        ndarray of shape (n_block_rows, n_features)
            A copy of the rows.
        """
        chunk = (getattr(self.array, "chunks", None) or (1,))[0]
        chunk = max(chunk) if isinstance(chunk, tuple) else chunk  # Dask tells the size of each
        size = -(-n_rows // chunk) * chunk
        n_blocks = -(-self.array.shape[0] // size)
        order = torch.arange(n_blocks)
        if generator is not None:
            order = torch.randperm(n_blocks, generator=generator)
        for number in order.tolist():
            yield np.array(self.array[number * size : (number + 1) * size])
            _let_pages_go(self.array)

    def first(self, n_rows: int, generator: torch.Generator) -> Iterator[np.ndarray]:
        """Read some rows from all over the array, in 16 blocks or more.

        Parameters
        ----------
        n_rows : int
            Rows at least, where there are so many.
        generator : torch.Generator
            Source of the choice.

        Yields
        ------
        ndarray of shape (n_block_rows, n_features)
            A copy of the rows.
        """
        yield from _until(n_rows, self.blocks(-(-n_rows // 16), generator))


class BatchedRows:
    """Rows that come batch by batch, in the order they are given.

    Parameters
    ----------
    batches : iterable or callable
        Arrays of shape (n_batch_rows, n_features); or a function that begins a new pass over them.
    """

    def __init__(self, batches: Iterable[Any] | Callable[[], Iterable[Any]]) -> None:
        self.batches = batches
        self.once = isinstance(batches, Iterator)
        self._read, self._spent = deque(), False

    def blocks(self, n_rows: int = 0, generator: torch.Generator | None = None) -> Iterator[Any]:
        """Begin a pass over the batches.

        Parameters
        ----------
        n_rows : int, default=0
            Ignored: batches come as they are.
        generator : torch.Generator or None, default=None
            Ignored: their order is the iterable's.

        Returns
        -------
        iterator of array

        Raises
        ------
        ValueError
            If the batches come from an iterator that was read already.
        """
        if not self.once:
            return iter(self.batches() if callable(self.batches) else self.batches)
        if self._spent:
            raise ValueError(
                "X is an iterator, which can be read only once, but another pass over its batches "
                "is needed. Pass a function that returns a new iterator, or a list of the batches."
            )
        self._spent = True
        return self._resumed()

    def first(self, n_rows: int, generator: torch.Generator | None = None) -> Iterator[Any]:
        """Read the first batches; an iterator gives them again in its one pass.

        Parameters
        ----------
        n_rows : int
            Rows at least, where there are so many.
        generator : torch.Generator or None, default=None
            Ignored.

        Yields
        ------
        array of shape (n_batch_rows, n_features)
            The batches.
        """
        for batch in _until(n_rows, self.batches if self.once else self.blocks()):
            if self.once:
                self._read.append(batch)
            yield batch

    def _resumed(self):
        while self._read:
            yield self._read.popleft()
        yield from self.batches


def as_source(X: Any, n_rows: int) -> StoredRows | BatchedRows | None:
    """Return where rows are read from if they need not fit into memory, else None.

    Parameters
    ----------
    X : object
        What the user passed as data.
    n_rows : int
        An array on disk with no more rows is for the memory.

    Returns
    -------
    StoredRows, BatchedRows or None
    """
    on_disk = isinstance(X, np.memmap) or (hasattr(X, "chunks") and hasattr(X, "shape"))
    if on_disk:
        return StoredRows(X) if len(X.shape) == 2 and X.shape[0] > n_rows else None
    if isinstance(X, list | tuple):
        return BatchedRows(X) if X and all(len(_shape(batch)) == 2 for batch in X) else None
    if hasattr(X, "shape") or hasattr(X, "__array__") or isinstance(X, str | bytes | Mapping | Set):
        return None
    return BatchedRows(X) if callable(X) or isinstance(X, Iterable) else None


def _shape(batch):
    return getattr(batch, "shape", ())


def _until(n_rows, blocks):
    """Yield blocks until they hold this many rows, and read none beyond."""
    n_read = 0
    for block in blocks:
        yield block
        n_read += len(block)
        if n_read >= n_rows:
            return


def _let_pages_go(array):
    """Release a mapped file's pages, which would count as this process's memory otherwise.

    Not of a copy-on-write map, whose changes live in those pages alone.
    """
    owner = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, mmap.mmap) and array.mode != "c" and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)
