"""Sparse codes as a message: what they save, and what they cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_consistent_length

from skdyn._validation import check_array
from skdyn.metrics._sparse_codes import as_codes

__all__ = ["saved_bits"]


def saved_bits(
    X: ArrayLike, reconstruction: ArrayLike, codes: ArrayLike, components: ArrayLike
) -> float:
    r"""Bits a row that sparse codes save over the mean alone, what they cost taken off.

    More active codes always explain more. As a message [1]_, a row of d features is told by which
    codes are active, how much each is, and what is left over:

    .. math:: \frac{d}{2} \log_2 \frac{\sigma^2}{s^2} - \sum_j \Bigl[ H(p_j) +
       \frac{p_j}{2} \log_2 \Bigl(1 + \frac{\lVert w_j \rVert^2 \, \overline{z_j^2}}{s^2} \Bigr)
       \Bigr]

    with the variances :math:`\sigma^2` of the data and :math:`s^2` of what is left over, a feature;
    :math:`H(p_j)` the entropy of whether code j is active, and its mean square
    :math:`\overline{z_j^2}` where it is. A code has to say more than it costs, so that a search
    over the number of active codes has its best within.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Data.
    reconstruction : array-like of shape (n_samples, n_features)
        What the codes restore.
    codes : array-like or sparse array of shape (n_samples, n_components)
        Codes.
    components : array-like of shape (n_components, n_features)
        What a code of one adds.

    Returns
    -------
    float
        The more the better; 0 is the mean alone, infinite where nothing is left over.

    Raises
    ------
    ValueError
        If shapes do not fit each other, or a value is not finite.

    References
    ----------
    .. [1] Kola Ayonrinde, Michael Pearce, Lee Sharkey, "Interpretability as Compression:
       Reconsidering SAE Explanations of Neural Activations with MDL-SAEs", arXiv:2410.11179, 2024.
       Amounts are told to the precision of what is left over, which is ours.

    Examples
    --------
    >>> from skdyn.datasets import make_superposition
    >>> from skdyn.metrics import saved_bits
    >>> X, codes, atoms = make_superposition(1000, noise=0.1, random_state=0)
    >>> truth = saved_bits(X, codes @ atoms, codes, atoms)
    >>> half = codes * (codes > 1.0)
    >>> bool(truth > saved_bits(X, half @ atoms, half, atoms) > 0)
    True
    """
    return _saved(
        check_array(X, dtype=np.float64),
        check_array(reconstruction, dtype=np.float64, input_name="reconstruction"),
        check_array(components, dtype=np.float64, input_name="components"),
        as_codes(codes),
    )


def _saved(X, reconstruction, components, codes) -> float:
    check_consistent_length(X, reconstruction, codes)
    if reconstruction.shape != X.shape or components.shape != (codes.shape[1], X.shape[1]):
        raise ValueError(
            f"X of shape {X.shape} and codes of shape {codes.shape} ask for a reconstruction of "
            f"shape {X.shape} and components of shape {(codes.shape[1], X.shape[1])}; got "
            f"{reconstruction.shape} and {components.shape}."
        )
    variance, left = np.mean((X - X.mean(axis=0)) ** 2), np.mean((X - reconstruction) ** 2)
    if left == 0:
        return float(np.inf) if variance > 0 else 0.0
    n_active = np.asarray((codes != 0).sum(axis=0)).ravel()
    used = n_active > 0
    density = n_active[used] / len(X)
    squares = np.asarray(codes.multiply(codes).sum(axis=0)).ravel()[used] / n_active[used]
    squares = squares * np.square(components[used]).sum(axis=1)
    silent = 1.0 - density
    entropy = -density * np.log2(density) - silent * np.log2(np.where(silent > 0, silent, 1.0))
    cost = entropy.sum() + 0.5 * density @ np.log2(1.0 + squares / left)
    with np.errstate(divide="ignore"):
        return float(0.5 * X.shape[1] * np.log2(variance / left) - cost)
