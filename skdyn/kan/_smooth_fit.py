"""Smooth functions of a few columns by polynomials: what a table looks like before it has a name.

A function of all columns, sums and products of functions of some of them, and derivatives: linear
least squares throughout, so that hundreds of shapes can be compared in seconds.
"""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre

_DEGREES = {1: 14, 2: 10, 3: 7, 4: 5}  # of all polynomials together, by the number of columns
_LARGEST = 4  # degree of more columns than that
_PENALTIES = (1e-10, 1e-4, 1e-2)  # of high degrees, relative to the rows; held-out rows choose
_ROUNDS = 12  # of alternating least squares
_HELD_OUT = 4  # every fourth row


class SmoothFit(NamedTuple):
    """A smooth fit: its values at all rows, and what it is off by at rows it has not seen."""

    values: np.ndarray
    error: float  # mean square
    parts: tuple = ()  # values of the functions that it is made of


class Basis:
    """Products of Legendre polynomials of some columns, the constant first.

    Parameters
    ----------
    X : ndarray of shape (n, n_columns)
        The columns.
    degree : int or None, default=None
        Of all factors together; None goes by the number of columns.
    """

    def __init__(self, X, degree=None):
        low, high = X.min(axis=0), X.max(axis=0)
        self.half = np.where(high > low, (high - low) / 2, 1.0)
        t = (X - (high + low) / 2) / self.half
        n_columns = X.shape[1]
        degree = degree or _DEGREES.get(n_columns, _LARGEST)
        self.powers = _powers(n_columns, degree)
        self.one = [legendre.legvander(column, degree) for column in t.T]
        self.matrix = np.prod(
            [one[:, self.powers[:, k]] for k, one in enumerate(self.one)], axis=0
        )  # fmt: skip
        self.price = self.powers.sum(axis=1).astype(float) ** 4

    def slopes(self, column):
        """Return the derivatives of the basis by a column."""
        degree = self.one[column].shape[1] - 1
        by_degree = np.zeros((degree + 1, degree + 1))
        for power in range(1, degree + 1):
            derived = legendre.legder(np.eye(degree + 1)[power])
            by_degree[: len(derived), power] = derived
        factors = [one if k != column else one @ by_degree for k, one in enumerate(self.one)]
        picked = [factor[:, self.powers[:, k]] for k, factor in enumerate(factors)]
        return np.prod(picked, axis=0) / self.half[column]


def _powers(n_columns, degree):
    every = itertools.product(range(degree + 1), repeat=n_columns)
    found = sorted((p for p in every if sum(p) <= degree), key=lambda p: (sum(p), p))
    return np.array(found)


def held_out(n):
    """Return which rows a smooth fit does not see."""
    return np.arange(n) % _HELD_OUT == _HELD_OUT - 1


def solve(matrix, price, target, seen, penalty):
    """Return the coefficients of a regression that prices high degrees."""
    A = matrix[seen]
    gram = A.T @ A
    diagonal = penalty * len(A) * price + 1e-13 * np.trace(gram) / len(gram)
    gram[np.diag_indices_from(gram)] += diagonal
    try:
        return np.linalg.solve(gram, A.T @ target[seen])
    except np.linalg.LinAlgError:
        return np.zeros(len(gram))


def smooth(basis, target, back=None, z=None):
    """Fit a function of all columns.

    Parameters
    ----------
    basis : Basis
        Of the columns.
    target : ndarray of shape (n,)
        What to fit.
    back : callable, default=None
        What the target is judged after; None for as it is.
    z : ndarray of shape (n,), default=None
        What it is judged by.

    Returns
    -------
    SmoothFit
        Its parts are the coefficients.
    """
    return _best(basis.matrix, basis.price, target, back, z, lambda w: (w,))


def sum_of(bases, target, back=None, z=None):
    """Fit a sum of functions of some columns each: the parts are these, and the constant."""
    matrix = np.hstack([np.ones((len(target), 1)), *[basis.matrix[:, 1:] for basis in bases]])
    price = np.concatenate([[0.0], *[basis.price[1:] for basis in bases]])

    def parts(w):
        ends = np.cumsum([1, *[basis.matrix.shape[1] - 1 for basis in bases]])
        pairs = zip(bases, itertools.pairwise(ends), strict=True)
        terms = [basis.matrix[:, 1:] @ w[start:end] for basis, (start, end) in pairs]
        return *terms, w[0]

    return _best(matrix, price, target, back, z, parts)


def product_of(left, right, target, back=None, z=None, free=False):
    """Fit ``c + u v``, u and v functions of some columns each: the parts are u and v.

    Parameters
    ----------
    left, right : Basis
        Of the columns of u and of v.
    target, back, z
        As for :func:`smooth`.
    free : bool, default=False
        Whether a function of the left columns takes the place of c; it is the third part.

    Returns
    -------
    SmoothFit
    """
    best = None
    seen = ~held_out(len(target))
    extra = left.matrix if free else np.ones((len(target), 1))
    extra_price = left.price if free else np.zeros(1)
    starts = [right.matrix[:, : right.one[0].shape[1] and 1 + len(right.one)] @ w
              for w in (_start(right, 0), _start(right, 1))]  # fmt: skip
    for penalty in _PENALTIES:
        for v in starts:
            last, u, rest = np.inf, v, v
            for _ in range(_ROUNDS):
                matrix = np.hstack([extra, v[:, None] * left.matrix])
                price = np.concatenate([extra_price, left.price])
                w = solve(matrix, price, target, seen, penalty)
                u = left.matrix @ w[extra.shape[1] :]
                u /= np.sqrt(np.mean(u**2)) or 1.0
                matrix = np.hstack([extra, u[:, None] * right.matrix])
                price = np.concatenate([extra_price, right.price])
                w = solve(matrix, price, target, seen, penalty)
                v = right.matrix @ w[extra.shape[1] :]
                rest = extra @ w[: extra.shape[1]]
                now = np.mean((target - rest - u * v)[seen] ** 2)
                if now > 0.9 * last:
                    break
                last = now
            if not (np.isfinite(u).all() and np.isfinite(v).all()):
                continue
            fit = _judged(rest + u * v, (u, v, rest), target, back, z)
            if best is None or fit.error < best.error:
                best = fit
    return best


def _start(basis, k):
    """Return coefficients of the constant and the lines: u v begins as one in v, or not."""
    n = 1 + len(basis.one)
    return np.array([1.0, *[0.0] * (n - 1)]) if k == 0 else np.array([0.3, *[1.0] * (n - 1)])


def _best(matrix, price, target, back, z, parts):
    seen, fits = ~held_out(len(target)), []
    for penalty in _PENALTIES:
        w = solve(matrix, price, target, seen, penalty)
        fits.append(_judged(matrix @ w, w, target, back, z))
    best = min(fits, key=lambda fit: fit.error)
    return best._replace(parts=parts(best.parts))


def _judged(values, parts, target, back, z):
    hidden = held_out(len(target))
    with np.errstate(all="ignore"):
        seen, truth = (values, target) if back is None else (back(values), z)
        off = np.mean((seen - truth)[hidden] ** 2)
    return SmoothFit(values, float(off) if np.isfinite(off) else np.inf, parts)
