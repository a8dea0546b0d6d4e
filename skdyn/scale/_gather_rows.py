"""Rows that several processes hold, brought to all of them."""

from typing import Any

import numpy as np

from skdyn._scratch import written
from skdyn.scale._data_parallel import processes
from skdyn.training import Alone

__all__ = ["gather_rows"]

_NUMBERS = 2**20  # that are sent at a time


def gather_rows(*arrays: Any, group: Any = None, timeout: float = 60.0) -> tuple[np.ndarray, ...]:
    """Return the rows of all processes of a ``torch.distributed`` group, in each of them.

    For data of which every process has read a part: :func:`~skdyn.scale.data_parallel` needs all of
    it in each process, since scales, classes, grids and batches are those of the whole. The rows
    come in the order of the processes, block by block; what is larger than 256 MB is kept in a
    file without a name in the folder for temporary files, so that the memory holds a few blocks.
    Outside of a group the arrays are returned as they are.

    Parameters
    ----------
    *arrays : array-like of shape (n_own_rows, ...)
        Each with the rows of this process; none is fine, as an array of shape ``(0, ...)``. Also
        a memmap, and what Zarr and HDF5 open, which is read block by block.
    group : ProcessGroup or None, default=None
        Of ``torch.distributed``; None takes all processes.
    timeout : float, default=60.0
        Seconds that a process waits for the others before it gives up.

    Returns
    -------
    tuple of ndarray of shape (n_rows, ...)
        The same in every process.

    Raises
    ------
    ValueError
        In all processes, if arrays of one process have different numbers of rows, those of two
        have other columns, there are no rows at all, or one holds Python objects.
    skdyn.exceptions.WorkerLostError
        If another process is gone or silent.

    See Also
    --------
    data_parallel : Trains on them.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.scale import gather_rows
    >>> X, y = gather_rows(np.ones((3, 2)), [1.0, 2.0, 3.0])  # here there is no group
    >>> X.shape, y.shape
    ((3, 2), (3,))
    """
    with processes(group, timeout) as own:
        parts = [part if hasattr(part, "shape") else np.asarray(part) for part in arrays]
        forms = [(tuple(part.shape), np.dtype(part.dtype)) for part in parts]
        told = [own.of(rank, forms) for rank in range(own.size)]
        _check(told)
        return tuple(
            _gathered(own, part, [forms[number] for forms in told])
            for number, part in enumerate(parts)
        )


def _gathered(own: Alone, part: Any, forms: list[tuple[tuple[int, ...], np.dtype]]) -> np.ndarray:
    if own.size == 1:
        return np.asarray(part)
    dtype = np.result_type(*(dtype for shape, dtype in forms if shape[0]))
    row = forms[own.rank][0][1:]
    n_each = max(1, _NUMBERS // max(1, int(np.prod(row))))

    def blocks():
        for rank, ((n_rows, *_), _) in enumerate(forms):
            for start in range(0, n_rows, n_each):
                shape = (min(n_each, n_rows - start), *row)
                block = np.empty(shape, dtype)
                if rank == own.rank:
                    block[:] = np.asarray(part[start : start + n_each])
                own.send(block, rank)
                yield block

    return written(blocks())


def _check(told):
    first = told[0]
    for rank, forms in enumerate(told):
        lengths = [shape[0] if shape else None for shape, _ in forms]
        if None in lengths or len(set(lengths)) > 1:
            raise ValueError(f"Process {rank} passed arrays of {lengths} rows: each needs as many.")
        if len(forms) != len(first):
            raise ValueError(f"Process {rank} passed {len(forms)} arrays, process 0 {len(first)}.")
        for number, ((shape, dtype), (other, _)) in enumerate(zip(forms, first, strict=True)):
            if shape[1:] != other[1:]:
                raise ValueError(
                    f"A row of array {number} has shape {shape[1:]} in process {rank}, but "
                    f"{other[1:]} in process 0."
                )
            if dtype.hasobject:
                raise ValueError(
                    f"Array {number} of process {rank} holds Python objects: pass numbers, or "
                    "texts as array.astype(str)."
                )
    if not sum(shape[0] for forms in told for shape, _ in forms[:1]):
        raise ValueError("No process has any rows.")
