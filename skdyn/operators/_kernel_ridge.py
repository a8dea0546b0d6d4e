"""Kernel regression in closed form: kernels, and what leaving one sample out says of them."""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh
from scipy.linalg.lapack import dpotri  # pyright: ignore[reportAttributeAccessIssue]: not among scipy's hints

__all__ = [
    "KERNELS",
    "KernelFit",
    "errors_without",
    "evaluate",
    "fit_kernel",
    "leave_one_out",
    "merge_copies",
    "summary",
]

_ENTRIES = 2**22  # of a kernel that are worked on at a time: bounds memory
_SEARCH_OUTPUTS = 64  # that settings are chosen on
_RELATIVE_NOISE = 10.0 ** np.arange(-10, 1.1, 0.5)  # of the kernel's mean on its diagonal


def _matern32(r):
    s = np.sqrt(3) * r
    return (1 + s) * np.exp(-s)


def _matern52(r):
    s = np.sqrt(5) * r
    return (1 + s + s**2 / 3) * np.exp(-s)


# Functions of the distance in units of the length scale; None is the scalar product.
KERNELS = {
    "matern12": lambda r: np.exp(-r),
    "matern32": _matern32,
    "matern52": _matern52,
    "rbf": lambda r: np.exp(-(r**2) / 2),
    "rational_quadratic": lambda r: 1 / (1 + r**2 / 2),
    "linear": None,
}


class KernelFit(NamedTuple):
    """A kernel regression and what it would have said without each sample.

    Attributes
    ----------
    coefficients : ndarray of shape (n, m)
        Factors of the kernel's columns.
    left_out : ndarray of shape (n, m)
        Prediction for each sample from all others.
    variance : ndarray of shape (m,)
        Scale of the kernel at which the errors of those are as large as it expects.
    inverse : ndarray of shape (n, n)
        Of the kernel with its noise, in the lower triangle.
    expected : ndarray of shape (n,)
        Variance of each row given all others, for a scale of one.
    """

    coefficients: np.ndarray
    left_out: np.ndarray
    variance: np.ndarray
    inverse: np.ndarray
    expected: np.ndarray


