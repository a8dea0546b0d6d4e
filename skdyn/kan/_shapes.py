"""Which shapes a function of several columns may have: of one function of a sum or a product, say.

A shape is judged by smooth fits (:mod:`skdyn.kan._smooth_fit`) on rows that these have not seen, so
that no function needs a name yet. Each leaves smaller problems: functions of fewer columns.
"""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from skdyn.kan._smooth_fit import Basis, held_out, product_of, smooth, sum_of

_RANGE = 25.0  # of a target, for its exponential to be a table of numbers
_SMALLEST = 1e-3  # of a target beside its largest value, for its inverse to be one
_ALIKE = 0.15  # what two derivatives' ratio may vary by, relative, to be called constant
_FLOOR = 1e-9  # of the variance: smooth fits that differ by less are alike
_PRICES = {"sum": 0.0, "product": 0.5, "merge": 0.5, "free product": 2.5}  # log of an error
_WHOLE = (0.5, 1.0, 2.0, 3.0)  # ratios of powers of columns that change their sign
_FREE = (2, 3)  # columns for which a free term beside a product is tried


class Link(NamedTuple):
    """A function around all others: ``y = back(t)``, where t has a simpler shape than y."""

    name: str  # of the library: what back is
    forth: Callable
    back: Callable
    fits: Callable  # whether a target can be the link's value


def _positive(z):
    return z.min() > _SMALLEST * z.max()


def _within(end):
    return lambda z: np.abs(z).max() < end


LINKS = (
    Link("x", lambda z: z, lambda t: t, lambda z: True),
    Link("exp", np.log, np.exp, _positive),
    Link("1/x", lambda z: 1 / z, lambda t: 1 / t, _positive),
    Link("sqrt", np.square, lambda t: np.sqrt(np.maximum(t, 0)), lambda z: z.min() >= 0),
    Link("log", np.exp, lambda t: np.log(np.maximum(t, 1e-300)), lambda z: np.ptp(z) < _RANGE),
    Link("x^2", np.sqrt, np.square, lambda z: z.min() >= 0),
    Link("1/sqrt", lambda z: z**-2, lambda t: np.maximum(t, 1e-300) ** -0.5, _positive),
    Link("arctan", np.tan, np.arctan, _within(0.98 * np.pi / 2)),
    Link("sin", np.arcsin, np.sin, _within(1.0)),
    Link("arcsin", np.sin, lambda t: np.arcsin(np.clip(t, -1, 1)), _within(np.pi / 2)),
    Link("tanh", np.arctanh, np.tanh, _within(1.0)),
)  # fmt: skip


class Merge(NamedTuple):
    """Two columns that act as one: through ``a w + b``, with a and b functions of the two."""

    name: str
    forth: Callable  # of a column
    slope: Callable  # its derivative
    fits: Callable
    function: str  # of the library


MERGES = (
    Merge("line", lambda x: x, np.ones_like, lambda x: True, "x"),
    Merge("power", np.log, lambda x: 1 / x, lambda x: True, "log"),
    Merge("square", np.square, lambda x: 2 * x, lambda x: True, "x^2"),
    Merge("inverse", lambda x: 1 / x, lambda x: -(x**-2), _positive, "1/x"),
)


class Shape(NamedTuple):
    """What a target may be made of.

    Attributes
    ----------
    kind : {"sum", "product", "free product", "merge"}
    error : float
        Mean square of what it leaves unexplained, on rows that the fit has not seen.
    link : Link
    groups : tuple of tuple of int
        Columns of the parts; of a merge the two that act as one.
    parts : tuple
        Values of the parts; of a merge the pair of a Merge and the weight of its first column.
    """

    kind: str
    error: float
    link: Link
    groups: tuple
    parts: tuple

    def __str__(self):
        link = "" if self.link.name == "x" else f", inside {self.link.name},"
        return f"{self.kind}{link} of columns {self.groups}, leaves {self.error:.1e}"


