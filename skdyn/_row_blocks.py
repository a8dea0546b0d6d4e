"""Rows that come block by block, gathered for estimators that read them many times."""

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

import numpy as np

from skdyn._scratch import written

__all__ = ["gathered"]

_ROWS = 2**14  # of a stored array that are read at a time, at least


def gathered(X: Any, y: Any) -> tuple[Any, Any]:
    """Return rows as arrays, large ones on disk; leave what is no stream as it is.

    Every pass over the rows then costs the same, wherever they came from, and an iterator is read
    once.

    Parameters
    ----------
    X : object
        An array in chunks (Zarr, HDF5, Dask); an iterable of blocks ``(X, y)``, or a function
        that returns one; or anything else.
    y : object
        Targets; None beside blocks, which bring their own.

    Returns
    -------
    tuple
        X and y.

    Raises
    ------
    ValueError
        If a block is no pair of as many rows, or of another width than the first.
    """
    if hasattr(X, "chunks") and len(getattr(X, "shape", ())) == 2 and X.shape[0]:
        return written(_numbers(block, "X") for block in _stored(X)), y
    if not _is_stream(X):
        return X, y
    if y is not None:
        raise ValueError(
            "X is an iterable of blocks, which bring their targets: pass pairs (X, y) in it, and "
            "y=None."
        )
    targets: list[np.ndarray] = []
    blocks = _blocks(X() if callable(X) else X, targets)
    first = next(blocks, None)
    if first is None:
        raise ValueError("X gave no blocks; at least one pair (X, y) with one row is needed.")
    X = written(_chained(first, blocks))
    return X, np.concatenate(targets)


def _is_stream(X):
    if hasattr(X, "shape") or hasattr(X, "__array__") or hasattr(X, "__dataframe__"):
        return False
    return callable(X) or (
        isinstance(X, Iterable) and not isinstance(X, str | bytes | Mapping | Set | list | tuple)
    )


def _stored(X):
    first = 1 if X.chunks is None else X.chunks[0]  # HDF5 may keep an array in one piece
    chunk = max(first) if isinstance(first, tuple) else first  # Dask tells the size of each
    n_each = -(-_ROWS // chunk) * chunk
    for start in range(0, X.shape[0], n_each):
        yield X[start : start + n_each]


def _blocks(pairs, targets) -> Iterator[np.ndarray]:
    width = None
    for number, pair in enumerate(pairs):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ValueError(
                f"Block {number} of X must be a pair (X, y); got {type(pair).__name__}."
            )
        X, y = _numbers(pair[0], f"Block {number} of X"), np.asarray(pair[1])
        if X.ndim != 2 or y.ndim == 0 or len(X) != len(y):
            raise ValueError(
                f"Block {number} must hold rows, and one target for each; X there has shape "
                f"{X.shape} and y {y.shape}."
            )
        if not len(X):
            continue
        width = width or X.shape[1]
        if X.shape[1] != width:
            raise ValueError(
                f"Block {number} of X has {X.shape[1]} columns, but those before have {width}."
            )
        targets.append(y)
        yield X


def _chained(first, others):
    yield first
    for block in others:
        yield block.astype(first.dtype, copy=False)


def _numbers(block, name):
    """Return a block as floating numbers, in the precision that fit would take it in."""
    block = np.asarray(block)
    if block.dtype in (np.float32, np.float64):
        return block
    try:
        return block.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not numeric: {error}") from error