def evaluate(kernel: str, A: np.ndarray, B: np.ndarray, length_scale: float) -> np.ndarray:
    """Evaluate a kernel on all pairs of rows.

    Parameters
    ----------
    kernel : str
        A key of ``KERNELS``.
    A : ndarray of shape (n, p)
        Rows.
    B : ndarray of shape (m, p)
        Rows.
    length_scale : float
        Unit of distances.

    Returns
    -------
    ndarray of shape (n, m)
    """
    if KERNELS[kernel] is None:
        return A @ B.T / length_scale**2
    values, of_b = np.empty((len(A), len(B))), np.square(B).sum(axis=1)
    rows = max(1, _ENTRIES // max(1, len(B)))
    for some in (slice(i, i + rows) for i in range(0, len(A), rows)):
        squares = np.square(A[some]).sum(axis=1)[:, None] + of_b - 2 * A[some] @ B.T
        values[some] = KERNELS[kernel](np.sqrt(np.maximum(squares, 0)) / length_scale)
    return values


def leave_one_out(K: np.ndarray, R: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Choose the noise by the squared error on samples left out, in closed form.

    Parameters
    ----------
    K : ndarray of shape (n, n)
        Kernel.
    R : ndarray of shape (n, m)
        Targets.
    weight : ndarray of shape (n,)
        Weight of each sample.

    Returns
    -------
    error : float
        The smallest error, a weighted mean.
    noise : float
        What to add to the diagonal of the kernel, for a weight of one.
    """
    root = np.sqrt(weight)
    values, vectors = eigh(K * root * root[:, None])
    rotated, squares = vectors.T @ (root[:, None] * R), vectors**2
    found = []
    for noise in _RELATIVE_NOISE * np.average(np.diag(K), weights=weight):
        gain = 1 / (np.maximum(values, 0) + noise)
        errors = vectors @ (gain[:, None] * rotated) / (squares @ gain)[:, None]
        found.append((np.square(errors).sum() / weight.sum(), noise))
    return min(found)


def fit_kernel(
    K: np.ndarray, R: np.ndarray, weight: np.ndarray, noise: float, n_copies: int = 1
) -> KernelFit:
    """Solve the regression at a given noise.

    Parameters
    ----------
    K : ndarray of shape (n, n)
        Kernel; its memory is used for other things.
    R : ndarray of shape (n, m)
        Targets.
    weight : ndarray of shape (n,)
        Weight of each sample.
    noise : float
        Noise of a sample of weight one.
    n_copies : int, default=1
        Rows of a sample, one after the other: they are left out together.

    Returns
    -------
    KernelFit
    """
    rows = np.arange(len(K)).reshape(-1, n_copies)
    K[np.diag_indices_from(K)] += noise / weight
    factor = cho_factor(K.T, lower=True, overwrite_a=True)  # in the order of LAPACK
    # In C's order, as files keep arrays: sums then come out equal to the last digit.
    coefficients = np.ascontiguousarray(cho_solve(factor, R))
    # The lower triangle of the inverse, in a third of the time.
    inverse, _ = dpotri(factor[0], lower=True, overwrite_c=True)
    covariance = np.linalg.inv(_part(inverse, rows, rows))  # of a sample's rows, given all others
    errors = (covariance @ coefficients[rows]).reshape(R.shape)
    expected = np.diagonal(covariance, axis1=1, axis2=2).reshape(-1, 1)
    variance = np.average(errors**2 / expected, axis=0, weights=weight)
    return KernelFit(coefficients, R - errors, variance, inverse, expected.ravel())


def errors_without(fit: KernelFit, held: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Return errors on samples left out, in turn, of fits that have not seen others either.

    Parameters
    ----------
    fit : KernelFit
        A fit to all samples.
    held : ndarray of bool of shape (n_samples,)
        Samples that no fit sees.
    motion : ndarray of int of shape (n_samples,)
        Which of the rows of each sample to answer for.

    Returns
    -------
    ndarray of shape (n_samples - n_held, m)
        Target minus prediction, for the samples that are not held.
    """
    rows = np.arange(len(fit.inverse)).reshape(len(held), -1)
    gone, rows = rows[held].ravel(), rows[~held]
    left = rows.ravel()
    # What the inverse and the coefficients become without some rows: block elimination.
    across = _part(fit.inverse, gone, left)
    moved = np.linalg.solve(_part(fit.inverse, gone, gone), across)
    coefficients = fit.coefficients[left] - moved.T @ fit.coefficients[gone]
    across, moved = (z.T.reshape(*rows.shape, -1) for z in (across, moved))
    blocks = _part(fit.inverse, rows, rows) - moved @ across.swapaxes(1, 2)
    errors = np.linalg.inv(blocks) @ coefficients.reshape(*rows.shape, -1)
    return errors[np.arange(len(rows)), motion[~held]]


def _part(inverse, rows, columns):
    """Return rows and columns of a symmetric matrix given by its lower triangle."""
    rows, columns = rows[..., :, None], columns[..., None, :]
    return inverse[np.maximum(rows, columns), np.minimum(rows, columns)]


def merge_copies(
    X: np.ndarray, y: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Drop samples of no weight and merge equal ones, so that no copy answers for itself.

    Parameters
    ----------
    X, y : ndarray of shape (n, ...)
        Samples.
    weight : ndarray of shape (n,)
        Weight of each.

    Returns
    -------
    X, y : ndarray of shape (m, ...)
        Those that differ.
    weight : ndarray of shape (m,)
        Of mean one.
    """
    there = weight > 0
    X, y, weight = X[there], y[there], weight[there]
    pairs = np.concatenate([X.reshape(len(X), -1), y.reshape(len(y), -1)], axis=1)
    _, first, inverse = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
    weight = np.bincount(inverse.ravel(), weight)
    return X[first], y[first], weight / weight.mean()


def summary(targets: np.ndarray) -> np.ndarray:
    """Return few columns with nearly the same sum of squares, row by row.

    Parameters
    ----------
    targets : ndarray of shape (n, m)
        Targets.

    Returns
    -------
    ndarray of shape (n, few)
    """
    if targets.shape[1] <= _SEARCH_OUTPUTS:
        return targets
    left, s, _ = np.linalg.svd(targets, full_matrices=False)
    return left[:, :_SEARCH_OUTPUTS] * s[:_SEARCH_OUTPUTS]