def shapes(X, z, may: Callable[[str], bool]) -> list[Shape]:
    """List the shapes of a function of several columns, those that explain the most first.

    Parameters
    ----------
    X : ndarray of shape (n, n_columns)
        The columns.
    z : ndarray of shape (n,)
        The target.
    may : callable
        ``may(name)`` tells whether a function of the library may be a link.

    Returns
    -------
    list of Shape
    """
    n_columns = X.shape[1]
    columns = tuple(range(n_columns))
    bases: dict[Any, Basis] = {}

    def basis(group):
        if group not in bases:
            bases[group] = Basis(X[:, list(group)])
        return bases[group]

    found = []
    for link in LINKS:
        if not ((link.name == "x" or may(link.name)) and link.fits(z)):
            continue
        t = link.forth(z)
        if not np.isfinite(t).all():
            continue
        back = None if link.name == "x" else link.back
        if n_columns > 1:
            singles = tuple((column,) for column in columns)
            fit = sum_of([basis(group) for group in singles], t, back, z)
            found.append(Shape("sum", fit.error, link, singles, fit.parts))
        for left, right in _halves(columns):
            pair = basis(left), basis(right)
            if n_columns > 2:
                fit = sum_of(pair, t, back, z)
                found.append(Shape("sum", fit.error, link, (left, right), fit.parts))
            if link.name in ("exp",):
                continue  # a product is a sum of logarithms
            fit = product_of(*pair, t, back, z)
            if fit is not None:
                found.append(Shape("product", fit.error, link, (left, right), fit.parts))
            if n_columns in _FREE and link.name in ("x", "sqrt", "1/x"):
                for one, other in ((left, right), (right, left)):
                    fit = product_of(basis(one), basis(other), t, back, z, free=True)
                    if fit is not None:
                        found.append(
                            Shape("free product", fit.error, link, (one, other), fit.parts)
                        )
    found += merges(X, z, basis(columns))
    floor = _FLOOR * np.var(z)

    def rank(shape):
        return np.log(shape.error + floor) + _PRICES[shape.kind] + (shape.link.name != "x")

    return sorted(found, key=rank)


def _halves(columns):
    """Yield the columns in two groups, in every way."""
    first, rest = columns[0], columns[1:]
    for size in range(len(rest)):
        for others in itertools.combinations(rest, size):
            left = (first, *others)
            yield left, tuple(column for column in columns if column not in left)


def merges(X, z, basis):
    """List the pairs of columns that act as one."""
    weights = smooth(basis, z).parts[0]
    slopes = [basis.slopes(k) @ weights for k in range(X.shape[1])]
    inner = _inner(X)
    found = []
    for i, j in itertools.combinations(range(X.shape[1]), 2):
        for merge in MERGES:
            if not (merge.fits(X[:, i]) and merge.fits(X[:, j])):
                continue
            with np.errstate(all="ignore"):
                by_i, by_j = slopes[i] / merge.slope(X[:, i]), slopes[j] / merge.slope(X[:, j])
            there = np.isfinite(by_i) & np.isfinite(by_j) & inner
            # Near the slope's own zero the quotient is noise.
            steep = np.minimum(np.abs(merge.slope(X[:, i])), np.abs(merge.slope(X[:, j])))
            weight = np.where(there, np.minimum(steep, 1e6) ** 2, 0.0)
            by_i, by_j = np.where(there, by_i, 0.0), np.where(there, by_j, 0.0)
            cross = np.average(by_i * by_j, weights=weight)
            square_i, square_j = (np.average(by**2, weights=weight) for by in (by_i, by_j))
            if not (square_i > 0 and square_j > 0):
                continue
            alike = 1 - cross**2 / (square_i * square_j)
            if alike > _ALIKE:
                continue
            ratio = np.sign(cross) * np.sqrt(square_i / square_j)
            # Weight of column i, that of j being one.
            ratio = _round(ratio)
            signed = not (_positive(X[:, i]) and _positive(X[:, j]))
            if merge.name == "power" and signed and abs(ratio) not in _WHOLE:
                continue
            found += _merged(X, z, (i, j), merge, ratio)
    return found


def _inner(X):
    """Tell which rows are off the ends, where polynomials swing."""
    low, high = np.quantile(X, [0.03, 0.97], axis=0)
    return ((low < X) & (high > X)).all(axis=1)


def _round(ratio):
    """Return a small whole number, or its inverse, where a ratio is near one."""
    for number in (round(ratio), 1 / round(1 / ratio) if abs(1 / ratio) > 0.6 else 0.0):
        if number and abs(ratio / number - 1) < 0.02:
            return float(number)
    return float(ratio)


def _merged(X, z, pair, merge, ratio):
    i, j = pair
    others = [k for k in range(X.shape[1]) if k not in pair]
    if merge.name == "power" and abs(ratio) < 1:
        (i, j), ratio = (j, i), 1 / ratio
    with np.errstate(all="ignore"):
        u = (
            X[:, i] ** ratio * X[:, j] if merge.name == "power"
            else ratio * merge.forth(X[:, i]) + merge.forth(X[:, j])
        )  # fmt: skip
    if not np.isfinite(u).all() or np.abs(u).max() > 1e3 * np.quantile(np.abs(u), 0.9):
        return []
    fit = smooth(Basis(np.column_stack([u, X[:, others]])), z)
    return [Shape("merge", fit.error, LINKS[0], ((i, j),), (merge, ratio, u))]


def relevant(X, z):
    """Return the columns that a target depends on, as far as smooth fits tell."""
    columns = list(range(X.shape[1]))
    hidden = held_out(len(z))
    noise = 1e-12 * np.var(z[hidden])
    now = smooth(Basis(X), z).error
    for column in list(columns):
        fewer = [k for k in columns if k != column]
        if not fewer:
            break
        without = smooth(Basis(X[:, fewer]), z).error
        if without <= 1.02 * now + noise:
            columns, now = fewer, without
    return columns
