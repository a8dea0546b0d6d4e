"""Learning to restore rows from their codes, in memory or block by block."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skdyn._validation import Interval, as_floats, check_is_fitted, fit_context
from skdyn.autoencoder._estimator import SparseCoding
from skdyn.autoencoder._sources import Rows, as_source
from skdyn.autoencoder._streaming import StreamedRows

__all__ = ["Reconstructing", "explained_variance"]


class Reconstructing(SparseCoding):
    """Base of sparse coders whose outputs are their inputs: they need no targets."""

    _parameter_constraints = {
        **SparseCoding._parameter_constraints,
        "buffer_size": [Interval(Integral, 1, None, closed="left")],
    }
    _quick_parameters = {"n_components": 16, "k": 1}  # checks set n_components to 1
    if TYPE_CHECKING:  # of the estimators
        buffer_size: Any

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Rows, y: object = None) -> Self:
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

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, incremental=False)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Rows, y: object = None) -> Self:
        """Learn from one more batch of data: one epoch, with the optimizer's state kept.

        How many calls are to come is not known: each trains by the rule that ends a training, so
        that ``max_iter`` and ``sparsity_warmup`` have no part in it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or iterable of such
            Training data, as in ``fit``; the first call's also set the scale.
        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, incremental=True)

    def _fit(self, X, incremental):
        first = not (incremental and hasattr(self, "module_"))
        given = {"X": X}
        X = self._training_rows(X, first, 1 if incremental else self.max_iter)
        return self._fit_arrays(X, given=given, incremental=incremental)

    def _training_rows(self, X, reset, n_epochs):
        """Validate training data; what need not fit into memory becomes a stream."""
        source = as_source(X, self.buffer_size)
        if source is None:
            return self._check_rows(X, reset)
        if source.once and n_epochs > 1:
            raise ValueError(
                f"X is an iterator, which can be read only once, but max_iter={n_epochs} epochs "
                "read it as often. Pass a function that returns a new iterator, or a list of the "
                "batches; or set max_iter=1."
            )
        return StreamedRows(source, self._check_rows, reset, self.buffer_size)

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
