"""Corrections one after the other, and the error that is left on samples none of it has seen."""

from collections.abc import Callable

import numpy as np

from skdyn._time_limit import time_is_over
from skdyn.operators._local_correction import Learning, LocalCorrection, learn_correction

__all__ = ["apparent_share", "learn_corrections", "learn_judged_corrections", "mean_square"]

_N_FOLDS, _MOST_FOLDS = 10, 4  # of these so many are held, or fewer that have this many samples:
_HELD = 40  # the share from them was 1 to 6 % off that from all; the samples themselves leave 10 %


def learn_corrections(
    X: np.ndarray,
    y: np.ndarray,
    fields: np.ndarray,
    weight: np.ndarray,
    how: Learning,
    n_most: int,
    rng: np.random.RandomState,
) -> tuple[list[LocalCorrection], np.ndarray]:
    """Learn corrections, each on the result of the one before, while they help samples left out.

    Parameters
    ----------
    X : ndarray of shape (n, channels, \\*grid)
        Inputs.
    y : ndarray of shape (n, n_channels, \\*grid)
        Truth.
    fields : ndarray of shape (n, n_channels, \\*grid)
        Predictions, that of a sample made without it.
    weight : ndarray of shape (n,)
        Weight of each sample.
    how : Learning
        Settings.
    n_most : int
        Number of corrections at most.
    rng : RandomState
        Source of the waves, and of the points that are learned from.

    Returns
    -------
    corrections : list of LocalCorrection
    corrected : ndarray of shape (n, n_channels, \\*grid)
        Predictions, that of a sample by corrections that were learned from others.
    """
    corrections = []
    for _ in range(n_most):
        if time_is_over():
            break
        correction, corrected = learn_correction(X, y, fields, weight, how, rng)
        if mean_square(y - corrected, weight).sum() >= mean_square(y - fields, weight).sum():
            break
        corrections.append(correction)
        fields = corrected
    return corrections, fields


def apparent_share(
    X: np.ndarray,
    y: np.ndarray,
    fields: np.ndarray,
    corrected: np.ndarray,
    weight: np.ndarray,
    fields_without: Callable[[np.ndarray], np.ndarray],
    how: Learning,
    n_most: int,
    rng: np.random.RandomState,
) -> float:
    """Return the squared error on samples that nothing has seen, over that of ``corrected``.

    A correction that was learned without a sample was still learned from predictions that have seen
    it, and that err against it: the residuals of a regression lean against each other. On new
    samples it does better. So some are taken out of everything, first of all of the predictions
    that corrections are learned from.

    Parameters
    ----------
    X, y, fields, weight, how, n_most, rng
        As in ``learn_corrections``.
    corrected : ndarray of shape (n, n_channels, \\*grid)
        What it returned.
    fields_without : callable
        From a mask of samples that are held to predictions for the others, that of each made
        without it and without those held.

    Returns
    -------
    float
    """
    n_folds = min(_N_FOLDS, len(X))
    fold_of = np.arange(len(X)) % n_folds
    found = apparent = 0.0
    for fold in range(min(_MOST_FOLDS, -(-_HELD * n_folds // len(X)))):
        if fold and time_is_over():
            break
        held = fold_of == fold
        rest = ~held
        corrections, _ = learn_corrections(
            X[rest], y[rest], fields_without(held), weight[rest], how, n_most, rng
        )
        answers = fields[held]
        for correction in corrections:
            answers = correction(X[held], answers)
        share = weight[held].sum()
        found += share * mean_square(y[held] - answers, weight[held]).sum()
        apparent += share * mean_square(y[held] - corrected[held], weight[held]).sum()
    return found / apparent if apparent > 0 else 1.0


def learn_judged_corrections(
    X: np.ndarray,
    y: np.ndarray,
    fields: np.ndarray,
    weight: np.ndarray,
    errors_without: Callable[[np.ndarray], np.ndarray],
    how: Learning,
    n_most: int,
    rng: np.random.RandomState,
) -> tuple[list[LocalCorrection], np.ndarray, np.ndarray, np.ndarray]:
    """Learn corrections, and what errors on new samples are without and with them.

    Parameters
    ----------
    X, y, fields, weight, how, n_most, rng
        As in ``learn_corrections``.
    errors_without : callable
        From a mask of samples that are held to the errors on the others, each made without it and
        without those held, ``(n_others, n_values)``.

    Returns
    -------
    corrections : list of LocalCorrection
    corrected : ndarray of shape (n, n_channels, \\*grid)
        Predictions, that of a sample by corrections that were learned from others.
    before, after : ndarray of shape (n_values,)
        Mean squared errors at each point.
    """

    def fields_without(held):
        return y[~held] - errors_without(held).reshape(y[~held].shape)

    corrections, corrected = learn_corrections(X, y, fields, weight, how, n_most, rng)
    before, after = mean_square(y - fields, weight), mean_square(y - corrected, weight)
    if corrections:
        after *= apparent_share(X, y, fields, corrected, weight, fields_without, how, n_most, rng)
    return corrections, corrected, before, after


def mean_square(errors: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Average squares over samples.

    Parameters
    ----------
    errors : ndarray of shape (n, ...)
        Errors.
    weight : ndarray of shape (n,)
        Weight of each sample.

    Returns
    -------
    ndarray of shape (n_values,)
    """
    return np.average(errors.reshape(len(errors), -1) ** 2, axis=0, weights=weight)
