"""Trainings that may be interrupted."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from skdyn._validation import is_whole
from skdyn.training import Journal

__all__ = ["Checkpoint", "journal_of"]

# What does not change what is learned, or may change from one machine to the next.
_FREE = {"verbose", "max_time", "device", "inference", "output", "warm_start"}


class Checkpoint:
    """A file from which ``fit`` goes on if it is there, and which it writes as it goes.

    It holds the weights, the optimizer's moments, the state of what draws at random and how far the
    training is, so that it ends bit for bit where it would have ended without the interruption.
    Pass the same data in the same order. When the training has ended the file is removed.

    Parameters
    ----------
    path : str or path-like
        The file.
    every : int, default=1000
        Steps of the optimizer between two states; one is written, too, when ``max_time`` is over.

    Raises
    ------
    ValueError
        If ``every`` is not a positive whole number.

    See Also
    --------
    SparseAutoencoder : Takes it as ``checkpoint`` in ``fit``.
    skdyn.FNORegressor : So do operators that are trained.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sklearn.datasets import load_digits
    >>> from skdyn.autoencoder import Checkpoint, SparseAutoencoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "training.pt"
    >>> model = SparseAutoencoder(64, k=8, max_iter=2)
    >>> model.fit(X, checkpoint=Checkpoint(file, every=10)).n_iter_
    2
    """

    def __init__(self, path: str | os.PathLike[str], *, every: int = 1000) -> None:
        if not is_whole(every, 1):
            raise ValueError(f"every must be a positive whole number of steps; got {every!r}.")
        self.path = path
        self.every = every

    def __repr__(self) -> str:
        return f"Checkpoint({os.fspath(self.path)!r}, every={self.every})"


def journal_of(
    checkpoint: Checkpoint | str | os.PathLike[str] | None,
    estimator: Any,
    samples: Sequence[np.ndarray],
    n_rows: int | None,
    parts: tuple[Any, ...] = (),
) -> Journal | None:
    """Return what keeps a training on disk.

    Parameters
    ----------
    checkpoint : Checkpoint, path-like or None
        What the user passed.
    estimator : estimator
        What is trained.
    samples : sequence of ndarray of shape (n_sample_rows, ...)
        Training data, by which others are told.
    n_rows : int or None
        Rows of an epoch, where they are known.
    parts : tuple of Lasting, default=()
        What keeps a state beside the network.

    Returns
    -------
    Journal or None

    Raises
    ------
    TypeError
        If the checkpoint is nothing of that.
    """
    if checkpoint is None:
        return None
    if isinstance(checkpoint, str | os.PathLike):
        checkpoint = Checkpoint(checkpoint)
    if not isinstance(checkpoint, Checkpoint):
        raise TypeError(f"checkpoint must be a Checkpoint, a path or None; got {checkpoint!r}.")
    terms = {
        name: repr(value) for name, value in estimator.get_params(deep=False).items()
        if name not in _FREE
    }  # fmt: skip
    if not isinstance(estimator.random_state, Integral):  # the file knows the state itself
        terms["random_state"] = "not an int"
    terms |= {"estimator": type(estimator).__name__, "rows of an epoch": n_rows}
    checksum = 0
    for sample in samples:
        checksum = zlib.crc32(np.ascontiguousarray(sample[:1024]).tobytes(), checksum)
    terms["checksum of the data"] = checksum
    return Journal(checkpoint.path, checkpoint.every, terms, parts)
