"""What is stored: each distinct row once, in an order that is the rows' own."""

from typing import NamedTuple

import numpy as np

from skdyn._blocks import in_blocks
from skdyn._scales import units
from skdyn.hopfield._retrieval import row_chunks

__all__ = ["Finder", "Store", "merged", "row_hashes", "scales"]

_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: Knuth's multiplier
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # those of splitmix64


class Store(NamedTuple):
    """Distinct patterns with what belongs to them.

    Attributes
    ----------
    patterns : ndarray of shape (n_patterns, n_features)
        Patterns, float64.
    targets : ndarray of shape (n_patterns, n_targets)
        Their targets, float64.
    mass : ndarray of shape (n_patterns,)
        Sums of their weights.
    rows : ndarray of shape (n_patterns,)
        The first row each came in.
    """

    patterns: np.ndarray
    targets: np.ndarray
    mass: np.ndarray
    rows: np.ndarray


def merged(store: Store) -> tuple[Store, np.ndarray]:
    """Merge rows that are equal, targets included, and sort them by a hash of their numbers.

    A row that comes twice is then left out whole when it is left out, and weighs as much as one of
    twice its weight. The order looks random, so that the first rows are a sample of all; but it is
    the rows' own, so that nothing depends on the order in which they came.

    Parameters
    ----------
    store : Store
        Rows as they came.

    Returns
    -------
    store : Store
        Distinct rows, sorted.
    place : ndarray of shape (n_rows,)
        Where each row that came is now.
    """
    tables = store.patterns, store.targets
    hashes = _hashes(tables)
    _, first, place = np.unique(hashes, return_index=True, return_inverse=True)
    if not all(_equal_where_merged(table, first, place) for table in tables):
        first, place = _distinct(np.column_stack(tables), hashes)
    mass = np.bincount(place, weights=store.mass)
    return Store(store.patterns[first], store.targets[first], mass, store.rows[first]), place


class Finder:
    """Finds rows among distinct patterns, to the last digit.

    Parameters
    ----------
    patterns : ndarray of shape (n_patterns, n_features)
        Distinct patterns, at least one.
    """

    def __init__(self, patterns: np.ndarray) -> None:
        self.patterns = patterns
        hashes = row_hashes(patterns)
        self.order = np.argsort(hashes)
        self.hashes = hashes[self.order]

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Return where rows are.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)
            What is looked for.

        Returns
        -------
        ndarray of int64 of shape (n_rows,)
            Which pattern each row equals; -1 where it equals none.
        """
        found = np.searchsorted(self.hashes, row_hashes(rows)).clip(max=len(self.patterns) - 1)
        found = self.order[found]
        for part in row_chunks(*rows.shape):
            found[part][(rows[part] != self.patterns[found[part]]).any(axis=1)] = -1
        return found


def row_hashes(rows: np.ndarray) -> np.ndarray:
    """Hash rows to 64 bits, equal ones alike.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Numbers.

    Returns
    -------
    ndarray of uint64 of shape (n_rows,)
    """
    return _hashes([rows], np.zeros(rows.shape[1], dtype=int))


def scales(table: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means and standard deviations of columns, one for a constant column.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_columns)
        Numbers.
    mass : ndarray of shape (n_rows,)
        Weights of the rows.

    Returns
    -------
    means, deviations : ndarray of shape (n_columns,)
    """
    share, unit = mass / mass.sum(), units(table)
    parts = list(row_chunks(len(table), 2 * table.shape[1]))

    def mean_of(what):
        """Return a weighted mean, made in blocks, as no copy of the table fits in memory."""
        return np.sum([share[part] @ what(table[part] / unit) for part in parts], axis=0)

    means = mean_of(lambda rows: rows)
    deviations = np.sqrt(mean_of(lambda rows: np.square(rows - means)))
    rounding = len(table) * np.finfo(table.dtype).eps * np.abs(means)
    varies = deviations > rounding
    first = table[0] / unit
    return np.where(varies, means, first) * unit, np.where(varies, deviations * unit, 1.0)


def _equal_where_merged(table, first, place):
    parts = row_chunks(len(table), table.shape[1], table.itemsize)
    return all((table[rows] == table[first[place[rows]]]).all() for rows in parts)


def _distinct(table, hashes):
    """Return what the hashes alone tell nearly always: the first of equal rows, and their places.

    It takes a sort by every column, and so is only for hashes that different rows share.
    """
    order = np.lexsort((*table.T, hashes))
    begins = np.ones(len(table), dtype=bool)
    begins[1:] = (table[order[1:]] != table[order[:-1]]).any(axis=1)
    place = np.empty(len(table), dtype=np.intp)
    place[order] = np.cumsum(begins) - 1
    return order[begins], place


def _hashes(tables, exponents=None):
    """Hash each row of tables that stand side by side to 64 bits.

    Columns count in a power of two near their size, which changes no digit: a unit of another
    power gives the same order, and so the same model. Each number is mixed by itself before they
    are added up: round numbers differ in few bits, which sums and products alone do not spread.
    """
    if exponents is None:
        exponents = np.concatenate(
            [np.frexp(np.maximum(t.max(axis=0), -t.min(axis=0)))[1] for t in tables]
        )
    keys = np.multiply.accumulate(np.full(len(exponents), _ODD))
    sums, start = np.zeros(len(tables[0]), dtype=np.uint64), 0
    for table in tables:
        columns = slice(start, start + table.shape[1])
        start = columns.stop
        shift, key = -exponents[columns], keys[columns]

        def summed(rows, shift=shift, key=key):
            rows = np.ldexp(rows.astype(np.float64), shift) + 0.0  # which turns -0.0 into 0.0
            return _mixed(rows.view(np.uint64) + key).sum(axis=1)

        sums += in_blocks(summed, table)
    return _mixed(sums)


def _mixed(x):
    x = (x ^ (x >> np.uint64(30))) * _MIX[0]
    x = (x ^ (x >> np.uint64(27))) * _MIX[1]
    return x ^ (x >> np.uint64(31))
