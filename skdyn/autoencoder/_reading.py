"""Reading a dictionary: what activates a feature, how often, and which others it is like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.preprocessing import normalize

from skdyn._validation import check_is_fitted, is_whole
from skdyn.autoencoder._sources import Rows, as_source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ReadableDictionary"]

# Numbers held at once, codes of a chunk or cosines of some atoms: 16 MB in float32.
_CHUNK = 2**22


class ReadableDictionary:
    """Mixin of transformers with ``components_`` that answers what each of them stands for.

    What is needed: ``transform`` to one code a component, dense or sparse, and ``components_``;
    for ``feature_table_`` also ``feature_density_`` and ``feature_activation_``, what the training
    data showed.
    """

    if TYPE_CHECKING:
        components_: Any
        feature_activation_: Any
        feature_density_: Any
        transform: Any

    def top_activating(
        self, feature: int | ArrayLike, X: Rows, n: int = 10
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the samples that activate a feature most.

        Parameters
        ----------
        feature : int or array-like of shape (n_chosen,)
            The feature, or several of them: one pass over ``X`` does for all.
        X : array-like or sparse matrix of shape (n_samples, n_features), or iterable of such
            Samples, read in chunks, in one of the forms that ``fit`` takes: they may be larger than
            memory.
        n : int, default=10
            Number of samples; all, where there are fewer.

        Returns
        -------
        indices : ndarray of shape (n,) or (n_chosen, n)
            Rows of ``X``, the most active first; among equals the earlier first.
        activations : ndarray of shape (n,) or (n_chosen, n)
            The feature's code in each. Zeros tell that fewer than ``n`` samples use it.

        Raises
        ------
        ValueError
            If there is no such feature, or ``n`` is not positive.
        """
        check_is_fitted(self)
        chosen = np.asarray(feature)
        n_components = len(self.components_)
        if chosen.dtype.kind not in "iu" or not ((chosen >= 0) & (chosen < n_components)).all():
            raise ValueError(f"feature must be within 0 and {n_components - 1}; got {feature!r}.")
        if not is_whole(n, 1):
            raise ValueError(f"n must be a positive integer; got {n!r}.")
        rows = np.empty((chosen.size, 0), dtype=np.intp)
        values = np.empty((chosen.size, 0))
        for start, codes in self.transform_blocks(X):
            new = codes[:, chosen.ravel()]
            new = (new.toarray() if sparse.issparse(new) else new).T
            values = np.hstack([values, new])
            fresh = np.arange(start, start + new.shape[1])
            rows = np.hstack([rows, np.broadcast_to(fresh, new.shape)])
            # Stable, and the best so far come first: among equals the earlier row stays ahead.
            best = np.argsort(-values, axis=1, kind="stable")[:, :n]
            rows, values = np.take_along_axis(rows, best, 1), np.take_along_axis(values, best, 1)
        shape = (*chosen.shape, rows.shape[1])
        return rows.reshape(shape), values.reshape(shape)

    def feature_table(self, X: Rows | None = None, *, n_neighbors: int = 3) -> pd.DataFrame:
        """Tabulate the features.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), iterable or None, \
                default=None
            Samples to count activations in, read in chunks, in one of the forms that ``fit`` takes;
            None takes what training counted.
        n_neighbors : int, default=3
            Number of nearest features to list.

        Returns
        -------
        DataFrame
            One row per feature: ``density``, the share of samples that use it; ``mean_activation``,
            its mean code where it is used (NaN where it never is); ``decoder_norm``, the length of
            its atom; ``neighbor_1``, ``cosine_1`` and so on, the features whose atoms point most
            nearly the same way, and the cosines to them.
        """
        import pandas as pd

        check_is_fitted(self)
        if X is None:
            density, activation = self.feature_density_, self.feature_activation_
        else:
            density, activation = self._usage(X)
        columns = {
            "density": density,
            "mean_activation": activation,
            "decoder_norm": np.linalg.norm(self.components_, axis=1),
        }
        for rank, (feature, cosine) in enumerate(_nearest(self.components_, n_neighbors), 1):
            columns |= {f"neighbor_{rank}": feature, f"cosine_{rank}": cosine}
        return pd.DataFrame(columns).rename_axis("feature")

    @property
    def feature_table_(self) -> pd.DataFrame:
        """The features as training saw them: :meth:`feature_table` without data.

        Returns
        -------
        DataFrame
            One row per feature.
        """
        return self.feature_table()

    def _usage(self, X):
        """Return the share of the samples that use each feature, and its mean code in them."""
        n_samples, used, total = 0, 0, 0
        for _, codes in self.transform_blocks(X):
            n_samples += codes.shape[0]
            used = used + np.asarray((codes != 0).sum(axis=0)).ravel()
            total = total + np.asarray(codes.sum(axis=0, dtype=np.float64)).ravel()
        with np.errstate(invalid="ignore"):
            return used / n_samples, total / used

    def transform_blocks(self, X: Rows) -> Iterator[tuple[int, Any]]:
        """Yield codes block by block, for data whose codes do not fit into memory.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or iterable of such
            Samples, in one of the forms that ``fit`` takes.

        Yields
        ------
        start : int
            The number of a block's first sample.
        codes : ndarray or csr_array of shape (n_block_samples, n_components)
            What ``transform`` returns of the block.

        Raises
        ------
        ValueError
            If there is no sample.
        """
        check_is_fitted(self)
        size = max(1, _CHUNK // len(self.components_))
        source = as_source(X, 0)
        if source is None:
            blocks: Iterable[Any] = [X if hasattr(X, "shape") else np.asarray(X)]
        else:
            blocks = source.blocks(size)
        start = 0
        for block in blocks:
            rows = getattr(block, "iloc", block)
            n_rows = max(block.shape[0], source is None)  # transform refuses an empty array
            for first in range(0, n_rows, size):
                codes = self.transform(rows[first : first + size])
                codes = codes if sparse.issparse(codes) else np.asarray(codes)
                yield start, codes
                start += codes.shape[0]
        if not start:
            raise ValueError("X has no samples; at least one is needed.")


def _nearest(components, n_neighbors):
    """Yield, nearest first, the n-th nearest other atom of each and its cosine."""
    atoms = torch.from_numpy(normalize(components))
    n_neighbors = min(n_neighbors, len(atoms) - 1)
    parts = []
    for start in range(0, len(atoms), size := max(1, _CHUNK // len(atoms))):
        cosines = atoms[start : start + size] @ atoms.T
        cosines.diagonal(start).fill_(-torch.inf)  # nobody is a neighbor of himself
        parts.append(cosines.topk(n_neighbors, dim=1))
    cosines, neighbors = (torch.cat(part).numpy() for part in zip(*parts))
    yield from zip(neighbors.T, cosines.T)
