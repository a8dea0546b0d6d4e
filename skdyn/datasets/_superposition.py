"""Synthetic activations: sparse sums of more directions than there are dimensions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.special import ndtri
from sklearn.utils import check_random_state

from skdyn.datasets._generate import check_integer, check_number

__all__ = ["Superposition", "make_superposition"]

# A component that were always active would be part of the mean, and no longer a sparse one.
_MAX_FREQUENCY = 0.9


class Superposition(NamedTuple):
    """Activations, the codes they were made from, and the dictionary.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Activations, ``codes @ dictionary`` and noise.
    codes : csr_array or ndarray of shape (n_samples, n_components)
        How much of each component is in each sample, mostly zero.
    dictionary : ndarray of shape (n_components, n_features)
        Components, one unit vector a row, the most frequent first.
    """

    X: np.ndarray
    codes: Any  # a csr_array is none of numpy's array-likes, so that a union would please nobody
    dictionary: np.ndarray


def make_superposition(
    n_samples: int = 1000,
    n_features: int = 64,
    n_components: int = 256,
    *,
    l0: float = 7.4,
    exponent: float = 1.0,
    offset: float = 5.0,
    correlation: float = 0.3,
    block_size: int = 8,
    spread: float = 0.5,
    noise: float = 0.0,
    dictionary: ArrayLike | None = None,
    sparse_codes: bool = True,
    random_state: int | np.random.RandomState | None = None,
) -> Superposition:
    r"""Sample activations that superpose the rare components of a known dictionary.

    Networks are thought to represent more features than they have dimensions, each as a direction
    and few at a time [1]_. Such activations are made here from a dictionary that is known, so that
    one can say how much of it a sparse autoencoder found:

    .. math:: x = \sum_j z_j d_j + \varepsilon, \qquad z_j = b_j m_j

    with unit vectors :math:`d_j` drawn evenly from the sphere. Component j of rank
    :math:`r = 1, 2, \dots` is active (:math:`b_j = 1`) in a share of the samples that follows the
    law of Zipf and Mandelbrot [2]_,

    .. math:: p_r = \min\left(c\,(r + q)^{-s},\ 0.9\right), \qquad \sum_r p_r = L_0,

    with exponent s and offset q. Components are assigned to blocks at random, and those of a block
    tend to be active together: :math:`b_j` is one where a standard Gaussian, correlated within
    the block, lies above its quantile :math:`1 - p_j`. The magnitudes :math:`m_j` are log-normal
    with mean 1.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of samples.
    n_features : int, default=64
        Dimensions of the activations.
    n_components : int, default=256
        Number of components of the dictionary.
    l0 : float, default=7.4
        Expected number of active components of a sample, below 0.9 times `n_components`.
    exponent : float, default=1.0
        Exponent s of the frequencies; 0 makes all components equally frequent.
    offset : float, default=5.0
        Offset q of the frequencies; it flattens the law at the most frequent components.
    correlation : float, default=0.3
        Correlation of the Gaussians of one block, in [0, 1); 0 makes the components independent.
    block_size : int, default=8
        Number of components of a block. The last block may be smaller.
    spread : float, default=0.5
        Standard deviation of the logarithm of the magnitudes; 0 makes them all 1.
    noise : float, default=0.0
        Standard deviation of added Gaussian noise, as a fraction of each feature's own.
    dictionary : array-like of shape (n_components, n_features), default=None
        The components, used as they are, to draw more samples of one kind. None draws unit
        vectors.
    sparse_codes : bool, default=True
        Whether the codes are returned as a :class:`scipy.sparse.csr_array` instead of an array.
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the data reproducible. With one seed, `noise` is added
        to the same underlying samples.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Activations.
    codes : csr_array or ndarray of shape (n_samples, n_components)
        How much of each component is in each sample.
    dictionary : ndarray of shape (n_components, n_features)
        Components, the most frequent first.

    Raises
    ------
    ValueError
        If a parameter is out of its range or `dictionary` does not fit; the message names it.

    See Also
    --------
    skdyn.metrics.matched_cosine : Agreement of a learned dictionary with the true one.
    sklearn.datasets.make_sparse_coded_signal : Codes of equal size, all components equally likely.

    Notes
    -----
    Which blocks there are depends on the seed, so that samples of one kind are split from one draw
    rather than drawn twice.

    References
    ----------
    .. [1] N. Elhage et al. (2022). Toy models of superposition. Transformer Circuits Thread.
    .. [2] B. Mandelbrot (1953). An informational theory of the statistical structure of language.
           Communication Theory, 486-502.

    Examples
    --------
    >>> from skdyn.datasets import make_superposition
    >>> X, codes, dictionary = make_superposition(n_samples=500, random_state=0)
    >>> X.shape, codes.shape, dictionary.shape
    ((500, 64), (500, 256), (256, 64))
    >>> print(f"{codes.nnz / 500:.1f} active components a sample")
    7.6 active components a sample
    """
    check_integer("n_samples", n_samples, low=1)
    check_integer("n_features", n_features, low=1)
    check_integer("n_components", n_components, low=1)
    check_integer("block_size", block_size, low=1)
    check_number("l0", l0, low=0, high=_MAX_FREQUENCY * n_components, open_low=True)
    check_number("exponent", exponent, low=0)
    check_number("offset", offset, low=0)
    check_number("correlation", correlation, low=0, high=1)
    check_number("spread", spread, low=0)
    check_number("noise", noise, low=0)
    rng = check_random_state(random_state)
    components = _dictionary(dictionary, n_components, n_features, rng)
    frequencies = _frequencies(n_components, l0, exponent, offset)
    codes = _codes(n_samples, frequencies, correlation, block_size, spread, rng)
    X = codes @ components
    if noise:
        X += noise * X.std(axis=0) * rng.standard_normal(X.shape)
    return Superposition(X, codes if sparse_codes else codes.toarray(), components)


def _dictionary(dictionary, n_components, n_features, rng):
    """The dictionary that was given, or unit vectors drawn evenly from the sphere."""
    if dictionary is None:
        rows = rng.standard_normal((n_components, n_features))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
    rows = np.asarray(dictionary, dtype=float)
    if rows.shape != (n_components, n_features):
        raise ValueError(
            f"dictionary must have shape (n_components, n_features) = {(n_components, n_features)}"
            f"; got {rows.shape}. Set the two numbers to the shape of your dictionary."
        )
    if not np.isfinite(rows).all():
        raise ValueError("dictionary must be finite; got NaN or infinity.")
    return rows


def _frequencies(n_components, l0, exponent, offset):
    """Zipf's shares, in falling order, that sum to ``l0`` though none exceeds the largest."""
    law = (np.arange(1, n_components + 1) + offset) ** -exponent
    # What the capped ones cannot take is shared by the rest in proportion, until none is above.
    n_capped, shares = 0, l0 * law / law.sum()
    while shares[0] > _MAX_FREQUENCY and n_capped < n_components - 1:
        n_capped += 1
        rest = law[n_capped:]
        shares = (l0 - _MAX_FREQUENCY * n_capped) * rest / rest.sum()
    return np.concatenate([np.full(n_capped, _MAX_FREQUENCY), shares])


def _codes(n_samples, frequencies, correlation, block_size, spread, rng):
    """Codes as rows, drawn a block at a time: memory is that of what is active."""
    order = rng.permutation(len(frequencies))
    rows, columns = [], []
    for start in range(0, len(order), block_size):
        block = order[start : start + block_size]
        shared = rng.standard_normal((n_samples, 1))
        own = rng.standard_normal((n_samples, len(block)))
        gaussian = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
        row, column = np.nonzero(gaussian > -ndtri(frequencies[block]))
        rows.append(row)
        columns.append(block[column])
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    magnitudes = np.exp(spread * rng.standard_normal(len(rows)) - spread**2 / 2)
    shape = (n_samples, len(frequencies))
    codes = csr_array((magnitudes, (rows, columns)), shape=shape)
    codes.sort_indices()
    return codes
