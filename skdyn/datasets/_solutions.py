"""What generators of solutions share: times to look at them, and a place to keep them."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from os import PathLike

import joblib
import numpy as np
from numpy.typing import ArrayLike


def check_times(times: float | ArrayLike) -> np.ndarray:
    """Return one time or several as increasing positive floats, shape ``(n_times,)``."""
    try:
        when = np.atleast_1d(np.asarray(times, dtype=float))
    except (TypeError, ValueError):
        when = np.array([np.nan])
    good = when.ndim == 1 and when.size and np.isfinite(when).all()
    if not good or when[0] <= 0 or (np.diff(when) <= 0).any():
        raise ValueError(
            f"times must be a positive number, or finite, positive, increasing ones; got {times!r}."
        )
    return when


def kept(
    solve: Callable, cache: str | PathLike | None, random_state: int | np.random.RandomState | None
) -> Callable:
    """Return ``solve``, or a version of it that looks in the folder ``cache`` first."""
    if cache is None:
        return solve
    if not isinstance(random_state, Integral):
        raise ValueError(
            "cache keeps what a seed gives, so that random_state must be an int; got "
            f"{random_state!r}."
        )
    return joblib.Memory(cache, verbose=0).cache(solve)
