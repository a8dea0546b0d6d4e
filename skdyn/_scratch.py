"""Large arrays that stay on disk: those a user has there, and what is made of their rows."""

import mmap
import tempfile
from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np

__all__ = ["Spool", "copy_of", "is_large", "lies_on_disk", "taken", "written"]

_LARGE = 2**28  # bytes: what is smaller is for the memory
_KEPT = 2**26  # bytes that wait in memory until it shows whether there are many
_BLOCK = 2**18  # numbers that are copied at a time


def is_large(n_bytes: int) -> bool:
    """Tell sizes that are too large to be kept in memory beside others of their kind.

    Parameters
    ----------
    n_bytes : int
        The size.

    Returns
    -------
    bool
    """
    return n_bytes > _LARGE


def lies_on_disk(array: np.ndarray) -> bool:
    """Tell whether an array is large, and its numbers are read from a file.

    Parameters
    ----------
    array : ndarray, or rows of ours
        Any; a view of a file's numbers is on disk too.

    Returns
    -------
    bool
    """
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return isinstance(owner, mmap.mmap) and is_large(array.nbytes)


class Spool:
    """Blocks put one after the other: in memory, or in a file where they are many.

    The file has no name and goes with the array. It lies where ``tempfile`` puts files.
    """

    def __init__(self) -> None:
        self._kept: list[np.ndarray] = []
        self._file: Any = None
        self._like = np.empty(0)
        self._n_rows = self._n_bytes = 0

    def add(self, block: np.ndarray) -> None:
        """Put one more block behind the others.

        Parameters
        ----------
        block : ndarray
            Like those before it but for the first axis.

        Raises
        ------
        OSError
            If the disk is full.
        """
        self._kept.append(block)
        self._like = block
        self._n_rows, self._n_bytes = self._n_rows + len(block), self._n_bytes + block.nbytes
        if self._n_bytes > min(_KEPT, _LARGE):
            self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115 (the array keeps it)
            for part in self._kept:  # not through the mapping: a full disk would end the process
                _write(self._file, part, self._n_bytes)
            self._kept = []

    def array(self) -> np.ndarray:
        """Return all blocks as one array; there must be some.

        Returns
        -------
        ndarray
        """
        if self._file is None:
            return np.concatenate(self._kept)
        self._file.flush()
        shape, dtype = (self._n_rows, *self._like.shape[1:]), self._like.dtype
        if self._n_bytes > _LARGE:
            return np.asarray(np.memmap(self._file, dtype, "r+", shape=shape))
        self._file.seek(0)
        return np.fromfile(self._file, dtype).reshape(shape)


def written(blocks: Iterable[np.ndarray]) -> np.ndarray:
    """Put blocks one after the other, as :class:`Spool` does.

    Parameters
    ----------
    blocks : iterable of ndarray
        Of one type, alike but for their first axis; one at least.

    Returns
    -------
    ndarray

    Raises
    ------
    OSError
        If the disk is full.
    """
    spool = Spool()
    for block in blocks:
        spool.add(block)
    return spool.array()


def _write(file, part, n_bytes):
    try:
        file.write(np.ascontiguousarray(part).data)
    except OSError as error:
        raise OSError(
            f"The folder for temporary files, {tempfile.gettempdir()!r}, has no room for "
            f"{n_bytes:.3g} bytes of scaled rows: set TMPDIR to a folder on a larger disk. {error}"
        ) from error


def taken(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return some rows of an array, on disk if there it is.

    Parameters
    ----------
    array : ndarray of shape (n, ...)
        The array.
    rows : ndarray of int
        Their numbers.

    Returns
    -------
    ndarray of shape (n_rows, ...)
    """
    if not lies_on_disk(array):
        return array[rows]
    n_each = max(1, _BLOCK // max(1, prod(array.shape[1:])))
    parts = range(0, max(1, len(rows)), n_each)
    return written(array[rows[start : start + n_each]] for start in parts)


def copy_of(array: np.ndarray) -> np.ndarray:
    """Return a copy that may be written to, on disk if there is the array.

    Parameters
    ----------
    array : ndarray
        The array.

    Returns
    -------
    ndarray
    """
    return taken(array, np.arange(len(array))) if lies_on_disk(array) else array.copy()
