"""Answers for the partitions of Dask collections."""

import sys
from typing import Any
from uuid import uuid4

import numpy as np

from skdyn.scale._answers import Answers, Ask

__all__ = ["is_dask", "map_partitions"]


def is_dask(X: Any) -> bool:
    """Return whether this is a Dask collection; Dask is not imported for that.

    Parameters
    ----------
    X : object
        Anything.

    Returns
    -------
    bool
    """
    return "dask" in sys.modules and hasattr(X, "__dask_graph__")


def map_partitions(ask: Ask, X: Any, example: Any) -> Any:
    """Answer a collection lazily, partition by partition.

    Parameters
    ----------
    ask : tuple of (estimator, str, dict)
        The model, the method and its other arguments.
    X : Dask array or DataFrame
        The rows.
    example : array-like, DataFrame or None
        A row of them.

    Returns
    -------
    Dask array, DataFrame or Series
    """
    from dask.delayed import delayed

    frame = hasattr(X, "_meta") and hasattr(X, "map_partitions")
    if not frame and not hasattr(X, "chunks"):
        raise ValueError(f"X is a Dask {type(X).__name__}; pass a Dask array or DataFrame")
    make = _frame_row if frame else _array_row
    kind = "made" if example is None else "given"
    answers = Answers.of(*ask, (lambda: make(X)) if example is None else lambda: example, kind)
    # One task holds the model, so that it travels once to each worker; a name of its own spares
    # Dask hashing the weights.
    model = delayed(ask[0], name=f"model-{uuid4().hex}")
    if frame:
        return X.map_partitions(_frame, model, answers, meta=answers.frame(None, X._meta))
    split = [axis for axis, sizes in enumerate(X.chunks) if axis and len(sizes) > 1]
    if split:
        every = {axis: -1 for axis in split}
        raise ValueError(
            f"X is chunked along axis {split[0]} too (chunks {X.chunks[split[0]]}); a model needs "
            f"whole rows: X.rechunk({every})"
        )
    return X.map_blocks(
        _block, model, answers, dtype=answers.dtype,
        meta=np.empty((0,) * (1 + len(answers.shape)), answers.dtype),
        drop_axis=list(range(1, X.ndim)), new_axis=list(range(1, 1 + len(answers.shape))),
        chunks=(X.chunks[0], *((size,) for size in answers.shape)),
    )  # fmt: skip


def _array_row(X):
    if not X.ndim:
        raise ValueError("X is a Dask array without axes")
    return np.zeros((1, *X.shape[1:]), X.dtype)


def _frame_row(X):
    from dask.dataframe.dispatch import meta_nonempty

    return meta_nonempty(X._meta)[:1].reset_index(drop=True)


def _block(rows, model, answers):
    return answers.array(model, rows)


def _frame(rows, model, answers):
    return answers.frame(model, rows)
