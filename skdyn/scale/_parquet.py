"""Frames from Parquet and into it, some rows at a time."""

import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["frames", "is_dataset", "write"]

_ROWS = 2**16  # in a block where the caller names no number


def is_dataset(X: Any) -> bool:
    """Return whether this is a dataset of pyarrow, without importing it.

    Parameters
    ----------
    X : object
        Anything.

    Returns
    -------
    bool
    """
    return "pyarrow.dataset" in sys.modules and isinstance(
        X, sys.modules["pyarrow.dataset"].Dataset
    )


def frames(X: Any, model: Any, n_rows: int | None) -> Iterator[pd.DataFrame]:
    """Read the columns that a model was fitted on, some rows at a time.

    Parameters
    ----------
    X : str, path or Dataset
        A Parquet file, a folder of them or a dataset.
    model : estimator
        Its ``feature_names_in_`` names the columns; without it all are read.
    n_rows : int or None
        Rows at a time.

    Returns
    -------
    iterator of DataFrame
    """
    dataset = _open(X)
    names = getattr(model, "feature_names_in_", None)
    columns = list(dataset.schema.names if names is None else names)
    missing = [name for name in columns if name not in dataset.schema.names]
    if missing:
        raise ValueError(
            f"X lacks the columns {missing}, which {type(model).__name__} was fitted on; it has "
            f"{dataset.schema.names}"
        )
    batches = dataset.to_batches(columns=columns, batch_size=n_rows or _ROWS)
    return (batch.to_pandas() for batch in batches if batch.num_rows)


def write(path: str | PathLike[str], blocks: Iterable[Any]) -> None:
    """Write frames or series one after the other into one file.

    Parameters
    ----------
    path : str or path
        The file.
    blocks : iterable of DataFrame or Series
        At least one.
    """
    _check_pyarrow()
    from pyarrow import Table
    from pyarrow.parquet import ParquetWriter

    writer = None
    try:
        for block in blocks:
            frame = block.to_frame() if isinstance(block, pd.Series) else block
            table = Table.from_pandas(frame.rename(columns=str), preserve_index=False)
            writer = writer or ParquetWriter(path, table.schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        raise ValueError("X has no rows, so that there is nothing to write to out=")


def _open(X):
    if not is_dataset(X) and not Path(X).exists():
        raise ValueError(f"X={str(X)!r} is no file or folder")
    _check_pyarrow()
    from pyarrow.dataset import dataset

    return X if is_dataset(X) else dataset(X, format="parquet")


def _check_pyarrow():
    if find_spec("pyarrow") is None:
        raise ImportError("Parquet needs pyarrow. Install it with: pip install 'skdyn[dask]'")
