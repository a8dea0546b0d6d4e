"""Rows that come block by block, gathered for estimators that read them many times."""

from collections.abc import Iterable, Iterator, Mapping, Set
from math import prod
from typing import Any

import numpy as np

from skdyn._scratch import Spool, written

__all__ = ["gathered", "rows_of"]

_NUMBERS = 2**22  # of a stored array that are read at a time, or the rows of one chunk


def gathered(X: Any, y: Any) -> tuple[Any, Any]:
    """Return rows as arrays, large ones on disk; leave what is no stream as it is.

    Every pass over the rows then costs the same, wherever they came from, and an iterator is read
    once.

    Parameters
    ----------
    X : object
        An array in chunks (Zarr, HDF5, Dask) of two axes or more; an iterable of blocks
        ``(X, y)``, or a function that returns one; or anything else.
    y : object
        Targets, which may be in chunks too; None beside blocks, which bring their own.

    Returns
    -------
    tuple
        X and y.

    Raises
    ------
    ValueError
        If a block is no pair of as many rows, or of another width than the first.
    """
    y = _from_chunks(y, "y")
    if _is_chunked(X):
        return _from_chunks(X, "X"), y
    if not _is_stream(X):
        return X, y
    if y is not None:
        raise ValueError(
            "X is an iterable of blocks, which bring their targets: pass pairs (X, y) in it, and "
            "y=None."
        )
    inputs, targets, labels, first = Spool(), Spool(), [], None
    for block, answers in _blocks(X() if callable(X) else X):
        first = first or (block.dtype, answers.dtype)
        inputs.add(block.astype(first[0], copy=False))
        if answers.ndim > 1:
            targets.add(answers.astype(first[1], copy=False))
        else:
            labels.append(answers)
    if first is None:
        raise ValueError("X gave no blocks; at least one pair (X, y) with one row is needed.")
    return inputs.array(), np.concatenate(labels) if labels else targets.array()


def rows_of(data: Any, name: str) -> np.ndarray:
    """Return the values of an array of xarray; of a large one that is not in memory, on disk.

    Parameters
    ----------
    data : DataArray
        The array, its cases first.
    name : str
        What the user calls it.

    Returns
    -------
    ndarray
    """
    n_each = max(1, _NUMBERS // max(1, prod(data.shape[1:])))
    if getattr(data.variable, "_in_memory", True) or len(data) <= n_each:
        return np.asarray(data.values)
    starts = range(0, len(data), n_each)
    return written(_numbers(data[start : start + n_each].values, name) for start in starts)


def _is_stream(X):
    if hasattr(X, "shape") or hasattr(X, "__array__") or hasattr(X, "__dataframe__"):
        return False
    return callable(X) or (
        isinstance(X, Iterable) and not isinstance(X, str | bytes | Mapping | Set | list | tuple)
    )


def _is_chunked(array):
    """Tell arrays in chunks; those of xarray, which have names, are read where these are."""
    stored = hasattr(array, "chunks") and not hasattr(array, "coords")
    shape = getattr(array, "shape", ())
    return stored and len(shape) > 1 and shape[0] > 0


def _from_chunks(array, name):
    if not _is_chunked(array):
        return array
    return written(_numbers(block, name) for block in _stored(array))


def _stored(array):
    first = (array.chunks or (1,))[0]  # none: HDF5 without chunks
    chunk = max(first) if isinstance(first, tuple) else first  # Dask tells the size of each
    n_each = -(-max(1, _NUMBERS // max(1, prod(array.shape[1:]))) // chunk) * chunk
    for start in range(0, array.shape[0], n_each):
        yield array[start : start + n_each]


def _blocks(pairs) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    shape: Any = None
    for number, pair in enumerate(pairs):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ValueError(
                f"Block {number} of X must be a pair (X, y); got {type(pair).__name__}."
            )
        X, y = _numbers(pair[0], f"Block {number} of X"), np.asarray(pair[1])
        if X.ndim < 2 or y.ndim == 0 or len(X) != len(y):
            raise ValueError(
                f"Block {number} must hold rows, and one target for each; X there has shape "
                f"{X.shape} and y {y.shape}."
            )
        if not len(X):
            continue
        shape = shape or (X.shape[1:], y.shape[1:])
        for name, now, then in zip("Xy", (X.shape[1:], y.shape[1:]), shape, strict=True):
            if now != then:
                raise ValueError(f"Block {number} of {name} has {_size(now)}, but those before "
                                 f"have {_size(then)}.")  # fmt: skip
        yield X, y


def _size(shape):
    return f"{shape[0]} columns" if len(shape) == 1 else f"rows of shape {shape}"


def _numbers(block, name):
    """Return a block as floating numbers, in the precision that fit would take it in."""
    block = np.asarray(block)
    if block.dtype in (np.float32, np.float64):
        return block
    try:
        return block.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not numeric: {error}") from error
