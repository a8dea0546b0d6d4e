"""The kernel of whole signatures, by its differential equation."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skdyn._series import check_series, laid_paths
from skdyn._validation import from_torch, is_whole
from skdyn.exceptions import warn_user

__all__ = ["signature_kernel"]

Cases = ArrayLike | Sequence[ArrayLike]

_NUMBERS = 2**21  # in a block of pairs
_FINEST = 8  # halvings of each step
_SMALL = 1 / 32  # product of two steps that a cell of the grid steps over well
_COARSE = 1.0  # beyond it errors are as large as kernels


def signature_kernel(
    X: Cases,
    Y: Cases | None = None,
    *,
    t: Cases | None = None,
    t_Y: Cases | None = None,
    time_scale: float | None = None,
    basepoint: bool = False,
    scale: float = 1.0,
    refinement: int | str = "auto",
    normalize: bool = False,
) -> Any:
    """Multiply the signatures of series, words of any length included.

    The sum over all words of the products of two signatures solves [1]_

    .. math:: \\frac{\\partial^2 k}{\\partial s \\, \\partial t} =
        \\langle \\dot x(s), \\dot y(t) \\rangle \\, k, \\qquad k(0, t) = k(s, 0) = 1,

    which is stepped over the grid of both series' steps, to second order.

    Parameters
    ----------
    X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
        Series, a list of ``(n_channels, n_timepoints_i)``, or a table of series of one channel. NaN
        is filled by straight lines. Two rows of one axis each are one pair.
    Y : array-like, default=None
        Other series of the same channels; None is ``X``.
    t, t_Y : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
        Times of ``X`` and ``Y``, see :class:`SignatureTransformer`. They need ``time_scale``.
    time_scale : float or None, default=None
        What times, given or counted, are multiplied by to become a channel of the paths, such as
        one over the duration. None leaves times out: only the order of values counts.
    basepoint : bool, default=False
        Whether paths begin with a step from zero, so that their level counts.
    scale : float, default=1.0
        What values are multiplied by. The kernel grows as the exponential of the paths' lengths:
        paths of a length of some units are best.
    refinement : int or "auto", default="auto"
        How often each step is halved. "auto" halves until the products of two steps are 1/32
        at most, which leaves errors of a hundredth for paths of a length of some units.
    normalize : bool, default=False
        Whether to divide by the roots of the kernels of each series with itself, so that those are
        one: for ``SVC``, as a rule.

    Returns
    -------
    ndarray of shape (n_cases_X, n_cases_Y), or float
        The kernel; a number for a pair of rows.

    Raises
    ------
    ValueError
        If series cannot be read, have other channels, or are so long that the kernel overflows.

    See Also
    --------
    SignatureTransformer : The signature up to a depth.

    References
    ----------
    .. [1] C. Salvi, T. Cass, J. Foster, T. Lyons, W. Yang, "The Signature Kernel is the Solution of
       a Goursat PDE", SIAM Journal on Mathematics of Data Science 3, 2021.

    Examples
    --------
    >>> from functools import partial
    >>> import numpy as np
    >>> from sklearn.svm import SVC
    >>> from skdyn.sequence import signature_kernel
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2, 20)).cumsum(axis=2)
    >>> y = np.arange(60) % 2
    >>> X[y == 0, 0, 2:] = X[y == 0, 1, :-2]  # the first channel follows the second
    >>> X[y == 1, 1, 2:] = X[y == 1, 0, :-2]  # or the other way round
    >>> kernel = partial(signature_kernel, scale=0.1, normalize=True)
    >>> model = SVC(C=100, kernel="precomputed").fit(kernel(X[:40]), y[:40])
    >>> model.score(kernel(X[40:], X[:40]), y[40:]) > 0.8
    True
    """
    _check_numbers(time_scale, scale, refinement)
    pair = _is_row(X) and _is_row(Y)
    if pair:
        X, Y = np.asarray(from_torch(X))[None], np.asarray(from_torch(Y))[None]
    if time_scale is None and (t is not None or t_Y is not None):
        raise ValueError(
            "t came without time_scale, so that it would count for nothing. Say what times are to "
            "be multiplied by, time_scale=1 / duration for instance."
        )
    if Y is None and t_Y is not None:
        raise ValueError("t_Y came without Y; leave it out.")
    how = time_scale, basepoint, scale
    left = _steps(X, t, "X", "t", *how)
    right = left if Y is None else _steps(Y, t_Y, "Y", "t_Y", *how)
    if left.shape[2] != right.shape[2]:
        n_x, n_y = (steps.shape[2] - (time_scale is not None) for steps in (left, right))
        raise ValueError(f"X has {n_x} channels, but Y has {n_y}.")
    kernel = _of_all_pairs(left, right, refinement, symmetric=Y is None)
    if normalize:
        first = np.diagonal(kernel) if Y is None else _with_itself(left, refinement)
        second = first if Y is None else _with_itself(right, refinement)
        if min(first.min(), second.min()) <= 0:
            raise ValueError(
                f"refinement={refinement} is too coarse for these paths: a kernel of a series with "
                "itself is negative. Raise it, or lower scale and time_scale."
            )
        kernel = kernel / np.sqrt(first)[:, None] / np.sqrt(second)
    return float(kernel[0, 0]) if pair else kernel


def _is_row(values):
    """Tell a single series of one channel, as scikit-learn passes them to functions."""
    values = from_torch(values)
    if isinstance(values, list | tuple):
        return len(values) > 0 and np.ndim(values[0]) == 0
    return getattr(values, "ndim", 0) == 1


def _check_numbers(time_scale, scale, refinement):
    if refinement != "auto" and not (is_whole(refinement, 0) and refinement <= _FINEST):
        raise ValueError(
            f"refinement must be 'auto' or an integer from 0 to {_FINEST}; got {refinement!r}."
        )
    for name, number in (("scale", scale), ("time_scale", time_scale)):
        if number is None and name == "time_scale":
            continue
        if not isinstance(number, Real) or not 0 < float(number) < np.inf:
            raise ValueError(f"{name} must be a positive number; got {number!r}.")


def _refinements(left, right, first, second, refinement):
    """Return how often to halve the steps of each pair.

    "auto" depends on nothing but the pair, so that a kernel is the same in any company.
    """
    longest = [np.sqrt(np.square(steps).sum(axis=2).max(axis=1, initial=0))
               for steps in (left, right)]  # fmt: skip
    products = longest[0][first] * longest[1][second]
    if refinement != "auto":
        if products.max() > _COARSE * 4.0**refinement:
            warn_user(
                f"refinement={refinement} is too coarse: products of two steps reach "
                f"{products.max():.3g}. Raise it, leave it 'auto', or lower scale and time_scale."
            )
        return np.full(len(first), refinement)
    needed = np.ceil(np.log2(np.maximum(products, _SMALL) / _SMALL) / 2)
    if not (needed <= _FINEST).all():
        raise ValueError(
            f"Steps of the paths are as long as {max(map(np.max, longest)):.3g}, too long for a "
            "kernel that grows as their exponential. Lower scale and time_scale; a length of some "
            "units is best."
        )
    return needed.astype(np.intp)


def _steps(X, t, name, t_name, time_scale, basepoint, scale):
    """Return the steps of paths, shape (n_cases, n_steps, n_channels), zero after a case's end."""
    series = check_series(BaseEstimator(), X, t, reset=True, name=name, t_name=t_name)
    unseen = np.argwhere(~series.observed.any(axis=1))
    if len(unseen):
        case, channel = unseen[0]
        raise ValueError(
            f"Channel {channel} of case {case} of {name} was never seen (NaN), and a kernel knows "
            "of no training data to fill it from. Fill it, or leave the case out."
        )
    paths = laid_paths(series, np.zeros(series.values.shape[2]))
    values = scale * paths.values
    start = 0.0 if basepoint else values[:, :1]
    steps = np.diff(values, axis=1, prepend=np.broadcast_to(start, values[:, :1].shape))
    if time_scale is not None:
        times = np.diff(paths.times, axis=1, prepend=paths.times[:, :1])
        steps = np.concatenate([time_scale * times[:, :, None], steps], axis=2)
    return steps if basepoint else steps[:, 1:]


