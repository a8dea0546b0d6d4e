"""The arrays that the metrics accept, checked once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skdyn._typing import Series
from skdyn._validation import as_floats


def as_trajectories(name: str, values: ArrayLike) -> Series:
    """Return ``values`` as float64 trajectories ``(n_cases, n_channels, n_timepoints)``."""
    values = as_floats(values)
    if values.ndim == 2:
        values = values.T[np.newaxis]
    if values.ndim != 3:
        raise ValueError(
            f"{name} must be trajectories of shape (n_cases, n_channels, n_timepoints), or one "
            f"trajectory (n_timepoints, n_channels); got shape {values.shape}."
        )
    if values.size == 0:
        raise ValueError(f"{name} must not be empty; got shape {values.shape}.")
    return values


def paired_trajectories(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Series, Series]:
    """Return both as trajectories of equal shape; `y_pred` must be finite where `y_true` is."""
    y_true, y_pred = as_trajectories("y_true", y_true), as_trajectories("y_pred", y_pred)
    check_same_shape(y_true, y_pred)
    check_observed(y_true)
    return y_true, y_pred


def check_same_shape(y_true: np.ndarray, y_pred: np.ndarray) -> None:
    """Raise unless both arrays have one shape."""
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"y_true and y_pred must have the same shape; got {y_true.shape} and {y_pred.shape}."
        )


def check_observed(y_true: np.ndarray) -> None:
    """Raise if an observation is infinite; NaN means not observed."""
    if np.isinf(y_true).any():
        raise ValueError("y_true must be finite or NaN (not observed); got infinity.")


def check_predicted(y_true: np.ndarray, y_pred: np.ndarray) -> None:
    """Raise if a prediction is NaN or infinite where there is an observation."""
    lost = ~np.isfinite(y_pred) & ~np.isnan(y_true)
    if lost.any():
        case = int(np.argwhere(lost)[0][0])
        raise ValueError(
            f"y_pred must be finite wherever y_true is observed; got NaN or infinity in case "
            f"{case} ({int(lost.sum())} values in all). Score the cases that did not diverge, or "
            "lower the horizon."
        )


def case_weights(sample_weight: ArrayLike | None, n_cases: int) -> np.ndarray:
    """Return one non-negative weight for each case, not all zero."""
    if sample_weight is None:
        return np.ones(n_cases)
    weights = as_floats(sample_weight)
    if weights.shape != (n_cases,) or not (weights >= 0).all() or weights.sum() == 0:
        raise ValueError(
            f"sample_weight must hold one non-negative weight for each of the {n_cases} cases, not "
            f"all of them zero; got shape {weights.shape}."
        )
    return weights
