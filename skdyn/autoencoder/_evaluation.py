"""What is reported of a dictionary: one table, with the spread over seeds, and one number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from skdyn._validation import check_is_fitted
from skdyn.autoencoder._estimator import SparseCoding
from skdyn.autoencoder._reconstructing import Reconstructing
from skdyn.metrics import (
    dead_fraction,
    dictionary_recall,
    feature_absorption,
    fraction_variance_unexplained,
    l0,
    matched_cosine,
    saved_bits,
    sparse_probing_score,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["evaluate_dictionary", "saved_bits_score"]

_PROBES = (1, 2, 5)


def evaluate_dictionary(
    coder: SparseCoding | Sequence[SparseCoding],
    X: ArrayLike,
    concepts: ArrayLike | None = None,
    *,
    atoms: ArrayLike | None = None,
    true_codes: Any = None,
    recovered: Callable[[SparseCoding], float] | None = None,
    scoring: str = "balanced_accuracy",
) -> pd.DataFrame:
    """Measure what the field reports of a dictionary, on data that it was not trained on.

    Parameters
    ----------
    coder : SparseAutoencoder, Crosscoder or CodebookTransformer, or sequence of such
        Fitted; several that differ in ``random_state`` alone tell what is due to the seed.
    X : array-like of shape (n_samples, n_features)
        Data.
    concepts : array-like of shape (n_samples,) or (n_samples, n_concepts), default=None
        Classes, or columns that are not zero where a sample has a concept. How well they are read
        from 1, 2 and 5 codes, and from as many columns of X.
    atoms : array-like of shape (n_atoms, n_features) or None, default=None
        Known atoms, which the components should be.
    true_codes : array-like or sparse array of shape (n_samples, n_atoms) or None, default=None
        Codes of the known atoms: whether other components stand in for theirs.
    recovered : callable or None, default=None
        ``recovered(coder)`` returns the share of a network's loss that is recovered, such as
        ``lambda coder: loss_recovered(network, inputs, layer, coder, loss).share``.
    scoring : str, default="balanced_accuracy"
        Score of the probes, one of scikit-learn's for two classes.

    Returns
    -------
    DataFrame
        One row a measure: its ``mean`` over the coders, the ``low`` and the ``high``, and what the
        raw columns of X give, where they can be asked.

    Raises
    ------
    TypeError
        If a coder does not restore what it reads.
    ValueError
        If there is no coder.

    See Also
    --------
    saved_bits_score : One number, in which codes have a price.

    Examples
    --------
    >>> from skdyn.autoencoder import SparseAutoencoder, evaluate_dictionary
    >>> from skdyn.datasets import make_superposition
    >>> X, codes, atoms = make_superposition(2000, 16, 32, l0=2.0, random_state=0)
    >>> coders = [SparseAutoencoder(32, k=2, max_iter=20, random_state=seed) for seed in (0, 1)]
    >>> for coder in coders:
    ...     _ = coder.fit(X[:1000])
    >>> table = evaluate_dictionary(coders, X[1000:], atoms=atoms)
    >>> table.index.tolist()
    ['fvu', 'l0', 'dead', 'saved_bits', 'matched_cosine', 'recall']
    >>> bool(table.loc["recall", "low"] <= table.loc["recall", "high"])
    True
    """
    import pandas as pd

    coders = list(coder) if isinstance(coder, Sequence) else [coder]
    if not coders:
        raise ValueError("evaluate_dictionary needs one fitted coder at least; got none.")
    X = np.asarray(X)
    columns = _as_columns(concepts)
    rows = []
    for one in coders:
        _check(one)
        measures = _measures(one, X, atoms, true_codes)
        if recovered is not None:
            measures["loss_recovered"] = float(recovered(one))
        rows.append(measures | _probed(one.transform(X), columns, scoring))
    table = pd.DataFrame(rows)
    summary = pd.DataFrame({"mean": table.mean(), "low": table.min(), "high": table.max()})
    summary["raw"] = pd.Series(_probed(X, columns, scoring), dtype=float)
    return summary


def saved_bits_score(estimator: Reconstructing, X: ArrayLike, y: object = None) -> float:
    """Score a dictionary by the bits a row that it saves, what its codes cost taken off.

    For searches over ``k`` or ``n_components``: variance explained always grows with both. See
    :func:`skdyn.metrics.saved_bits`.

    Parameters
    ----------
    estimator : SparseAutoencoder, Crosscoder or CodebookTransformer
        Fitted.
    X : array-like of shape (n_samples, n_features)
        Data that it was not trained on.
    y : Ignored
        Not used, so that it can be the ``scoring`` of a search.

    Returns
    -------
    float
        The more the better; 0 is the mean alone.

    See Also
    --------
    evaluate_dictionary : All measures in one table.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skdyn.autoencoder import SparseAutoencoder, saved_bits_score
    >>> from skdyn.datasets import make_superposition
    >>> X, _, _ = make_superposition(1500, 16, 32, l0=2.0, noise=0.02, random_state=0)
    >>> model = SparseAutoencoder(32, max_iter=20, random_state=0)
    >>> search = GridSearchCV(model, {"k": [1, 2, 12]}, scoring=saved_bits_score, cv=2)
    >>> search.fit(X).best_params_["k"] < 12
    True
    """
    _check(estimator)
    codes = estimator.transform(X)
    restored = estimator.inverse_transform(codes)
    return saved_bits(np.asarray(X), restored, codes, estimator.components_)


def _check(coder):
    if not isinstance(coder, Reconstructing):
        raise TypeError(
            "coder must restore what it reads, as a SparseAutoencoder, a Crosscoder or a "
            f"CodebookTransformer does; got {type(coder).__name__}."
        )
    check_is_fitted(coder)


def _measures(coder, X, atoms, true_codes) -> dict[str, float]:
    codes = coder.transform(X)
    restored, components = coder.inverse_transform(codes), coder.components_
    found = {
        "fvu": fraction_variance_unexplained(X, restored),
        "l0": l0(codes),
        "dead": dead_fraction(codes),
        "saved_bits": saved_bits(X, restored, codes, components),
    }
    if atoms is not None:
        found["matched_cosine"] = matched_cosine(atoms, components)
        found["recall"] = dictionary_recall(atoms, components)
    if atoms is not None and true_codes is not None:
        found["absorption"] = feature_absorption(codes, components, true_codes, atoms)
    return found


def _as_columns(concepts) -> list[np.ndarray]:
    """Return classes as they are, and each column of several concepts by itself."""
    if concepts is None:
        return []
    concepts = np.asarray(concepts)
    return [concepts] if concepts.ndim == 1 else [column != 0 for column in concepts.T]


def _probed(codes, columns, scoring) -> dict[str, float]:
    """Return how well concepts are read from few columns, the mean over concepts."""
    return {
        f"probe_{k}": float(
            np.mean([sparse_probing_score(codes, y, k=k, scoring=scoring) for y in columns])
        )
        for k in _PROBES
        if columns and k <= codes.shape[1]
    }
