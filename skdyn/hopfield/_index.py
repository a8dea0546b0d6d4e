"""Approximate retrieval: few candidates from an index instead of all patterns."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch

from skdyn._state import PlainState
from skdyn.exceptions import MissingExtraError
from skdyn.hopfield._retrieval import Retrieved, row_chunks
from skdyn.hopfield._separations import Separation

__all__ = ["FaissIndex", "candidate_chunks"]

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
            An object of faiss, searched by :func:`candidate_chunks`.

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

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        getattr(self, "__post_init__", lambda: None)()  # the constructor's own checks


def candidate_chunks(
    index: Any,
    n_candidates: int,
    queries: torch.Tensor,
    patterns: torch.Tensor,
    *,
    beta: float,
    similarity: str,
    separation: Separation,
    mass: torch.Tensor | None = None,
) -> Iterator[tuple[slice, Retrieved]]:
    """Yield candidates and their weights, a chunk of queries at a time.

    Parameters
    ----------
    index : faiss.Index
        What :meth:`FaissIndex.build` made of the patterns.
    n_candidates : int
        How many patterns a query weighs.
    queries, patterns, beta, similarity, separation, mass : object
        See :func:`skdyn.hopfield._retrieval.weight_chunks`.

    Yields
    ------
    (slice, Retrieved)
        Which queries; their candidates, in no order, with weights of sum one. Where the cells
        held too few, the rest are -1 with weight zero.
    """
    n_candidates = min(n_candidates, len(patterns))
    if similarity == "cosine":
        queries, patterns = (torch.nn.functional.normalize(v, dim=1) for v in (queries, patterns))
    numbers = n_candidates * (patterns.shape[1] + 1)
    for rows in row_chunks(len(queries), numbers, patterns.element_size()):
        found = _search(index, _single(queries[rows], similarity), n_candidates)
        found = torch.as_tensor(found, device=patterns.device)
        near = patterns[found]
        z = torch.einsum("bf,bkf->bk", queries[rows], near)
        if similarity == "euclidean":
            z -= near.square().sum(dim=2) / 2
        z.masked_fill_(found < 0, -torch.inf)
        z = (z - z.amax(dim=1, keepdim=True)) * min(beta, torch.finfo(z.dtype).max)
        weights = separation.weights(z, None if mass is None else mass[found])
        yield rows, Retrieved(found, weights)


def _search(index, queries, n_candidates):
    """Return candidates, -1 where there are no more; in all cells where the nearest are empty."""
    found = index.search(queries, n_candidates)[1]
    nothing = (found < 0).all(axis=1)
    if nothing.any():
        everywhere = _faiss().SearchParametersIVF(nprobe=index.nlist)
        found[nothing] = index.search(queries[nothing], n_candidates, params=everywhere)[1]
    return found


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
