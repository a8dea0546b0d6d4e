"""Rows of several sources that belong together, and how often each comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

from skdyn.autoencoder._sources import BatchedRows, StoredRows

__all__ = ["AlignedRows", "Block"]

_MIDDLE = 0.5  # of a count that is rounded, where nothing is drawn


class Block(NamedTuple):
    """Rows that are read at once.

    Attributes
    ----------
    X : array of shape (n_rows, n_features)
        Inputs.
    Y : array of shape (n_rows, ...) or None
        Targets.
    counts : ndarray of int, shape (n_rows,), or None
        How often each row comes; None is once.
    """

    X: Any
    Y: Any = None
    counts: np.ndarray | None = None


class AlignedRows:
    """Inputs, and targets and weights where there are any.

    A weight is how often a row comes: in each pass as often as the weight beside the mean weight,
    rounded up or down, so that it is right on average over passes. So the loss, the budgets, the
    thresholds and the densities all count it.

    Parameters
    ----------
    source : StoredRows or BatchedRows
        The inputs.
    targets : BatchedRows, array or None, default=None
        Batches of the same sizes, or one array with as many rows.
    weight : ndarray of shape (n_rows,) or None, default=None
        Weights, in the order of the rows.

    Attributes
    ----------
    once : bool
        Whether only one pass is possible.
    """

    def __init__(
        self,
        source: StoredRows | BatchedRows,
        targets: Any = None,
        weight: np.ndarray | None = None,
    ) -> None:
        self.source, self.targets, self.weight = source, targets, weight
        self.once = source.once or getattr(targets, "once", False)
        if weight is not None:
            self._before = np.concatenate([[0.0], np.cumsum(weight / weight.mean())])
        self._lengths = {
            name: len(others)
            for name, others in (("y", targets), ("sample_weight", weight))
            if others is not None and not isinstance(others, BatchedRows)
        }
        if (n_rows := self.count()) is not None:
            self._check_end(n_rows)

    def count(self) -> int | None:
        """Count the rows.

        Returns
        -------
        int or None
            None for an iterator, which would be spent.
        """
        return self.source.count()

    def blocks(self, n_rows: int, generator: torch.Generator) -> Iterator[Block]:
        """Read all rows once.

        Parameters
        ----------
        n_rows : int
            Rows a block at least, of arrays on disk.
        generator : torch.Generator
            Source of the order of the blocks, and of how counts are rounded.

        Yields
        ------
        Block
        """
        turn = _MIDDLE
        if self.weight is not None:
            turn = float(torch.rand((), generator=generator, dtype=torch.float64))
        placed = self.source.placed(n_rows, generator)
        targets = self.targets.blocks() if isinstance(self.targets, BatchedRows) else None
        end = yield from self._aligned(placed, targets, turn)
        if isinstance(self.source, BatchedRows):
            self._check_end(end)

    def first(self, n_rows: int) -> Iterator[Block]:
        """Read some rows: spread over an array on disk, the first ones of batches.

        Parameters
        ----------
        n_rows : int
            Rows, about.

        Yields
        ------
        Block
        """
        batched = isinstance(self.targets, BatchedRows)
        targets = self.targets.first(n_rows) if batched else None
        yield from self._aligned(self.source.placed_first(n_rows), targets, _MIDDLE)

    def _aligned(self, placed, batches, turn):
        end = 0
        for start, X in placed:
            end = start + len(X)
            Y = self._targets(batches, start, end)
            counts = None
            if self.weight is not None:
                counts = np.diff(np.floor(self._before[start : end + 1] + turn)).astype(np.intp)
                if len(counts) < len(X):
                    self._check_end(end)
            yield Block(X, Y, counts)
        return end

    def _targets(self, batches, start, end):
        if batches is not None:
            Y = next(batches, ())
        elif self.targets is not None:
            Y = np.array(self.targets[start:end])
        else:
            return None
        if len(Y) != end - start:
            raise ValueError(f"A batch of X has {end - start} rows, but that of y has {len(Y)}.")
        return Y

    def _check_end(self, n_rows):
        """Refuse arrays with more or fewer entries than there are rows."""
        for name, length in self._lengths.items():
            if length != n_rows:
                raise ValueError(
                    f"{name} must hold one entry for each row of X; it holds {length}, and X has "
                    f"{n_rows}{' or more' if length < n_rows and self.once else ''} rows."
                )
