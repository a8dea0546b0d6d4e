"""How regressors are scored: as scikit-learn does, on tensors and in the smallest units too."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import r2_score

from skdyn._scales import units
from skdyn._validation import as_floats, from_torch

__all__ = ["r2"]


def r2(
    y: ArrayLike,
    predicted: np.ndarray,
    sample_weight: ArrayLike | None = None,
    *,
    together: bool = False,
) -> float:
    """Return the coefficient of determination, the mean over the outputs.

    Parameters
    ----------
    y : array-like of shape (n_samples, ...)
        True targets.
    predicted : ndarray of shape (n_samples, ...)
        Predictions, as many.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.
    together : bool, default=False
        Whether outputs count by their variances: the share of all of it that is predicted.

    Returns
    -------
    float
    """
    truth = as_floats(y)
    if together:
        truth, predicted = (part.reshape(len(predicted), -1) for part in (truth, predicted))
    if truth.shape == predicted.shape:  # squares of 1e-200 would vanish, and every score be perfect
        flat = truth.reshape(-1, 1) if together else truth.reshape(len(truth), -1)
        unit = units(flat)[0] if together else units(flat).reshape(-1, *truth.shape[1:])
        truth, predicted = truth / unit, predicted / unit
    return r2_score(
        truth, predicted, sample_weight=from_torch(sample_weight),
        multioutput="variance_weighted" if together else "uniform_average",
    )  # fmt: skip
