"""How regressors are scored: as scikit-learn does, on tensors and in the smallest units too."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import r2_score

from skdyn._scales import units
from skdyn._validation import as_floats, from_torch

__all__ = ["r2", "variance_explained"]


def r2(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Return the coefficient of determination of the predictions.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Inputs.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        True targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    float
        :math:`R^2`, the mean over the outputs.
    """  # the words of a method: classes take it as their ``score``
    y, predicted = as_floats(y), self.predict(X)
    if y.shape == predicted.shape:
        unit = units(y.reshape(len(y), -1)).reshape(-1, *y.shape[1:])
        y, predicted = y / unit, predicted / unit
    return r2_score(y, predicted, sample_weight=from_torch(sample_weight))


def variance_explained(
    y: ArrayLike, predicted: np.ndarray, sample_weight: ArrayLike | None = None
) -> float:
    """Return the share of the variance that is predicted, all outputs together.

    Parameters
    ----------
    y : array-like of shape (n_samples, ...)
        True targets.
    predicted : ndarray of shape (n_samples, ...)
        Predictions, as many.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    float
        :math:`R^2`, weighted by the variance of each output.
    """
    truth, flat = as_floats(y), (len(predicted), -1)
    unit = units(truth.reshape(-1, 1))  # squares of 1e-200 would vanish, and every score be perfect
    return r2_score(
        truth.reshape(flat) / unit, predicted.reshape(flat) / unit,
        sample_weight=from_torch(sample_weight), multioutput="variance_weighted",
    )  # fmt: skip
