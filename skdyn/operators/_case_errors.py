"""How large the error of a case will be, learned from those on samples left out.

A Gaussian process tells how far an input is from those that it knows, by its kernel. How large
errors are depends on more: on the size of the answer, and on what is hard about an input. Their
logarithms are regressed, by the same kernel and three numbers of a case.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from skdyn._scales import learn_column_scales
from skdyn._state import Shape
from skdyn.operators._kernel_ridge import leave_one_out

__all__ = ["CaseErrors", "case_numbers", "learn_case_errors"]

_FEWEST = 20  # cases to learn from: of fewer, the spread of the process says as much
_FARTHEST = 10.0  # standard deviations at which a number of a case is held in
_SMALLEST = 1e-6  # of the largest error: an error of zero has no logarithm


class CaseErrors(NamedTuple):
    """A regression of the logarithm of errors.

    Attributes
    ----------
    offset, scale : ndarray of shape (n_numbers,)
        Of the numbers of a case.
    numbers : ndarray of shape (n_cases, n_numbers)
        Of the cases that were learned from, in these units.
    rows : ndarray of int of shape (n_cases,)
        Which rows of the kernel they are.
    coefficients : ndarray of shape (n_cases,)
        Of the regression.
    factor : float
        The error where the regression tells nothing, so that errors are met on average.
    """

    offset: Annotated[np.ndarray, Shape("numbers")]
    scale: Annotated[np.ndarray, Shape("numbers")]
    numbers: Annotated[np.ndarray, Shape("cases numbers")]
    rows: Annotated[np.ndarray, Shape("cases", "iu")]
    coefficients: Annotated[np.ndarray, Shape("cases")]
    factor: float

    def factors(self, numbers: np.ndarray, across: np.ndarray) -> np.ndarray:
        """Return errors in units of the spread of the process.

        Parameters
        ----------
        numbers : ndarray of shape (n, n_numbers)
            Of cases.
        across : ndarray of shape (n, n_rows)
            Kernel between these and all rows.

        Returns
        -------
        ndarray of shape (n,)
        """
        numbers = ((numbers - self.offset) / self.scale).clip(-_FARTHEST, _FARTHEST)
        told = (across[:, self.rows] + numbers @ self.numbers.T) @ self.coefficients
        return self.factor * np.exp(told)


def case_numbers(rows: np.ndarray, spread: np.ndarray, fields: np.ndarray) -> np.ndarray:
    """Return what is known of cases: logarithms of three sizes.

    Parameters
    ----------
    rows : ndarray of shape (n, n_components)
        What the kernel compares.
    spread : ndarray of shape (n,)
        Standard deviation of the process.
    fields : ndarray of shape (n, ...)
        Predictions, around the mean of the targets.

    Returns
    -------
    ndarray of shape (n, 3)
    """
    sizes = [_rms(fields), np.linalg.norm(rows, axis=1), spread]
    return np.log(np.maximum(np.stack(sizes, axis=1), np.finfo(float).tiny))


def learn_case_errors(
    kernel: np.ndarray,
    numbers: np.ndarray,
    rows: np.ndarray,
    errors: np.ndarray,
    spread: np.ndarray,
    weight: np.ndarray,
) -> CaseErrors | None:
    """Learn how large errors are from those on samples left out.

    Parameters
    ----------
    kernel : ndarray of shape (n, n)
        Between the cases.
    numbers : ndarray of shape (n, n_numbers)
        Of the cases.
    rows : ndarray of int of shape (n,)
        Which rows of the whole kernel they are.
    errors : ndarray of shape (n, ...)
        Errors on them, each left out.
    spread : ndarray of shape (n,)
        Standard deviation of the process there, without the case.
    weight : ndarray of shape (n,)
        Weight of each case.

    Returns
    -------
    CaseErrors or None
        None where there are too few cases, no errors, or nothing that tells them apart.
    """
    sizes = _rms(errors)
    if len(sizes) < _FEWEST or not sizes.max() > 0:
        return None
    ratio = np.maximum(sizes, _SMALLEST * sizes.max()) / spread
    offset, scale, _ = learn_column_scales(numbers, weight)
    numbers = (numbers - offset) / scale
    goal = np.log(ratio)
    mean = np.average(goal, weights=weight)
    K = kernel + numbers @ numbers.T
    error, noise = leave_one_out(K, (goal - mean)[:, None], weight)
    if error >= np.average(np.square(goal - mean), weights=weight):
        return None
    inverse = np.linalg.inv(K + np.diag(noise / weight))
    coefficients = inverse @ (goal - mean)
    told = goal - mean - coefficients / np.diag(inverse)  # each from the others
    scale_of_all = np.average(np.square(ratio), weights=weight)
    factor = np.sqrt(np.average(np.square(ratio / np.exp(told)), weights=weight) / scale_of_all)
    return CaseErrors(offset, scale, numbers, rows, coefficients, float(factor))


def _rms(fields):
    return np.sqrt(np.square(fields).reshape(len(fields), -1).mean(axis=1))
