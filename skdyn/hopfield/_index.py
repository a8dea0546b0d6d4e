"""Approximate retrieval: few candidates from an index instead of all patterns."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch

from skdyn._state import PlainState
from skdyn.exceptions import MissingExtraError

__all__ = ["FaissIndex", "as_index"]

_POINTS_A_LIST = 40  # faiss asks for 39 to find a center from


@dataclass(frozen=True)
class FaissIndex(PlainState):
    """Inverted lists of faiss: patterns in cells, of which a query looks into the nearest [1]_.

    A retrieval then weighs the best candidates of these cells and takes the weights of all other
    patterns as zero. That changes little where ``beta`` is large, and much where it is small.

    Parameters
    ----------
    n_candidates : int, default=128
        How many patterns a query weighs.
    n_probes : int, default=32
        How many cells it looks into, of about the square root of the number of patterns.

    See Also
    --------
    HopfieldMemory : Takes it as ``index``.

    References
    ----------
    .. [1] Matthijs Douze et al., "The Faiss Library", arXiv:2401.08281, 2024.

    Examples
    --------
    >>> from skdyn import HopfieldClassifier
    >>> from skdyn.hopfield import FaissIndex
    >>> HopfieldClassifier("stored", index=FaissIndex(n_candidates=64))
    HopfieldClassifier(index=FaissIndex(n_candidates=64, n_probes=32),
                       mode='stored')
    """

    n_candidates: int = 128
    n_probes: int = 32

    def __post_init__(self) -> None:
        for name in ("n_candidates", "n_probes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)!r}.")

    def build(self, patterns: torch.Tensor, similarity: str) -> Any:
        """Sort patterns into cells.

        Parameters
        ----------
        patterns : Tensor of shape (n_patterns, n_features)
            Stored patterns.
        similarity : {"euclidean", "dot", "cosine"}
            What is to be large.

        Returns
        -------
        faiss.Index
            An object of faiss, searched by :meth:`search`.

        Raises
        ------
        MissingExtraError
            If faiss is not installed.
        """
        faiss = _faiss()
        rows = _single(patterns, similarity)
        metric = faiss.METRIC_L2 if similarity == "euclidean" else faiss.METRIC_INNER_PRODUCT
        n_cells = max(1, min(round(len(rows) ** 0.5), len(rows) // _POINTS_A_LIST))
        index = faiss.index_factory(rows.shape[1], f"IVF{n_cells},Flat", metric)
        index.train(rows)
        index.add(rows)
        index.nprobe = self.n_probes
        return index

    def search(
        self, built: Any, queries: torch.Tensor, n_found: int, exclude: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Find the patterns that are most like queries.

        Parameters
        ----------
        built : faiss.Index
            What :meth:`build` made of the patterns.
        queries : Tensor of shape (n_queries, n_features)
            Queries; of length one for the cosine.
        n_found : int
            How many patterns a query.
        exclude : Tensor of int64 of shape (n_queries,) or None, default=None
            A pattern that each query must not see.

        Returns
        -------
        Tensor of int64 of shape (n_queries, n_found)
            Patterns, -1 where there are no more; from all cells where the nearest are empty.
        """
        rows = _single(queries, None)
        found = built.search(rows, n_found)[1]
        but = -1 if exclude is None else exclude.cpu().numpy()[:, None]
        found[found == but] = -1
        nothing = (found < 0).all(axis=1)
        if nothing.any():
            everywhere = _faiss().SearchParametersIVF(nprobe=built.nlist)
            found[nothing] = built.search(rows[nothing], n_found, params=everywhere)[1]
            found[found == but] = -1
        return torch.as_tensor(found, device=queries.device)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        getattr(self, "__post_init__", lambda: None)()  # the constructor's own checks


def as_index(index: Any) -> FaissIndex | None:
    """Return the settings of an index, or None where all patterns are compared.

    Parameters
    ----------
    index : {"exact", "faiss"} or FaissIndex
        What a user passed; names are checked by the estimator's parameter constraints.

    Returns
    -------
    FaissIndex or None
    """
    if index == "exact":
        return None
    return FaissIndex() if index == "faiss" else index


def _single(rows, similarity):
    if similarity == "cosine":
        rows = torch.nn.functional.normalize(rows, dim=1)
    return np.ascontiguousarray(rows.cpu().numpy(), dtype=np.float32)


def _faiss() -> ModuleType:
    try:
        import faiss
    except ImportError as error:
        raise MissingExtraError(
            "An approximate index needs faiss. Install it with: pip install 'skdyn[index]', or use "
            "index='exact'."
        ) from error
    return faiss
