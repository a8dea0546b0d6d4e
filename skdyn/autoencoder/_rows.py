"""From what a user passes to the rows of a training: arrays in memory, or a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skdyn._validation import as_floats, check_weights, is_whole
from skdyn.autoencoder._aligned import AlignedRows, Block
from skdyn.autoencoder._sources import BatchedRows, StoredRows, as_source
from skdyn.autoencoder._streaming import StreamedRows

__all__ = ["TrainingRows", "training_rows"]

TrainingRows = tuple[np.ndarray, ...] | StreamedRows


def training_rows(
    X: Any,
    Y: Any,
    sample_weight: Any,
    check: Callable[[Block, bool], tuple[np.ndarray, ...]],
    *,
    reset: bool,
    n_epochs: int,
    buffer_size: int,
    n_total: int | None = None,
) -> TrainingRows:
    """Validate training data; what need not fit into memory becomes a stream.

    Rows of weight zero are left out, and other weights tell how often rows come.

    Parameters
    ----------
    X : array-like or source of rows
        Inputs.
    Y : array-like, batches or None
        Targets.
    sample_weight : array-like of shape (n_samples,) or None
        Weights.
    check : callable
        As of :class:`StreamedRows`.
    reset : bool
        Whether these data decide the number of features and their names.
    n_epochs : int
        How often they are read.
    buffer_size : int
        Rows in memory at a time.
    n_total : int or None, default=None
        Rows of an iterator.

    Returns
    -------
    tuple of ndarray or StreamedRows

    Raises
    ------
    ValueError
        If an iterator would have to be read twice, or ``n_total`` is not X's number of rows.
    """
    if n_total is not None and not is_whole(n_total, 1):
        raise ValueError(f"n_samples_total must be a positive whole number; got {n_total!r}.")
    source = as_source(X, buffer_size)
    if source is None:
        arrays = check(Block(X, Y), reset)
        _check_total(n_total, len(arrays[0]))
        return _in_memory(arrays, check_weights(sample_weight, arrays[0]), buffer_size)
    targets = Y if Y is None or hasattr(Y, "shape") else BatchedRows(Y)
    weight = None if sample_weight is None else as_floats(sample_weight)
    rows = AlignedRows(source, targets, None if weight is None else check_weights(weight, weight))
    if rows.once and n_epochs > 1:
        raise ValueError(
            f"X is an iterator, which can be read only once, but max_iter={n_epochs} epochs "
            "read it as often. Pass a function that returns a new iterator, or a list of the "
            "batches; or set max_iter=1."
        )
    _check_total(n_total, rows.count())
    return StreamedRows(rows, check, reset, buffer_size, n_total)


def _check_total(n_total, n_rows):
    if n_total is not None and n_rows not in (None, n_total):
        raise ValueError(
            f"n_samples_total={n_total}, but X has {n_rows} rows. It is for iterators, whose "
            "number of rows nobody knows; leave it out elsewhere."
        )


def _in_memory(arrays, weight, buffer_size):
    """Return arrays as they are where their rows count alike."""
    if weight is None:
        return arrays
    arrays, weight = tuple(part[weight > 0] for part in arrays), weight[weight > 0]
    if np.ptp(weight) == 0:
        return arrays
    X, *targets = arrays
    rows = AlignedRows(StoredRows(X), targets[0] if targets else None, weight)

    def as_it_is(block, reset):
        return (block.X,) if block.Y is None else (block.X, block.Y)

    return StreamedRows(rows, as_it_is, False, min(buffer_size, len(X)))
