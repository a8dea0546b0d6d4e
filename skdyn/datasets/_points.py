"""Points of clouds, grids and meshes: checked, and what each stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdyn._validation import as_floats
from skdyn.datasets._quadrature import simplex_volumes

__all__ = ["check_lists", "checked_offsets", "columns", "grid_points", "mesh_shares", "offsets_of"]


def columns(values: Any, name: str) -> np.ndarray:
    """Return finite numbers, one row per point."""
    values = as_floats(values)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2:
        raise ValueError(f"{name} must have one row per point and 2 axes; got {values.shape}.")
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        what = "NaN" if np.isnan(values[row]).any() else "infinity"
        raise ValueError(f"{name} contains {what}, first in row {row}. Leave such points out.")
    return values


def checked_offsets(offsets: Any, n_points: int) -> np.ndarray:
    """Return the number of the first point of each case, and of all points at last."""
    offsets = np.asarray(offsets)
    whole = offsets.ndim == 1 and len(offsets) > 0 and offsets.dtype.kind in "iu"
    if not whole or offsets[0] != 0 or offsets[-1] != n_points:
        raise ValueError(
            f"offsets must be whole numbers in a row that begin with 0 and end with the {n_points} "
            f"points; got {offsets!r}."
        )
    if (np.diff(offsets) < 1).any():
        raise ValueError(
            f"Case {int(np.argmin(np.diff(offsets)))} has no points. Leave it out, with its target."
        )
    return offsets.astype(np.intp)


def offsets_of(sizes: Any) -> np.ndarray:
    """Return the offsets of cases of these sizes."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)


def _outer(of_axes, combine):
    """Combine what belongs to the points of each axis to what belongs to those of the grid."""
    whole = of_axes[0]
    for part in of_axes[1:]:
        whole = combine(whole[..., None], part)
    return whole.ravel()


def check_lists(parts: dict[str, Any]) -> None:
    """Refuse cases that do not fit each other, and name them."""
    clouds = parts["coords"]
    for name, part in parts.items():
        if part is None:
            continue
        if len(part) != len(clouds):
            raise ValueError(f"{name} has {len(part)} cases, but coords has {len(clouds)}.")
        for number, case in enumerate(part):
            if len(case) != len(clouds[number]):
                raise ValueError(
                    f"{name} of case {number} has {len(case)} rows for its "
                    f"{len(clouds[number])} points."
                )
            if case.shape[1:] != part[0].shape[1:]:
                raise ValueError(
                    f"Every case has as many columns of {name}; case 0 has {part[0].shape[1:]}, "
                    f"case {number} has {case.shape[1:]}."
                )


def _on_edge(cells, n_points):
    """Tell which nodes belong to a facet that one cell alone has."""
    n_corners = cells.shape[1]
    facets = np.concatenate([np.delete(cells, i, axis=1) for i in range(n_corners)])
    facets, count = np.unique(np.sort(facets, axis=1), axis=0, return_counts=True)
    return np.isin(np.arange(n_points), facets[count == 1])


def grid_points(
    grid: tuple[int, ...], extent: Sequence[tuple[float, float]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the points of a grid, their shares by the trapezoidal rule, and which are ends."""
    pairs = list(zip(extent, grid, strict=True))
    axes = [np.linspace(*ends, n) for ends, n in pairs]
    ends = [np.isin(np.arange(n), (0, n - 1)) for n in grid]
    lengths = [
        abs(pair[1] - pair[0]) / (n - 1) * np.where(end, 0.5, 1.0)
        for (pair, n), end in zip(pairs, ends, strict=True)
    ]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(grid))
    return points, _outer(lengths, np.multiply), _outer(ends, np.logical_or)


def mesh_shares(xy: np.ndarray, cells: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each node in the cells of a mesh, and which nodes are of the edge."""
    n_corners = xy.shape[1] + 1
    if cells.ndim != 2 or cells.shape[1] != n_corners:
        raise ValueError(
            f"Cells of mesh {number} must have {n_corners} corners on {n_corners - 1} axes; got "
            f"the shape {cells.shape}. Split other cells first."
        )
    if cells.size and not 0 <= cells.min() <= cells.max() < len(xy):
        raise ValueError(f"Cells of mesh {number} name nodes beyond its {len(xy)}.")
    share = (simplex_volumes(xy, cells) / n_corners).repeat(n_corners)
    return np.bincount(cells.ravel(), share, len(xy)), _on_edge(cells, len(xy))
