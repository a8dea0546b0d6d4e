"""What a step of time is told beside the state: coefficients, forcing, numbers of a case."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdyn._validation import check_array

__all__ = ["as_channels", "read_context"]

_DTYPES = [np.float64, np.float32]


def read_context(
    context: Any,
    n_cases: int,
    state_shape: tuple[int, ...],
    known: tuple[int, ...] | None,
    fit: bool,
    numbers: bool = False,
) -> np.ndarray | None:
    """Validate what belongs to each case.

    Parameters
    ----------
    context : array-like of shape (n_cases, n_numbers) or (n_cases, n_channels, \\*grid), or None
        What came.
    n_cases : int
        Number of trajectories or states.
    state_shape : tuple of int
        Of a state: ``(n_channels, *grid)``, or ``(width,)`` of flat ones.
    known : tuple of int or None
        Shape of a case's context in ``fit``.
    fit : bool
        Whether this is ``fit``, where any will do.
    numbers : bool, default=False
        Whether states have no grid that fields could be on.

    Returns
    -------
    ndarray or None
    """
    if context is None:
        if known is not None and not fit:
            raise ValueError(
                f"The model was fitted with a context of shape (n, {str(known)[1:]}: pass context= "
                "here, too."
            )
        return None
    context = check_array(context, dtype=_DTYPES, allow_nd=True, input_name="context")
    grid = state_shape[1:] or state_shape
    if len(context) != n_cases:
        raise ValueError(
            f"context has {len(context)} rows for {n_cases} cases. Pass one row for each case."
        )
    if context.ndim > 2 and numbers:
        raise ValueError(
            f"context of shape {context.shape} must be numbers, (n_cases, n_numbers), where "
            "history='axis' reads states as variables."
        )
    if context.ndim > 2 and context.shape[2:] != grid:
        raise ValueError(
            f"context of shape {context.shape} must be (n_cases, n_numbers), or (n_cases, "
            f"n_channels, *grid) on the grid {grid} of the states."
        )
    if not fit and context.shape[1:] != known:
        raise ValueError(
            f"context has the shape {context.shape[1:]} a case; in fit it was {known}. Pass the "
            "same context in both, or in neither."
        )
    return context


def as_channels(context: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
    """Return context as fields: numbers are constant in space.

    Parameters
    ----------
    context : ndarray of shape (n, n_numbers) or (n, n_channels, \\*grid)
        Of each case.
    grid : tuple of int
        Points of the states.

    Returns
    -------
    ndarray of shape (n, n_channels, \\*grid)
    """
    if context.ndim > 2:
        return context
    return np.broadcast_to(
        context.reshape(*context.shape, *[1] * len(grid)), (*context.shape, *grid)
    )
