"""Learning to restore rows from their codes, in memory or block by block."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skdyn._checkpoint import Checkpoint
from skdyn._validation import as_floats, check_is_fitted, fit_context
from skdyn.autoencoder._estimator import SparseCoding
from skdyn.autoencoder._rows import training_rows
from skdyn.autoencoder._sources import Rows

__all__ = ["Reconstructing", "explained_variance"]


class Reconstructing(SparseCoding):
    """Base of sparse coders whose outputs are their inputs: they need no targets."""

    _quick_parameters = {"n_components": 16, "k": 1}  # checks set n_components to 1

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Rows,
        y: object = None,
        sample_weight: ArrayLike | None = None,
        *,
        n_samples_total: int | None = None,
        checkpoint: Checkpoint | str | os.PathLike[str] | None = None,
    ) -> Self:
        """Learn a dictionary.

        Rows over five times as far from the center as nine tenths of them are taken as if they lay
        at that distance, with a warning: they would be all that is learned.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or iterable of such
            Training data. Larger than memory they are a ``numpy.memmap``, another array on disk
            with ``shape`` and ``chunks`` (Zarr, HDF5), or batches: a list of arrays, an object or a
            function that gives a new iterator over them for each epoch, or an iterator, which is
            good for one epoch.
        y : Ignored
            Not used, present for consistency.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            How often each row comes, beside the others; those of weight zero never do.
        n_samples_total : int or None, default=None
            Rows of an iterator, by which schedules and phases follow the training.
        checkpoint : Checkpoint, path-like or None, default=None
            File from which an interrupted training goes on, and which it writes as it goes.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        rows = self._training_rows(X, sample_weight, True, self.max_iter, n_samples_total)
        given = _told(X, sample_weight)
        return self._fit_rows(rows, given=given, checkpoint=checkpoint)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Rows, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn from one more batch of data: one epoch, with the optimizer's state kept.

        How many calls are to come is not known: each trains by the rule that ends a training, so
        that ``max_iter`` and ``sparsity_warmup`` have no part in it. Thresholds are measured on
        the rows of the last calls.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or iterable of such
            Training data, as in ``fit``; the first call's also set the scale.
        y : Ignored
            Not used, present for consistency.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            How often each row comes, beside the others of this call.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        rows = self._training_rows(X, sample_weight, not hasattr(self, "module_"), 1)
        return self._fit_rows(rows, given=_told(X, sample_weight), incremental=True)

    @fit_context(prefer_skip_nested_validation=True)
    def _fit_within(self, X, task):
        """Learn from a layer's outputs and what a network makes of them, as a task has it."""
        rows = self._training_rows(X, None, True, self.max_iter)
        return self._fit_rows(rows, given=_told(X, None), task=task)

    def _training_rows(self, X, sample_weight, reset, n_epochs, n_total=None):
        rows = training_rows(
            X, None, sample_weight,
            lambda block, reset: (self._check_rows(block.X, reset),),
            reset=reset, n_epochs=n_epochs, buffer_size=self.buffer_size, n_total=n_total,
        )  # fmt: skip
        if reset:
            self._learn_sources(self.n_features_in_)
        return rows

    def _learn_sources(self, n_features):
        """Learn which columns belong together, where a sibling has several sources."""

    def score(self, X: Rows, y: object = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the share of the variance that codes keep.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or iterable of such
            Data, in one of the forms that ``fit`` takes.
        y : Ignored
            Not used, present for consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        float
            One less the squared error of the reconstruction over the squared distance from the
            mean, of all features together; 1.0 for constant data restored without error.
        """
        check_is_fitted(self)
        blocks = self._blocks(X)
        return explained_variance(
            ((b, self.inverse_transform(self._codes_of(b))) for b in blocks),
            self._sources(),
            None if sample_weight is None else as_floats(sample_weight),
        )

    def _sources(self) -> Sequence[slice]:
        """Return the columns of each source; a sibling may have several."""
        return (slice(None),)


def _told(X, sample_weight):
    """Return what callbacks are told of the data."""
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    return {"X": X, "metadata": metadata}


def explained_variance(
    blocks: Iterable[tuple[np.ndarray, np.ndarray]],
    sources: Sequence[slice] = (slice(None),),
    weight: np.ndarray | None = None,
) -> float:
    """Return one less the fraction of variance unexplained, the mean over sources.

    Parameters
    ----------
    blocks : iterable of (ndarray, ndarray)
        Truth and what was made of it, rows by rows.
    sources : sequence of slice, default=(slice(None),)
        Columns of each source.
    weight : ndarray of shape (n_rows,) or None, default=None
        Weight of each row of all blocks.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are more or fewer weights than rows.
    """
    error: Any = 0.0
    squares = sums = total_weight = error
    n_rows, origin = 0, None
    for X, reconstruction in blocks:
        X = X.astype(np.float64)
        origin = X[0] if origin is None else origin  # constant data differ from it by nothing
        w = np.ones(len(X)) if weight is None else weight[n_rows : n_rows + len(X)]
        n_rows += len(X)
        if len(w) != len(X):
            break
        error = error + np.sum(w[:, None] * (X - reconstruction) ** 2, axis=0)
        squares = squares + np.sum(w[:, None] * (X - origin) ** 2, axis=0)
        sums = sums + np.sum(w[:, None] * (X - origin), axis=0)
        total_weight += w.sum()
    if weight is not None and n_rows != len(weight):
        raise ValueError(
            f"sample_weight must hold one weight for each row of X; it holds {len(weight)}."
        )
    total = squares - sums**2 / total_weight
    return float(np.mean([_explained(error[part].sum(), total[part].sum()) for part in sources]))


def _explained(error, total):
    return 1.0 - error / total if total > 0 else float(error == 0)
