"""Correction of predicted fields from the neighborhood of each point.

The solution of a differential equation depends on its data everywhere, but the equation itself is
local: whether a field obeys it at a point shows around that point. A correction is a ridge
regression of the error there on random Fourier features of the neighborhoods of the inputs and of
the prediction; one for all points, so that few samples are many rows.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.linalg import cho_factor, cho_solve

from skdyn._state import Shape

__all__ = ["Learning", "LocalCorrection", "learn_correction"]

_N_FOLDS = 4
# How fast waves vary along the inputs around a point, differences of the field, the field itself
# and coordinates: chosen on the Darcy problem, where the least error on samples left out was the
# one that is local in space and smooth in what is around.
_PACE = (0.25, 0.5, 2.0, 3.0)
_MOST_ROWS = 2**16  # that a regression is learned from: some eighty for each of its weights
_CHUNK = 2**13  # rows whose features are held at once
# Of the mean square of a feature: float32 sums are not true to less.
_PENALTIES = 10.0 ** np.arange(-5, 1)


class LocalCorrection(NamedTuple):
    """A map from the neighborhood of each point to the error of a prediction there.

    Attributes
    ----------
    radius : int
        Neighbors on each side.
    periodic : bool
        Whether neighborhoods go on at the other end of an axis.
    offset, scale : ndarray of shape (n_inputs,)
        Of the values of a neighborhood.
    frequencies : ndarray of shape (n_inputs, n_features)
        Of the random waves.
    phases : ndarray of shape (n_features,)
        Of the random waves.
    coefficients : ndarray of shape (1 + n_inputs + n_features, n_channels) or None
        Factors of a constant, the values and the waves.
    """

    radius: int
    periodic: bool
    offset: Annotated[np.ndarray, Shape("seen")]
    scale: Annotated[np.ndarray, Shape("seen")]
    frequencies: Annotated[np.ndarray, Shape("seen waves")]
    phases: Annotated[np.ndarray, Shape("waves")]
    coefficients: Annotated[np.ndarray, Shape("_ _")] | None

    def features(self, values: np.ndarray) -> np.ndarray:
        """Evaluate the features of neighborhoods.

        Parameters
        ----------
        values : ndarray of shape (..., n_inputs)
            Neighborhoods.

        Returns
        -------
        ndarray of shape (..., 1 + n_inputs + n_features)
        """
        values = ((values - self.offset) / self.scale).astype(np.float32)
        waves = np.cos(values @ self.frequencies + self.phases)
        return np.concatenate([np.ones_like(values[..., :1]), values, waves], axis=-1)

    def __call__(self, X: np.ndarray, fields: np.ndarray) -> np.ndarray:
        """Correct fields.

        Parameters
        ----------
        X : ndarray of shape (n, channels, \\*grid)
            Inputs.
        fields : ndarray of shape (n, n_channels, \\*grid)
            Prediction so far.

        Returns
        -------
        ndarray of shape (n, n_channels, \\*grid)
        """
        corrected, step = np.empty_like(fields), _samples_at_once(fields)
        for start in range(0, len(X), step):
            rows = slice(start, start + step)
            near = neighborhoods(X[rows], fields[rows], self.radius, self.periodic)
            errors = np.moveaxis(self.features(near) @ self.coefficients, -1, 1)
            corrected[rows] = fields[rows] + errors.reshape(fields[rows].shape)
        return corrected


def _samples_at_once(fields):
    return max(1, _CHUNK // fields[0, 0].size)


def neighborhoods(X: np.ndarray, fields: np.ndarray, radius: int, periodic: bool) -> np.ndarray:
    """Lay out what is around each point: inputs, differences of the fields, fields, coordinates.

    Parameters
    ----------
    X : ndarray of shape (n, channels, \\*grid)
        Inputs.
    fields : ndarray of shape (n, n_channels, \\*grid)
        Prediction so far.
    radius : int
        Neighbors on each side.
    periodic : bool
        Whether neighborhoods go on at the other end; coordinates then have no meaning.

    Returns
    -------
    ndarray of shape (n, n_points, n_inputs)
    """
    grid = fields.shape[2:]
    axes = tuple(range(2, fields.ndim))
    margins = [(0, 0), (0, 0), *[(radius, radius)] * len(grid)]

    def around(values):
        padded = np.pad(values, margins, mode="wrap" if periodic else "edge")
        windows = sliding_window_view(padded, (2 * radius + 1,) * len(grid), axis=axes)
        return windows.reshape(*values.shape, -1)

    near = around(fields)
    near = np.delete(near, near.shape[-1] // 2, axis=-1) - fields[..., None]
    parts = [around(X), near, fields[..., None]]
    flat = [np.moveaxis(part, 1, -2).reshape(len(X), np.prod(grid), -1) for part in parts]
    if not periodic:
        points = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in grid], indexing="ij"), -1)
        points = points.reshape(1, -1, len(grid))
        flat.append(np.broadcast_to(points, (len(X), *points.shape[1:])))
    return np.concatenate(flat, axis=-1)


class Learning(NamedTuple):
    """How corrections are learned.

    Attributes
    ----------
    radius : int
        Neighbors on each side.
    n_features : int
        Random waves.
    periodic : bool
        Whether neighborhoods go on at the other end.
    """

    radius: int
    n_features: int
    periodic: bool


def learn_correction(
    X: np.ndarray,
    y: np.ndarray,
    fields: np.ndarray,
    weight: np.ndarray,
    how: Learning,
    rng: np.random.RandomState,
) -> tuple[LocalCorrection, np.ndarray]:
    """Learn a correction, and correct each sample by one that was learned from others.

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
    rng : RandomState
        Source of the waves, and of the points that are learned from.

    Returns
    -------
    correction : LocalCorrection
        From all samples.
    corrected : ndarray of shape (n, n_channels, \\*grid)
        Predictions, that of a sample made without it.
    """
    blank = _draw(X, fields, how.radius, how.n_features, how.periodic, rng)
    folds = np.arange(len(X)) % _N_FOLDS
    grams, loads = _normal_equations(blank, X, y - fields, fields, weight, folds, rng)
    gram, load = grams.sum(axis=0), loads.sum(axis=0)
    size = np.trace(gram) / len(gram)
    best: Any = None
    for penalty in _PENALTIES * size:
        solutions = [
            _solve(gram - part, load - right, penalty)
            for part, right in zip(grams, loads, strict=True)
        ]
        # The squared error on a fold is a quadratic form of its own normal equations.
        error = sum(
            np.sum(s * (part @ s)) - 2 * np.sum(s * right)
            for s, part, right in zip(solutions, grams, loads, strict=True)
        )
        if best is None or error < best[0]:
            best = error, penalty, solutions
    _, penalty, solutions = best
    corrected = np.empty_like(fields)
    for fold, solution in enumerate(solutions):
        held = folds == fold
        trial = blank._replace(coefficients=solution.astype(np.float32))
        corrected[held] = trial(X[held], fields[held])
    solution = _solve(gram, load, penalty).astype(np.float32, order="C")
    return blank._replace(coefficients=solution), corrected


def _draw(X, fields, radius, n_features, periodic, rng):
    """Draw waves for values of neighborhoods that are scaled to unit variance."""
    few = rng.permutation(len(X))[: _samples_at_once(fields)]
    values = neighborhoods(X[few], fields[few], radius, periodic)
    values = values.reshape(-1, values.shape[-1])
    scale = values.std(axis=0)
    n_inputs = len(scale)
    n_around, n_channels = (2 * radius + 1) ** (X.ndim - 2), fields.shape[1]
    counts = [X.shape[1] * n_around, n_channels * (n_around - 1), n_channels]
    pace = np.repeat(_PACE, [*counts, n_inputs - sum(counts)]) / np.sqrt(n_inputs)
    frequencies = pace[:, None] * rng.standard_normal((n_inputs, n_features))
    phases = rng.uniform(0, 2 * np.pi, n_features)
    return LocalCorrection(
        radius, periodic, values.mean(axis=0), np.where(scale > 1e-12 * scale.max(), scale, 1.0),
        frequencies.astype(np.float32), phases.astype(np.float32), None,
    )  # fmt: skip


def _normal_equations(blank, X, errors, fields, weight, folds, rng):
    """Sum the normal equations of each fold over random points of its samples."""
    n_points = fields[0, 0].size
    per_sample = min(n_points, max(1, _MOST_ROWS // len(X)))
    width = 1 + len(blank.scale) + len(blank.phases)
    grams = np.zeros((_N_FOLDS, width, width))
    loads = np.zeros((_N_FOLDS, width, fields.shape[1]))
    step = _samples_at_once(fields)
    for fold in range(_N_FOLDS):
        members = np.flatnonzero(folds == fold)
        for start in range(0, len(members), step):
            rows = members[start : start + step]
            points = rng.permutation(n_points)[:per_sample]
            root = np.sqrt(weight[rows]).astype(np.float32)[:, None, None]
            near = neighborhoods(X[rows], fields[rows], blank.radius, blank.periodic)
            phi = root * blank.features(near[:, points])
            truth = errors[rows].reshape(len(rows), errors.shape[1], -1)[..., points]
            phi = phi.reshape(-1, width)
            truth = (root * np.moveaxis(truth, 1, -1)).reshape(len(phi), -1)
            grams[fold] += phi.T @ phi
            loads[fold] += phi.T @ truth
    return grams, loads


def _solve(gram, load, penalty):
    return cho_solve(cho_factor(gram + penalty * np.eye(len(gram)), lower=True), load)
