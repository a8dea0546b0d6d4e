"""A fitted model's answers for more rows than one memory holds."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import prod
from os import PathLike, stat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skdyn.scale import _dask_rows, _parquet
from skdyn.scale._answers import Answers, Ask

__all__ = ["map_rows"]

_NUMBERS = 2**22  # in a block: 32 MB in float64


def map_rows(
    model: Any,
    X: Any,
    method: str = "predict",
    *,
    params: dict[str, Any] | None = None,
    out: str | PathLike[str] | None = None,
    block_size: int | None = None,
    example: Any = None,
) -> Any:
    """Ask a fitted model for rows that come in blocks, partitions or files.

    The answer is of the same kind as ``X``, and lazy where ``X`` is. Only one block of rows and
    its answers are in memory at a time; on Dask the model travels once to each worker. Answers
    equal those for all rows at once up to rounding: matrix products of other shapes round
    differently in the last bits.

    Parameters
    ----------
    model : estimator
        Fitted; of this package, of scikit-learn or a pipeline.
    X : ndarray, memmap, DataFrame, Dask array or DataFrame, Parquet path or dataset, or iterable
        The rows, along the first axis. A Dask array is chunked along that axis only. An iterable
        gives blocks: arrays or frames. A path leads to a Parquet file or a folder of them; of a
        dataset (``pyarrow.dataset``) the columns are read that the model was fitted on.
    method : str, default="predict"
        Method that answers row by row: "predict_proba", "transform", "score_samples", ...
    params : dict or None, default=None
        Other arguments of the method, the same for every block.
    out : str, path or None, default=None
        File to write answers to instead of returning them: ``.npy`` for an array or memmap,
        ``.parquet`` for a frame, Parquet or an iterable. It appears under its name when it is
        whole.
    block_size : int or None, default=None
        Rows in a block where ``X`` has no blocks of its own; None: 2**22 numbers in a block.
    example : array-like or DataFrame of shape (1, n_features) or None, default=None
        Row from which the shape, dtype and names of the answers are learned; None: the first row
        where ``X`` is in memory or a file, else a made-up one (zeros, or a value of each column's
        type).

    Returns
    -------
    answers : ndarray, Series, DataFrame, Dask collection, iterator or path
        For an array or memmap an array; for a DataFrame a Series or DataFrame with its index; for
        a Dask collection the same, lazy; for Parquet and iterables an iterator of blocks. With
        ``out`` the path.

    Raises
    ------
    ValueError
        If a Dask array is chunked along columns, if a Parquet file lacks a column, if a memmap's
        file has shrunk, or if ``method`` does not answer row by row.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from skdyn.scale import map_rows
    >>> X = np.random.default_rng(0).normal(size=(1000, 3))
    >>> model = Ridge().fit(X, X @ [1.0, 2.0, 3.0])
    >>> blocks = (X[start : start + 100] for start in range(0, 1000, 100))
    >>> sum(len(answer) for answer in map_rows(model, blocks))
    1000
    """
    check_is_fitted(model)
    if not callable(getattr(model, method, None)):
        raise ValueError(f"{type(model).__name__} has no method {method!r}; see method=")
    if block_size is not None and block_size < 1:
        raise ValueError(f"block_size is a number of rows of 1 or more, got {block_size}")
    ask = (model, method, dict(params or {}))
    if _dask_rows.is_dask(X):
        if out is not None:
            raise ValueError(
                f"out={str(out)!r} is not for Dask collections, whose answers are lazy: write "
                "them by to_zarr, to_npy_stack or to_parquet"
            )
        return _dask_rows.map_partitions(ask, X, example)
    if isinstance(X, str | PathLike) or _parquet.is_dataset(X):
        blocks = _parquet.frames(X, model, block_size)
        return _streamed(ask, blocks, example, out)
    if isinstance(X, np.ndarray):
        return _of_array(ask, X, example, out, block_size)
    if isinstance(X, pd.DataFrame):
        size = block_size or _rows_of(X.shape[1:])
        parts = (X.iloc[start : start + size] for start in range(0, len(X), size))
        if out is not None:
            return _streamed(ask, parts, example, out)
        answers = _answers(ask, X[:1], example)
        blocks = [answers.frame(model, part) for part in parts]
        return pd.concat(blocks) if blocks else answers.frame(model, X)
    if isinstance(X, Iterable) and not hasattr(X, "shape"):
        return _streamed(ask, X, example, out)
    raise ValueError(
        f"X is of type {type(X).__name__}; map_rows takes arrays, memmaps, DataFrames, Dask "
        "collections, Parquet paths and iterables of blocks"
    )


def _answers(ask: Ask, first: Any, example: Any) -> Answers:
    """What the answers look like, by the example, or by a row of the data, or by zeros."""
    if example is not None or len(first):
        return Answers(*ask, first[:1] if example is None else example)
    return Answers.of(*ask, lambda: _zeros(first), "made")


def _zeros(none):
    if isinstance(none, pd.DataFrame):
        return none.reindex([0]).fillna(0)
    return np.zeros((1, *none.shape[1:]), none.dtype)


def _of_array(ask, X, example, out, block_size):
    _check_file(X)
    answers = _answers(ask, X[:1], example)
    size = block_size or _rows_of(X.shape[1:])
    shape = (len(X), *answers.shape)
    if out is None:
        return _filled(np.empty(shape, answers.dtype), ask, answers, X, size)
    with _whole_file(out, ".npy") as path:
        memmap = np.lib.format.open_memmap(path, "w+", answers.dtype, shape)
        _filled(memmap, ask, answers, X, size).flush()
    return Path(out)


def _filled(result, ask, answers, X, size):
    for start in range(0, len(X), size):
        _check_file(X)
        # A copy, so that no method sees a memmap: torch warns of arrays it may not write to.
        rows = np.array(X[start : start + size])
        result[start : start + size] = answers.array(ask[0], rows)
    return result


def _check_file(X):
    """Refuse a memmap whose file has shrunk: reading it would end the process."""
    name = getattr(X, "filename", None)
    if name is None:
        return
    end, has = X.offset + X.nbytes, stat(name).st_size
    if has < end:
        raise ValueError(f"X is a memmap of {end} bytes, but its file {name} has {has} now")


def _streamed(ask, blocks, example, out):
    if out is None:
        return _each(ask, blocks, example)
    with _whole_file(out, ".parquet") as path:
        _parquet.write(path, _each(ask, blocks, example, frames=True))
    return Path(out)


def _each(ask, blocks: Iterable[Any], example: Any, *, frames: bool = False) -> Iterator[Any]:
    """Answer block by block; an array by an array unless frames are wanted."""
    answers = None
    for block in blocks:
        if not hasattr(block, "shape"):
            block = np.asarray(block)
        answers = answers or _answers(ask, block, example)
        kind = answers.frame if frames or isinstance(block, pd.DataFrame) else answers.array
        yield kind(ask[0], block)


@contextmanager
def _whole_file(out, suffix):
    """A path beside ``out``, which takes its name when all is written."""
    path = Path(out)
    if path.suffix != suffix:
        raise ValueError(f"out={str(out)!r} must end in {suffix} for this kind of X")
    part = path.with_name(f"{path.stem}.part{suffix}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _rows_of(shape):
    return max(1, _NUMBERS // max(1, prod(shape)))
