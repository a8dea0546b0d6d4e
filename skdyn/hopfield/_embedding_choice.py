"""Which embedding tells bags best that were left out."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from skdyn.hopfield._bags import Bags

__all__ = ["EMBEDDINGS", "best_embedding"]

EMBEDDINGS = ("likeness", "features", "trained")
_N_FOLDS = 3
_MOST_INSTANCES = 2**15  # that the choice looks at: more would only tell it more dearly
_FEWEST_BAGS = 4 * _N_FOLDS


def best_embedding(
    estimator: Any, X: Bags, y: np.ndarray, weight: np.ndarray | None
) -> tuple[str, bool]:
    """Choose by the errors on bags left out, fold by fold; without a choice, take what was asked.

    The embedding comes first, then whether it is one of ranks.

    Parameters
    ----------
    estimator : estimator
        Of bags, with parameters set.
    X : Bags
        Bags as they came.
    y : ndarray of shape (n_bags, ...)
        Targets.
    weight : ndarray of shape (n_bags,) or None
        Weights.

    Returns
    -------
    embedding : str
        One of :data:`EMBEDDINGS`.
    ranks : bool
        Whether features are replaced by their ranks.
    """
    asked, usable = estimator.embedding, EMBEDDINGS
    ranks = estimator.ranks is True
    if estimator.n_references == 0:
        usable = EMBEDDINGS[1:]
    if asked == "likeness" and asked not in usable:
        raise ValueError(
            "embedding='likeness' compares instances with stored ones, but n_references=0 stores "
            "none. Raise n_references, or choose embedding='features'."
        )
    if asked != "auto":
        return asked, ranks
    weight = np.ones(len(X)) if weight is None else weight
    folds = _folds(X, y, is_labels=hasattr(estimator, "classes_"))
    if folds is None:
        return usable[0], ranks
    errors = [_error(estimator, embedding, ranks, X, y, weight, folds) for embedding in usable]
    best = int(np.argmin(errors))
    if estimator.ranks == "auto":
        ranks = _error(estimator, usable[best], True, X, y, weight, folds) < errors[best]
    return usable[best], bool(ranks)


def _folds(X, y, *, is_labels):
    """Return the fold of each bag, -1 for one that is not looked at; None where there are too few.

    Folds depend neither on the order of the bags nor on how often one comes: bags are dealt out in
    an order of their own, equal ones to one fold.
    """
    starts = X.ends - X.sizes
    direction = np.random.default_rng(0).standard_normal(X.shape[2])
    with np.errstate(over="ignore", invalid="ignore"):
        units = np.abs(X.instances).max(axis=0, initial=0).clip(np.finfo(X.dtype).tiny)
    heights = np.array([
        np.sort((X.instances[a:b] / units * direction).sum(axis=1)).sum()
        for a, b in zip(starts, X.ends)
    ])  # fmt: skip
    targets = np.unique(y.reshape(len(y), -1)[:, 0], return_inverse=True)[1]
    keys = np.column_stack([targets, heights])
    distinct, number = np.unique(keys, axis=0, return_inverse=True)
    if len(distinct) < _FEWEST_BAGS:
        return None
    fold = np.arange(len(distinct)) % _N_FOLDS  # along the sorted targets: stratified
    of_classes = np.bincount(distinct[:, 0].astype(int))
    if is_labels and (len(of_classes) < 2 or of_classes.min() < _N_FOLDS):
        return None
    step = -(-int(X.sizes.sum()) // _MOST_INSTANCES)
    if step > 1 and len(distinct) // step >= _FEWEST_BAGS * _N_FOLDS:
        fold[(np.arange(len(distinct)) // _N_FOLDS) % step > 0] = -1
    return fold[number.reshape(len(y))]


def _error(estimator, embedding, ranks, X, y, weight, folds):
    """Return the sum of the errors on the bags of each fold, left out."""
    parameters = estimator.get_params(deep=False) | {
        "embedding": embedding, "ranks": ranks, "n_models": 1, "early_stopping": False,
        "warm_start": False, "verbose": 0,
    }  # fmt: skip
    total = 0.0
    for fold in range(_N_FOLDS):
        learnt, asked = (folds >= 0) & (folds != fold), folds == fold
        model = type(estimator)(**parameters)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model._fit(X[learnt], y[learnt], weight[learnt])
            total += model._error(X[asked], y[asked], weight[asked])
    return total
