"""Noise taken off rows, by the density of a memory.

Patterns are taken for draws from a density with kernels of variance :math:`h^2`, the most likely
one, and rows for such draws plus noise of variance :math:`s^2`. Kernels of :math:`s^2 + h^2 = 1 /
\\beta` are then the most likely for the rows, which gives :math:`\\beta` without a word about the
noise, and the mean of the draw given a row :math:`q` is

.. math:: \\lambda q + (1 - \\lambda) \\sum_k p_k x_k, \\qquad \\lambda = h^2 \\beta,

with the weights p of one update. Rows that are spoilt copies of patterns have no h.
"""

from dataclasses import replace

import numpy as np
import torch

from skdyn.hopfield._density import likelihoods, most_likely_beta
from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._store import Store, merged

__all__ = ["denoised"]

_N_ROWS = 300  # from which the noise is learned
_HALF_OCTAVES = [2.0 ** (power / 2) for power in range(-40, 41)]


def denoised(
    rows: np.ndarray,
    patterns: np.ndarray,
    mass: np.ndarray,
    *,
    noise: float | None = None,
    copies: bool = False,
) -> np.ndarray:
    """Return the means of what rows were before noise was added.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Noisy rows.
    patterns : ndarray of shape (n_patterns, n_features)
        Rows without noise.
    mass : ndarray of shape (n_patterns,)
        How many times each is there.
    noise : float or None, default=None
        Standard deviation of the noise; None learns it from the rows.
    copies : bool, default=False
        Whether the rows are copies of patterns, but for the noise.

    Returns
    -------
    ndarray of shape (n_rows, n_features)

    Raises
    ------
    ValueError
        If ``noise`` is negative.
    """
    if noise is not None and not 0 <= noise < np.inf:
        raise ValueError(f"noise must be a standard deviation of at least 0; got {noise!r}.")
    clean = np.repeat(patterns[:1].astype(np.float64), len(rows), axis=0)
    varies = (patterns != patterns[0]).any(axis=0)
    if not varies.any() or not len(rows):
        return clean
    store, _ = merged(Store(patterns[:, varies], patterns[:, :0], mass, np.arange(len(patterns))))
    mean = np.average(store.patterns, axis=0, weights=store.mass)
    square = np.average(np.square(store.patterns - mean), axis=0, weights=store.mass)
    unit = float(np.sqrt(square.mean()))  # one for all columns: the noise has one
    keys, queries = (
        torch.from_numpy((table - mean) / unit) for table in (store.patterns, rows[:, varies])
    )
    memory = FrozenMemory(keys, mass=torch.from_numpy(store.mass))
    width = 0.0 if copies else 1 / most_likely_beta(keys, torch.from_numpy(store.mass))
    if noise is None:
        asked = queries[:: -(-len(queries) // _N_ROWS)]
        found = likelihoods(asked, memory, _HALF_OCTAVES).mean(dim=1)
        beta = _HALF_OCTAVES[int(found.argmax())]
    else:
        beta = 1 / max(width + (noise / unit) ** 2, _HALF_OCTAVES[0])
    keep = min(1.0, width * beta)
    means = keep * queries + (1 - keep) * replace(memory, sharpness=beta).means(queries)
    clean[:, varies] = means.numpy() * unit + mean
    return clean
