"""Scores of sparse codes: what they cost, what they leave out, what can be read from them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils import check_consistent_length, column_or_1d

from skdyn._validation import check_array

__all__ = ["dead_fraction", "fraction_variance_unexplained", "l0", "sparse_probing_score"]


def as_codes(codes: ArrayLike) -> Any:  # a csr_array, whose shape may be None to checkers
    """Return finite codes ``(n_samples, n_components)`` as sparse rows."""
    rows = csr_array(
        check_array(codes, accept_sparse="csr", dtype=[np.float64, np.float32], input_name="codes")
    )
    if rows.nnz and not rows.data.all():
        rows = rows.copy()
        rows.eliminate_zeros()
    return rows


def fraction_variance_unexplained(
    X_true: ArrayLike, X_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    r"""Squared error of reconstructions relative to the variance of the data.

    For rows :math:`x_i` with mean :math:`\bar x` and reconstructions :math:`\hat x_i` it is [1]_

    .. math:: \sum_i \lVert x_i - \hat x_i \rVert^2 \Big/ \sum_i \lVert x_i - \bar x \rVert^2,

    one minus the R2 score whose outputs are weighted by their variance. The best value is 0;
    predicting the mean of each feature gives 1, and worse is possible.

    Parameters
    ----------
    X_true : array-like of shape (n_samples, n_features)
        Data.
    X_pred : array-like of shape (n_samples, n_features)
        Reconstructions.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample, in both sums and in the mean.

    Returns
    -------
    float
        Fraction of the variance that is unexplained.

    Raises
    ------
    ValueError
        If shapes differ, a value is not finite, or all samples are equal.

    References
    ----------
    .. [1] A. Karvonen et al. (2025). SAEBench: a comprehensive benchmark for sparse autoencoders
           in language model interpretability. ICML.

    Examples
    --------
    >>> from skdyn.metrics import fraction_variance_unexplained
    >>> fraction_variance_unexplained([[0.0, 2.0], [4.0, 2.0]], [[1.0, 2.0], [3.0, 2.0]])
    0.25
    """
    X_true = check_array(X_true, dtype=float, input_name="X_true")
    X_pred = check_array(X_pred, dtype=float, input_name="X_pred")
    if X_true.shape != X_pred.shape:
        raise ValueError(
            f"X_true and X_pred must have the same shape; got {X_true.shape} and {X_pred.shape}."
        )
    weights = None if sample_weight is None else np.asarray(sample_weight)
    mean = np.average(X_true, axis=0, weights=weights)
    variance = np.average(((X_true - mean) ** 2).sum(axis=1), weights=weights)
    # Rounding of the mean leaves a little variance to equal rows.
    if variance <= 1e-24 * (mean**2).sum():
        raise ValueError("All samples of X_true are equal: there is no variance to explain.")
    error = np.average(((X_true - X_pred) ** 2).sum(axis=1), weights=weights)
    return float(error / variance)


def l0(codes: ArrayLike) -> float:
    """Mean number of active components of a sample.

    It counts what is not zero [1]_; the fraction of variance unexplained against it is the
    frontier on which sparse autoencoders are compared.

    Parameters
    ----------
    codes : array-like or sparse array of shape (n_samples, n_components)
        Codes.

    Returns
    -------
    float
        Mean number of codes of a sample that are not zero.

    Raises
    ------
    ValueError
        If `codes` is not finite or has no sample.

    References
    ----------
    .. [1] S. Rajamanoharan et al. (2024). Improving dictionary learning with gated sparse
           autoencoders. arXiv:2404.16014.

    Examples
    --------
    >>> from skdyn.metrics import l0
    >>> l0([[0.0, 1.5, 0.0], [0.2, 0.1, 0.0]])
    1.5
    """
    rows = as_codes(codes)
    n_samples, _ = rows.shape
    return rows.nnz / n_samples


def dead_fraction(codes: ArrayLike, *, min_density: float = 0.0) -> float:
    """Share of the components that are active in no sample.

    Dead components [1]_ cost memory and explain nothing. The value depends on how many samples
    there are: one that is active once in ten thousand looks dead in a thousand.

    Parameters
    ----------
    codes : array-like or sparse array of shape (n_samples, n_components)
        Codes.
    min_density : float, default=0.0
        Share of the samples up to which a component counts as dead, in [0, 1).

    Returns
    -------
    float
        Share of the components that are dead.

    Raises
    ------
    ValueError
        If `codes` is not finite or has no sample, or `min_density` is outside of [0, 1).

    References
    ----------
    .. [1] L. Gao et al. (2025). Scaling and evaluating sparse autoencoders. ICLR.

    Examples
    --------
    >>> from skdyn.metrics import dead_fraction
    >>> dead_fraction([[0.0, 1.5, 0.0, 0.0], [0.2, 0.1, 0.0, 0.3]])
    0.25
    """
    if not 0 <= min_density < 1:
        raise ValueError(f"min_density must be a share in [0, 1); got {min_density!r}.")
    rows = as_codes(codes)
    n_samples, n_components = rows.shape
    density = np.bincount(rows.indices, minlength=n_components) / n_samples
    return float((density <= min_density).mean())


class LargestMeanDifference(TransformerMixin, BaseEstimator):
    """Keep the columns whose means differ most between two classes.

    Parameters
    ----------
    k : int, default=1
        Number of columns to keep.
    """

    def __init__(self, k: int = 1) -> None:
        self.k = k

    def fit(self, X: csr_array, y: np.ndarray) -> LargestMeanDifference:
        """Find the columns; ``y`` is boolean."""
        difference = np.abs(X[y].mean(axis=0) - X[~y].mean(axis=0))
        self.columns_ = np.argsort(-difference, kind="stable")[: self.k]
        return self

    def transform(self, X: csr_array) -> np.ndarray:
        """Return these columns, dense."""
        return X[:, self.columns_].toarray()


def sparse_probing_score(
    codes: ArrayLike, y: ArrayLike, *, k: int = 1, cv: int = 5, scoring: str = "accuracy"
) -> float:
    """Accuracy with which a class is read from the `k` components that tell most of it.

    The probe [1]_ is a logistic regression on the k components whose means differ most between
    samples of the class and all others, chosen and fitted on one part of the samples and scored on
    the rest. If a concept has a component of its own, one is enough. With more than two classes
    each is told from all others, and the scores are averaged.

    Parameters
    ----------
    codes : array-like or sparse array of shape (n_samples, n_components)
        Codes.
    y : array-like of shape (n_samples,)
        Class of each sample.
    k : int, default=1
        Number of components the probe may see.
    cv : int, default=5
        Number of stratified folds; each is scored once by a probe fitted on the others.
    scoring : str, default="accuracy"
        Name of a score of scikit-learn for two classes. Where a class is rare, accuracy is high
        for a probe that never tells it: use `"balanced_accuracy"` or `"roc_auc"`.

    Returns
    -------
    float
        Mean score over folds and classes.

    Raises
    ------
    ValueError
        If there are fewer than two classes, a class has fewer than `cv` samples, `k` is not
        between 1 and the number of components, or `codes` is not finite.

    References
    ----------
    .. [1] W. Gurnee et al. (2023). Finding neurons in a haystack: case studies with sparse probing.
           TMLR.

    Examples
    --------
    >>> from skdyn.datasets import make_superposition
    >>> from skdyn.metrics import sparse_probing_score
    >>> X, codes, _ = make_superposition(n_samples=500, random_state=0)
    >>> concept = codes[:, [0]].toarray().ravel() > 0
    >>> print(f"codes {sparse_probing_score(codes, concept):.2f}")
    codes 1.00
    >>> print(f"activations {sparse_probing_score(X, concept):.2f}")
    activations 0.72
    """
    rows, y = as_codes(codes), column_or_1d(y)
    check_consistent_length(rows, y)
    _, n_components = rows.shape
    if not 1 <= k <= n_components:
        raise ValueError(f"k must be between 1 and the {n_components} components; got {k!r}.")
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2 or counts.min() < cv:
        raise ValueError(
            f"y must hold at least two classes of at least cv={cv} samples each; got the counts "
            f"{dict(zip(classes.tolist(), counts.tolist()))}."
        )
    probe = make_pipeline(
        LargestMeanDifference(k), MaxAbsScaler(), LogisticRegression(C=100.0, max_iter=1000)
    )
    told = classes[1:] if len(classes) == 2 else classes
    scores = [cross_val_score(probe, rows, y == one, cv=cv, scoring=scoring) for one in told]
    return float(np.mean(scores))
