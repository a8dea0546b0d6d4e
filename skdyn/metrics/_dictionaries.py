"""Agreement of a learned dictionary with the one that is known, or with directions of concepts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from skdyn._validation import check_array
from skdyn.metrics._sparse_codes import as_codes

__all__ = ["dictionary_recall", "feature_absorption", "matched_cosine", "mean_max_cosine"]


def mean_max_cosine(components_true: ArrayLike, components_pred: ArrayLike) -> float:
    r"""Mean over the true components of the cosine to the nearest learned one.

    For true components :math:`d_j` and learned ones :math:`w_i` it is [1]_

    .. math:: \frac{1}{m} \sum_{j=1}^{m} \max_i \cos(d_j, w_i).

    One learned component may be the nearest of several; :func:`matched_cosine` pairs them one to
    one. Among many unrelated components the nearest is not orthogonal: of 256 in 64 dimensions
    about 0.35 is chance.

    Parameters
    ----------
    components_true : array-like of shape (n_components, n_features)
        Components that should be found.
    components_pred : array-like of shape (n_learned, n_features)
        Components that were learned. A row of zeros has cosine 0 with all.

    Returns
    -------
    float
        Mean cosine; 1 if every true component is among the learned ones.

    Raises
    ------
    ValueError
        If widths differ or a value is not finite.

    See Also
    --------
    dictionary_recall : Share of the true components that were found.
    matched_cosine : The same, with each learned component used once.

    References
    ----------
    .. [1] L. Sharkey et al. (2022). Taking features out of superposition with sparse autoencoders.
           AI Alignment Forum.

    Examples
    --------
    >>> from skdyn.metrics import mean_max_cosine
    >>> mean_max_cosine([[1.0, 0.0], [3.0, 4.0]], [[2.0, 0.0], [0.0, -1.0]])
    0.8
    """
    return float(cosines_between(components_true, components_pred).max(axis=1).mean())


def matched_cosine(components_true: ArrayLike, components_pred: ArrayLike) -> float:
    r"""Mean cosine of true components and learned ones, paired one to one as well as possible.

    .. math:: \max_\pi \frac{1}{\min(m, n)} \sum_j \cos\left(d_j, w_{\pi(j)}\right)

    over all pairings :math:`\pi` of m true and n learned components, found by the Hungarian
    method [1]_. A component that was learned twice counts once, unlike in
    :func:`mean_max_cosine`. It is symmetric, so that it also compares dictionaries learned from
    two seeds [2]_. Only as many are paired as the smaller one has: what it lacks does not count,
    which :func:`dictionary_recall` tells.

    Parameters
    ----------
    components_true : array-like of shape (n_components, n_features)
        Components that should be found.
    components_pred : array-like of shape (n_learned, n_features)
        Components that were learned. A row of zeros has cosine 0 with all.

    Returns
    -------
    float
        Mean cosine over the pairs; 1 if one holds all directions of the other.

    Raises
    ------
    ValueError
        If widths differ or a value is not finite.

    See Also
    --------
    dictionary_recall : Share of the true components that were found.
    mean_max_cosine : Without the pairing.

    References
    ----------
    .. [1] H. W. Kuhn (1955). The Hungarian method for the assignment problem. Naval Research
           Logistics Quarterly 2, 83-97.
    .. [2] G. Paulo and N. Belrose (2025). Sparse autoencoders trained on the same data learn
           different features. arXiv:2501.16615.

    Examples
    --------
    >>> from skdyn.metrics import matched_cosine
    >>> matched_cosine([[1.0, 0.0], [3.0, 4.0]], [[2.0, 0.0], [0.0, 1.0]])
    0.9
    """
    cosines = cosines_between(components_true, components_pred)
    return float(cosines[linear_sum_assignment(cosines, maximize=True)].mean())


def dictionary_recall(
    components_true: ArrayLike, components_pred: ArrayLike, *, min_cosine: float = 0.9
) -> float:
    r"""Share of the true components that were learned, each by a component of its own.

    .. math:: \frac{1}{m} \max_\pi \#\{j : \cos(d_j, w_{\pi(j)}) \ge c\}

    over all pairings :math:`\pi` of the m true components and the learned ones, one to one. Unlike
    in :func:`matched_cosine`, a true component without a partner counts as missed.

    Parameters
    ----------
    components_true : array-like of shape (n_components, n_features)
        Components that should be found.
    components_pred : array-like of shape (n_learned, n_features)
        Components that were learned. A row of zeros has cosine 0 with all.
    min_cosine : float, default=0.9
        Cosine c from which a component counts as found.

    Returns
    -------
    float
        From 0 to 1, which is best.

    Raises
    ------
    ValueError
        If widths differ or a value is not finite.

    See Also
    --------
    matched_cosine : How well the pairs agree.

    Examples
    --------
    >>> from skdyn.metrics import dictionary_recall, matched_cosine
    >>> truth = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 3.0, 4.0]]
    >>> dictionary_recall(truth, truth[:1]), matched_cosine(truth, truth[:1])
    (0.25, 1.0)
    """
    found = cosines_between(components_true, components_pred) >= min_cosine
    return float(found[linear_sum_assignment(found, maximize=True)].sum() / len(found))


def feature_absorption(
    codes: ArrayLike,
    components: ArrayLike,
    concepts: ArrayLike,
    directions: ArrayLike,
    *,
    min_cosine: float = 0.1,
    min_share: float = 0.4,
) -> float:
    r"""Share of a concept's samples in which another component stands in for its own.

    Sparsity rewards a dictionary that folds a general concept into specific ones: if "starts with
    S" goes along with "snake", a component for "snake" may take over, and the one for "starts with
    S" stays silent there, so that it can no longer be trusted [1]_. Counted is full absorption as
    in [2]_: the component nearest to the concept's direction u is silent although the sample has
    the concept, and some other component, active with code z and unit direction w at a cosine of
    at least `min_cosine`, alone gives at least `min_share` of the reconstruction along u,

    .. math:: z_i \, w_i^\top u \ge s \sum_j z_j \, w_j^\top u > 0.

    Parameters
    ----------
    codes : array-like or sparse array of shape (n_samples, n_components)
        Codes.
    components : array-like of shape (n_components, n_features)
        What a code of one adds to the reconstruction.
    concepts : array-like or sparse array of shape (n_samples, n_concepts)
        Not zero where a sample has the concept.
    directions : array-like of shape (n_concepts, n_features)
        Direction of each concept: that of a known dictionary, or the coefficients of a linear
        probe.
    min_cosine : float, default=0.1
        Cosine to the concept's direction from which a component may absorb it. In d dimensions
        unrelated directions have cosines of about :math:`1/\sqrt{d}`: raise it well above that
        when d is small.
    min_share : float, default=0.4
        Share of the reconstruction along the direction that one absorbing component gives.

    Returns
    -------
    float
        Mean over the concepts that occur of the share of their samples that are absorbed; 0 is
        best.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, or no sample has any concept.

    References
    ----------
    .. [1] D. Chanin et al. (2024). A is for absorption: studying feature splitting and absorption
           in sparse autoencoders. arXiv:2409.14507.
    .. [2] A. Karvonen et al. (2025). SAEBench: a comprehensive benchmark for sparse autoencoders
           in language model interpretability. ICML.

    Examples
    --------
    The second component stands for "snake" and has taken on its first letter; in the one snake of
    the three words with an S, the component of the letter is silent.

    >>> from skdyn.metrics import feature_absorption
    >>> codes = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    >>> components = [[1.0, 0.0], [1.0, 1.0]]
    >>> round(feature_absorption(codes, components, [[1], [1], [1]], [[1.0, 0.0]]), 3)
    0.333
    """
    rows, having = as_codes(codes), as_codes(concepts)
    cosines = cosines_between(directions, components)
    n_samples, _ = having.shape
    expected = {"codes": (n_samples, cosines.shape[1])}
    expected["concepts"] = (expected["codes"][0], cosines.shape[0])
    for name, array in (("codes", rows), ("concepts", having)):
        if array.shape != expected[name]:
            raise ValueError(
                f"{name} must have shape {expected[name]} to fit the other arrays; got "
                f"{array.shape}."
            )
    norms = np.linalg.norm(np.asarray(components, dtype=float), axis=1)
    shares = []
    for concept, cosine in enumerate(cosines):
        those = having[:, [concept]].nonzero()[0]
        if not len(those):
            continue
        along = rows[those].multiply(norms * cosine).tocsr()
        main = cosine.argmax()
        silent = rows[those][:, [main]].toarray().ravel() == 0
        others = np.flatnonzero((cosine >= min_cosine) & (np.arange(len(cosine)) != main))
        if not len(others):
            shares.append(0.0)
            continue
        largest = along[:, others].max(axis=1).toarray().ravel()
        total = along.sum(axis=1)
        shares.append((silent & (total > 0) & (largest >= min_share * total)).mean())
    if not shares:
        raise ValueError("concepts must not be zero everywhere: no sample has any concept.")
    return float(np.mean(shares))


def cosines_between(first: ArrayLike, second: ArrayLike) -> np.ndarray:
    """Return the cosine of each row of the first to each of the second; zero where a row is."""
    first, second = (
        check_array(rows, dtype=float, input_name="components") for rows in (first, second)
    )
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"Both dictionaries must have the same number of features; got {first.shape[1]} and "
            f"{second.shape[1]}."
        )
    units = [rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)
             for rows in (first, second)]  # fmt: skip
    return units[0] @ units[1].T
