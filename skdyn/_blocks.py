"""Rows worked on block by block, or few for many, so that what the work needs stays small."""

from collections.abc import Callable
from math import prod

import numpy as np

from skdyn._scratch import is_large, lies_on_disk, written

__all__ = ["evenly", "in_blocks"]

_NUMBERS = 2**18  # in a block: 2 MB in float64, which a core's cache holds
_ENOUGH = 2**16  # rows that tell quantiles of all within 0.2 %


def in_blocks(
    function: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, dtype: str | None = None
) -> np.ndarray:
    """Apply a function that treats every row alike to some rows at a time.

    Of large arrays on disk the result is on disk too.

    Parameters
    ----------
    function : callable
        From rows to as many rows.
    rows : ndarray of shape (n, ...)
        What it is applied to.
    dtype : str or None, default=None
        Precision of the result if that is of floating numbers; None keeps the function's.

    Returns
    -------
    ndarray of shape (n, ...)
    """
    n_each = max(1, _NUMBERS // max(1, prod(rows.shape[1:])))
    first = function(rows[:n_each])
    wanted = dtype if np.issubdtype(first.dtype, np.floating) else None
    kept = first.dtype if wanted is None else np.dtype(wanted)
    if len(rows) <= n_each:
        return first.astype(kept, copy=False)
    # What is small goes to one array: small ones, kept between large ones that come and go, would
    # leave holes in memory that nothing fits in.
    if lies_on_disk(rows) and is_large(len(rows) * first[0].size * kept.itemsize):
        starts = range(0, len(rows), n_each)
        parts = (function(rows[start : start + n_each]) for start in starts)
        return written(part.astype(kept, copy=False) for part in parts)
    result = np.empty((len(rows), *first.shape[1:]), kept)
    result[:n_each] = first
    for start in range(n_each, len(rows), n_each):
        result[start : start + n_each] = function(rows[start : start + n_each])
    return result


def evenly(n_rows: int) -> slice:
    """Choose rows that tell how columns are distributed: all, or every so-manyth of many.

    Parameters
    ----------
    n_rows : int
        Rows that there are.

    Returns
    -------
    slice
        Of all rows up to 2 ** 16, else of more than half as many.
    """
    return slice(None, None, -(-n_rows // _ENOUGH) or 1)