def _of_all_pairs(left, right, refinement, symmetric):
    n, m = len(left), len(right)
    first, second = np.triu_indices(n) if symmetric else np.divmod(np.arange(n * m), m)
    found = np.empty((n, m))
    found[first, second] = _of_pairs(left, right, first, second, refinement)
    if symmetric:
        found[second, first] = found[first, second]
    return found


def _with_itself(steps, refinement):
    cases = np.arange(len(steps))
    return _of_pairs(steps, steps, cases, cases, refinement)


def _of_pairs(left, right, first, second, refinement):
    """Return the kernel of pairs of cases, some at a time."""
    levels = _refinements(left, right, first, second, refinement)
    n_each = max(1, _NUMBERS // (left.shape[1] * right.shape[1] or 1))
    found = np.empty(len(first))
    with np.errstate(over="ignore", invalid="ignore"):
        for level in np.unique(levels):
            pairs = np.flatnonzero(levels == level)
            for part in (pairs[k : k + n_each] for k in range(0, len(pairs), n_each)):
                products = left[first[part]] @ right[second[part]].transpose(0, 2, 1)
                found[part] = _solve(products, level)
    if not np.isfinite(found).all():
        raise ValueError(
            "The kernel leaves the range of numbers: the paths are too long. Lower scale and "
            "time_scale; a length of some units is best."
        )
    return found


def _solve(products, refinement):
    """Step the equation along the anti-diagonals of grids (n_pairs, n_steps_X, n_steps_Y)."""
    n_pairs, n_rows, n_columns = products.shape
    if not n_rows or not n_columns:  # a single point: the signature is one
        return np.ones(n_pairs)
    cells = products.reshape(n_pairs, -1).T / 4.0**refinement
    onward, back = 1 + cells / 2 + cells**2 / 12, 1 - cells**2 / 12
    rows, columns = n_rows << refinement, n_columns << refinement
    before, last = np.ones((rows + 1, n_pairs)), np.ones((rows + 1, n_pairs))
    for diagonal in range(2, rows + columns + 1):
        i = np.arange(max(1, diagonal - columns), min(diagonal - 1, rows) + 1)
        cell = ((i - 1) >> refinement) * n_columns + ((diagonal - i - 1) >> refinement)
        now = np.ones_like(last)
        sides = last[i] + last[i - 1]
        now[i] = sides * onward[cell] - before[i - 1] * back[cell]
        before, last = last, now
    return last[rows]
