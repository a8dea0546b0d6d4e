"""Rows that need not fit into memory: arrays on disk and iterables of batches."""

from __future__ import annotations

import mmap
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import ArrayLike

__all__ = ["BatchedRows", "Rows", "StoredRows", "as_source", "refuse_sequences"]

Rows = ArrayLike | Iterable[ArrayLike] | Callable[[], Iterable[ArrayLike]]


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

    def count(self) -> int:
        """Count the rows.

        Returns
        -------
        int
        """
        return self.array.shape[0]

    def blocks(self, n_rows: int, generator: torch.Generator | None = None) -> Iterator[np.ndarray]:
        """Read all rows once, in contiguous blocks.

        Parameters
        ----------
        n_rows : int
            Rows a block at least, where there are so many; whole chunks are read.
        generator : torch.Generator or None, default=None
            Source of the order of the blocks; None keeps the rows in order.

        Returns
        -------
        iterator of ndarray of shape (n_block_rows, n_features)
            Copies of the rows.
        """
        return (block for _, block in self.placed(n_rows, generator))

    def placed(
        self, n_rows: int, generator: torch.Generator | None = None
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Read all rows once, each block with the number of its first row.

        Parameters
        ----------
        n_rows, generator : object
            As of :meth:`blocks`.

        Yields
        ------
        (int, ndarray)
        """
        if generator is None:
            yield from self._read(n_rows, torch.arange)
        else:
            yield from self._read(n_rows, lambda n: torch.randperm(n, generator=generator))

    def placed_first(self, n_rows: int) -> Iterator[tuple[int, np.ndarray]]:
        """Read some rows, in 16 blocks spread evenly over the array.

        Parameters
        ----------
        n_rows : int
            Rows, about; fewer if the array has fewer.

        Yields
        ------
        (int, ndarray)
            The number of a block's first row, and a copy of its rows.
        """
        yield from self._read(-(-n_rows // 16), _spread)

    def _read(self, n_rows, choose):
        chunk = (getattr(self.array, "chunks", None) or (1,))[0]
        chunk = max(chunk) if isinstance(chunk, tuple) else chunk  # Dask tells the size of each
        size = -(-n_rows // chunk) * chunk
        for number in choose(-(-self.array.shape[0] // size)).tolist():
            yield number * size, np.array(self.array[number * size : (number + 1) * size])
            _let_pages_go(self.array)


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
        self._kept, self._spent = deque(), False

    def count(self) -> int | None:
        """Count the rows, by a pass over all batches.

        Returns
        -------
        int or None
            None for an iterator, which would be spent.
        """
        return None if self.once else sum(len(batch) for batch in self.blocks())

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

    def first(self, n_rows: int) -> Iterator[Any]:
        """Read the first batches; an iterator gives them again in its one pass.

        Parameters
        ----------
        n_rows : int
            Rows at least, where there are so many.

        Yields
        ------
        array of shape (n_batch_rows, n_features)
            The batches.
        """
        n_read = 0
        for batch in cast("Iterator", self.batches) if self.once else self.blocks():
            if self.once:
                self._kept.append(batch)
            yield batch
            n_read += len(batch)
            if n_read >= n_rows:
                return

    def placed(
        self, n_rows: int = 0, generator: torch.Generator | None = None
    ) -> Iterator[tuple[int, Any]]:
        """Begin a pass over the batches, each with the number of its first row.

        Parameters
        ----------
        n_rows, generator : object
            Ignored, as by :meth:`blocks`.

        Returns
        -------
        iterator of (int, array)
        """
        return _placed(self.blocks())

    def placed_first(self, n_rows: int) -> Iterator[tuple[int, Any]]:
        """Read the first batches, each with the number of its first row.

        Parameters
        ----------
        n_rows : int
            As of :meth:`first`.

        Returns
        -------
        iterator of (int, array)
        """
        return _placed(self.first(n_rows))

    def _resumed(self):
        while self._kept:
            yield self._kept.popleft()
        yield from cast("Iterator", self.batches)


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
    return BatchedRows(cast("Any", X)) if callable(X) or isinstance(X, Iterable) else None


def refuse_sequences(X: Any, name: str = "X") -> None:
    """Refuse arrays of more than two axes, such as (batch, sequence, features).

    Parameters
    ----------
    X : object
        What the user passed as data.
    name : str, default="X"
        What it is called.

    Raises
    ------
    ValueError
        If it has more axes, or is a list of arrays that have; with how to make rows of it.
    """
    parts = X if isinstance(X, list | tuple) and X else (X,)
    shape = tuple(_shape(parts[0]))
    if len(shape) > 2:
        raise ValueError(
            f"{name} has shape {shape}, but rows are asked for: of (batch, sequence, features), "
            f"one per token. Pass {name}.reshape(-1, {shape[-1]})."
        )


def _placed(batches):
    start = 0
    for batch in batches:
        yield start, batch
        start += len(batch)


def _shape(batch):
    return getattr(batch, "shape", ())


def _spread(n_blocks):
    return torch.linspace(0, n_blocks - 1, 16).round().long().unique()


def _let_pages_go(array):
    """Release a mapped file's pages, which would count as this process's memory otherwise.

    Not of a copy-on-write map, whose changes live in those pages alone.
    """
    owner = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, mmap.mmap) and array.mode != "c" and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)
