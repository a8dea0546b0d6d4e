"""Clouds of points as estimators read them, and what weights make of their points."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdyn._scales import units
from skdyn._validation import check_sizes, check_X_y, validate_data
from skdyn.datasets import FieldData

__all__ = [
    "Clouds",
    "cloud_r2_score",
    "read_cloud_targets",
    "read_clouds",
    "read_places",
    "shares_of",
]


class Clouds:
    """Cases, and what is computed of their points once.

    Parameters
    ----------
    cases : FieldData
        The cases.
    n_features : int
        Columns of a table, or channels and parameters.
    features : ndarray of shape (n_points, n_features) or None, default=None
        What describes the points.
    """

    ndim = 3  # no table

    def __init__(
        self, cases: FieldData, n_features: int, features: np.ndarray | None = None
    ) -> None:
        self.cases, self.n_features, self.features = cases, n_features, features

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cases, and of what is known of each."""
        return len(self), self.n_features

    def __getitem__(self, rows: Any) -> Clouds:
        """Return some cases."""
        features = self.features
        if features is not None:
            parts = self.cases.split(features)
            features = np.concatenate([parts[number] for number in np.arange(len(self))[rows]])
        return Clouds(self.cases[rows], self.n_features, features)


def shares_of(cases: FieldData) -> np.ndarray:
    """Return the weights of points, of sum one in each case."""
    return cases.weights / np.add.reduceat(cases.weights, cases.offsets[:-1]).repeat(cases.sizes)


def read_clouds(model: Any, X: Any, *, reset: bool) -> Clouds:
    """Validate cases: FieldData, or a table, whose rows are the parameters of a single point."""
    if not isinstance(X, FieldData):
        return _read_table(model, X, reset)
    if reset:
        vars(model).pop("feature_names_in_", None)
        model.n_features_in_ = X.values.shape[1] + X.parameters.shape[1]
        model._x_sizes = (X.coords.shape[1], X.values.shape[1], X.parameters.shape[1])
    if len(X) == 0:
        raise ValueError("Found 0 samples in X: it has no cases. At least one is needed.")
    found = (X.coords.shape[1], X.values.shape[1], X.parameters.shape[1])
    if found != model._x_sizes:
        raise ValueError(
            f"X has {found[0]} axes, {found[1]} channels and {found[2]} parameters, but "
            f"{type(model).__name__} is expecting {model._x_sizes} features of these kinds."
        )
    for values, name in ((X.coords, "coords of X"), (X.values, "X"), (X.parameters, "X")):
        check_sizes(values, name, model._exponents)
    return Clouds(X, model.n_features_in_)


def _read_table(model, X, reset):
    if getattr(X, "ndim", 2) > 2:
        raise ValueError(
            f"X of shape {np.shape(X)} is no table and no FieldData. Expected 2D array; for fields "
            "on a grid pass FieldData.from_grid(X)."
        )
    X = validate_data(model, X, reset=reset, dtype=[np.float64, np.float32])
    found = (0, 0, X.shape[1])
    if reset:
        model._x_sizes = found
    elif found != model._x_sizes:
        raise ValueError(
            "X is a table, but the model was fitted on FieldData. Pass cases of the same kind."
        )
    n = len(X)
    cases = FieldData(np.zeros((n, 1)), np.zeros((n, 0)), np.arange(n + 1), parameters=X)
    return Clouds(cases, X.shape[1])


def read_cloud_targets(model: Any, X: Clouds, y: Any, *, reset: bool) -> Any:
    """Validate targets: FieldData at any places, or numbers of each case."""
    if y is None:
        raise ValueError(
            f"{type(model).__name__} requires y to be passed, but the target y is None. Pass one "
            "function or number per case."
        )
    numbers = not isinstance(y, FieldData)
    if reset:
        model._y_is_numbers = numbers
    elif numbers != model._y_is_numbers:
        raise ValueError("y must be what it was in fit: FieldData, or numbers of each case.")
    if numbers:
        _, y = check_X_y(
            np.zeros((len(X), 1)), y, estimator=model, multi_output=True, y_numeric=True
        )
        return y
    if len(y) != len(X):
        raise ValueError(f"X has {len(X)} cases, y has {len(y)}: inconsistent numbers.")
    if model._x_sizes[0] != y.coords.shape[1] or not y.values.shape[1]:
        raise ValueError(
            f"y has {y.coords.shape[1]} axes and {y.values.shape[1]} channels; it must have the "
            f"{model._x_sizes[0]} axes of X and one channel or more. Tables have no axes: their "
            "targets are numbers."
        )
    if not reset and y.values.shape[1] != len(model._y_scale):
        raise ValueError(
            f"y has {y.values.shape[1]} channels, but the model was started with "
            f"{len(model._y_scale)}."
        )
    check_sizes(y.values, "y", model._exponents)
    return y


def read_places(cases: FieldData, at: Any) -> FieldData:
    """Return places for each case, of one FieldData or the same array for all."""
    n_axes = cases.coords.shape[1]
    if not isinstance(at, FieldData):
        at = FieldData.from_lists([at] * len(cases), weights=None)
    if len(at) != len(cases) or at.coords.shape[1] != n_axes:
        raise ValueError(
            f"at must have places of {n_axes} axes for each of the {len(cases)} cases; got "
            f"{len(at)} cases of {at.coords.shape[1]} axes."
        )
    return at


def cloud_r2_score(
    y: FieldData, predicted: np.ndarray, sample_weight: np.ndarray | None = None
) -> float:
    """Return the share of the variance that is predicted, the mean over channels.

    Parameters
    ----------
    y : FieldData
        Truth.
    predicted : ndarray of shape (n_points, n_channels)
        Predictions there.
    sample_weight : ndarray of shape (n_cases,) or None, default=None
        Weight of each case.

    Returns
    -------
    float
    """
    weight = shares_of(y)
    if sample_weight is not None:
        weight = weight * sample_weight.repeat(y.sizes)
    weight, unit = weight[:, None] / weight.sum(), units(y.values)
    truth, predicted = y.values / unit, predicted / unit
    spread = (weight * np.square(truth - (weight * truth).sum(axis=0))).sum(axis=0)
    error = (weight * np.square(truth - predicted)).sum(axis=0)
    still = spread == 0
    scores = 1 - error / np.where(still, 1.0, spread)
    return float(np.where(still, np.where(error == 0, 1.0, 0.0), scores).mean())
