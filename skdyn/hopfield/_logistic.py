"""Logistic regression on a kernel, by conjugate gradients on equations that are solved seldom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["logistic", "softmax"]

_LEAST_WEIGHT = 0.02  # of a row that is told with certainty
_N_HALVINGS = 8


def logistic(
    factored: Callable[[np.ndarray], Any],
    K: np.ndarray,
    values: np.ndarray,
    mass: np.ndarray,
    offsets: np.ndarray,
    ridge: float,
    steps: tuple[int, ...],
    a: np.ndarray | None = None,
) -> np.ndarray:
    """Return values whose sums are log-odds.

    Newton's method would factor equations of all rows and classes at each step. Those of one
    curvature for all classes are factored instead, seldom, and directions are conjugate: several
    classes, and rows that have become certain, need a few steps more then, but no factors.

    Parameters
    ----------
    factored : callable
        ``factored(weight)`` returns what solves the equations of rows with these weights.
    K : ndarray of shape (n_rows, n_centers)
        Kernel, of which the first rows are the centers.
    values : ndarray of shape (n_rows, n_classes)
        Ones where a row is of a class.
    mass : ndarray of shape (n_rows,)
        Weights of the rows.
    offsets : ndarray of shape (n_classes,)
        Log-odds where the sums are zero.
    ridge : float
        Strength of the penalty on rows of weight one.
    steps : tuple of int
        How many steps each factorization serves.
    a : ndarray of shape (n_centers, n_classes) or None, default=None
        Values to begin from.

    Returns
    -------
    ndarray of shape (n_centers, n_classes)
    """
    a = np.zeros((K.shape[1], values.shape[1]), K.dtype) if a is None else a
    task = _Task(values, (mass / mass.mean())[:, None], offsets, ridge)
    point = task.at(a, K @ a)
    for n_steps in steps:
        curvature = (2 * point.p * (1 - point.p)).max(axis=1, keepdims=True)
        curvature = curvature.clip(_LEAST_WEIGHT, 0.5)
        inverse, last = factored(curvature[:, 0] * task.mass[:, 0]), None
        for _ in range(n_steps):
            plain = inverse((values - point.p) / curvature, point.a)
            told = K @ plain
            gain, d, Kd = point.slope(told), plain, told
            if not gain > 0:
                break  # there, as near as the precision lets it be
            if last is not None:
                turn = max((gain - point.slope(last[1])) / last[0], 0.0)
                d, Kd = plain + turn * last[2], told + turn * last[3]
            last = gain, told, d, Kd
            point = point.beyond(d, Kd)
    return point.a


class _Task:
    """What is to be told, and by how much it is missed."""

    def __init__(self, values, mass, offsets, ridge):
        self.values, self.mass, self.ridge = values, mass, ridge
        self.offsets, self.right = offsets, (np.arange(len(values)), values.argmax(axis=1))

    def at(self, a, F):
        scores = np.asfortranarray(F + self.offsets)
        scores -= scores.max(axis=1, keepdims=True)
        powers = np.exp(scores)
        sums = powers.sum(axis=1, keepdims=True)
        losses = np.log(sums[:, 0]) - scores[self.right]
        penalty = self.ridge * np.vdot(a, F[: len(a)]) / 2
        return _Point(self, a, F, powers / sums, self.mass[:, 0] @ losses + penalty)


class _Point:
    """Values, what they tell, and the loss of that with the penalty."""

    def __init__(self, task: _Task, a, F, p: np.ndarray, loss):
        self.task, self.a, self.F, self.p, self.loss = task, a, F, p, loss
        self._missed = task.mass * (task.values - p)

    def slope(self, Kd):
        """Return how fast the loss falls along values of which the rows are told Kd."""
        return np.vdot(self._missed, Kd) - self.task.ridge * np.vdot(self.a, Kd[: len(self.a)])

    def beyond(self, d, Kd):
        """Return the point along a direction at which a parabola is least, or one before."""
        pull = self.p * Kd
        spread = (pull * Kd).sum(axis=1) - pull.sum(axis=1) ** 2
        bend = self.task.mass[:, 0] @ spread + self.task.ridge * np.vdot(d, Kd[: len(d)])
        step = self.slope(Kd) / bend if bend > 0 else 0.0
        for _ in range(_N_HALVINGS):
            there = self.task.at(self.a + step * d, self.F + step * Kd)
            if there.loss <= self.loss:
                return there
            step /= 2
        return self


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return probabilities.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        Log-odds.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
    """
    scores = np.asfortranarray(scores)  # of few classes, each reduction is much faster
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
