"""Functions on clouds of points: of every case as many points, wherever they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skdyn._validation import as_floats
from skdyn.datasets._points import (
    check_lists,
    checked_offsets,
    columns,
    grid_points,
    mesh_shares,
    offsets_of,
)
from skdyn.datasets._quadrature import quadrature_weights

__all__ = ["FieldData"]


class FieldData:
    """Functions on clouds of points, or on meshes; every case has points of its own.

    The points of all cases are stored one case after the other. scikit-learn slices cases:
    ``train_test_split``, ``cross_val_predict``, ``GridSearchCV`` and ``learning_curve`` take such
    data as they take arrays, and ``len``, ``X[3]``, ``X[:10]``, ``X[mask]`` do what they say.

    Parameters
    ----------
    coords : array-like of shape (n_points, n_axes)
        Where the points lie.
    values : array-like of shape (n_points, n_channels) or (n_points,)
        Values there. There may be no channels: a shape alone.
    offsets : array-like of int of shape (n_cases + 1,)
        Number of the first point of each case, and of all points at last.
    edge : array-like of bool of shape (n_points,) or None, default=None
        Which points lie on the edge of the domain; None is not known, or none.
    parameters : array-like of shape (n_cases, n_parameters) or None, default=None
        Numbers of each case that belong to no point.
    weights : array-like of shape (n_points,) or None, default=None
        How much of the domain each point stands for, such as the area around it: sums with these
        weights are integrals. None counts the points of a case alike, as parts of one.

    Attributes
    ----------
    coords, values, offsets, edge, parameters, weights : ndarray
        What was passed or stands for None, as arrays of 2 axes, floats in float64.

    See Also
    --------
    skdyn.PointCloudOperatorRegressor : Learns from such data.
    make_poisson_shapes : Such data to try it on.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.datasets import FieldData
    >>> rng = np.random.default_rng(0)
    >>> points = [rng.random((n, 2)) for n in (30, 50, 40)]
    >>> X = FieldData.from_lists(points, [np.sin(xy[:, :1]) for xy in points])
    >>> X
    FieldData(3 cases, 120 points of 2 axes, 1 channel)
    >>> X[[0, 2]].sizes.tolist()
    [30, 40]
    >>> X.to_frame().columns.tolist()
    ['case', 'x0', 'x1', 'u0', 'edge', 'weight']
    """

    ndim = 1  # to scikit-learn: cases in a row

    def __init__(
        self,
        coords: ArrayLike,
        values: ArrayLike,
        offsets: ArrayLike,
        *,
        edge: ArrayLike | None = None,
        parameters: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ) -> None:
        self.coords = columns(coords, "coords")
        self.values = columns(values, "values")
        self.offsets = checked_offsets(offsets, len(self.coords))
        n_points, n_cases = len(self.coords), len(self.offsets) - 1
        none: Any = np.zeros(n_points, dtype=bool)
        self.edge = none if edge is None else np.asarray(edge)
        if self.edge.dtype != bool:
            raise ValueError(f"edge must hold True or False; got the dtype {self.edge.dtype}.")
        none = np.zeros((n_cases, 0))
        self.parameters = none if parameters is None else columns(parameters, "parameters")
        none = np.repeat(1 / self.sizes, self.sizes)
        self.weights = none if weights is None else as_floats(weights)
        for name, found, wanted in (
            ("values", len(self.values), n_points),
            ("edge", self.edge.shape, (n_points,)),
            ("weights", self.weights.shape, (n_points,)),
            ("parameters", len(self.parameters), n_cases),
        ):
            if found != wanted:
                raise ValueError(
                    f"{name} has the length or shape {found}; {n_cases} cases of {n_points} points "
                    f"need {wanted}."
                )
        self._check_weights()

    # -- where it comes from -----------------------------------------------------------------

    @classmethod
    def from_lists(
        cls,
        coords: Sequence[ArrayLike],
        values: Sequence[ArrayLike] | None = None,
        *,
        edge: Sequence[ArrayLike] | None = None,
        parameters: ArrayLike | None = None,
        weights: Sequence[ArrayLike] | str | None = "auto",
    ) -> Self:
        """Join cases that come in lists.

        Parameters
        ----------
        coords : list of array-like of shape (n_points_i, n_axes)
            Points of each case.
        values : list of array-like of shape (n_points_i, n_channels) or (n_points_i,), or None, \
                default=None
            Values there; None for shapes alone.
        edge : list of array-like of bool of shape (n_points_i,), or None, default=None
            Which points lie on the edge.
        parameters : array-like of shape (n_cases, n_parameters) or None, default=None
            Numbers of each case.
        weights : list of array-like of shape (n_points_i,), "auto" or None, default="auto"
            How much of the domain each point stands for; "auto" shares the triangles between
            points (lengths, tetrahedra) out to their corners, where there are at most three axes;
            None counts points alike.

        Returns
        -------
        FieldData
        """
        clouds = [columns(case, f"coords of case {i}") for i, case in enumerate(coords)]
        if not clouds:
            raise ValueError("coords is an empty list: there are 0 samples. Pass a case at least.")
        if values is None:
            values = [np.zeros((len(case), 0)) for case in clouds]
        shares: Any = weights
        if isinstance(weights, str):
            if weights != "auto":
                raise ValueError(f"weights must be arrays, 'auto' or None; got {weights!r}.")
            on_edge = [None] * len(clouds) if edge is None else edge
            shares = [quadrature_weights(*pair) for pair in zip(clouds, on_edge, strict=True)]
        of_points = [columns(case, f"values of case {i}") for i, case in enumerate(values)]
        parts: dict[str, Any] = {"coords": clouds, "values": of_points}
        for name, part in (("edge", edge), ("weights", shares)):
            parts[name] = None if part is None else [np.asarray(case) for case in part]
        check_lists(parts)
        joined: Any = {k: part and np.concatenate(part) for k, part in parts.items()}
        return cls(offsets=offsets_of([len(case) for case in clouds]), parameters=parameters,
                   **joined)  # fmt: skip

    @classmethod
    def from_grid(
        cls,
        fields: ArrayLike,
        *,
        extent: Sequence[tuple[float, float]] | None = None,
        parameters: ArrayLike | None = None,
    ) -> Self:
        """Take the points of a grid, the same for all cases; its ends are the edge.

        Parameters
        ----------
        fields : array-like of shape (n_cases, n_channels, \\*grid)
            Values on a grid of one to three axes, the ends of the domain among its points.
        extent : sequence of (float, float) or None, default=None
            First and last coordinate of each axis; None is from 0 to 1.
        parameters : array-like of shape (n_cases, n_parameters) or None, default=None
            Numbers of each case.

        Returns
        -------
        FieldData
        """
        fields = as_floats(fields)
        grid = fields.shape[2:]
        if not 1 <= len(grid) <= 3 or min(grid) < 2:
            raise ValueError(
                "fields must be of shape (n_cases, n_channels, *grid), with one to three axes of "
                f"two points or more; got {fields.shape}."
            )
        extent = [(0.0, 1.0)] * len(grid) if extent is None else extent
        if np.shape(extent) != (len(grid), 2):
            raise ValueError(
                f"extent must hold a pair for each of the {len(grid)} axes; got {extent!r}."
            )
        points, weights, edge = grid_points(grid, extent)
        n = len(fields)
        return cls(
            np.tile(points, (n, 1)),
            np.moveaxis(fields, 1, -1).reshape(-1, fields.shape[1]),
            offsets_of([len(points)] * n),
            edge=np.tile(edge, n),
            parameters=parameters,
            weights=np.tile(weights, n),
        )

    @classmethod
    def from_dataframe(
        cls,
        frame: Any,
        *,
        case: str,
        coords: Sequence[str],
        values: Sequence[str] = (),
        edge: str | None = None,
        parameters: Sequence[str] = (),
        weights: str | None = "auto",
    ) -> Self:
        """Read a long table with one row per point.

        Parameters
        ----------
        frame : DataFrame
            The table; its rows may be in any order. Cases go by their first row.
        case : str
            Name of the column that tells the case.
        coords : list of str
            Names of the columns that tell where the point lies.
        values : list of str, default=()
            Names of the columns of values.
        edge : str or None, default=None
            Name of the column that tells whether it lies on the edge.
        parameters : list of str, default=()
            Names of the columns of numbers that are the same at all points of a case.
        weights : str or None, default="auto"
            Name of the column of weights; "auto" and None are those of ``from_lists``.

        Returns
        -------
        FieldData
        """
        wanted = [case, *coords, *values, *parameters, *([edge] if edge else [])]
        wanted += [weights] if weights not in ("auto", None) else []
        missing = [name for name in wanted if name not in frame.columns]
        if missing:
            raise ValueError(f"The frame has no columns {missing}; it has {list(frame.columns)}.")
        parts = [part for _, part in frame.groupby(case, sort=False)]
        numbers = [part[list(parameters)].to_numpy(np.float64) for part in parts]
        for number, rows in enumerate(numbers):
            if len(rows) and (rows != rows[0]).any():
                raise ValueError(
                    f"parameters={list(parameters)} differ between points of case {number}. What "
                    "differs from point to point belongs into values."
                )
        shares: Any = weights
        if weights not in ("auto", None):
            shares = [part[weights].to_numpy(np.float64) for part in parts]
        return cls.from_lists(
            [part[list(coords)].to_numpy(np.float64) for part in parts],
            [part[list(values)].to_numpy(np.float64) for part in parts],
            edge=[part[edge].to_numpy(bool) for part in parts] if edge else None,
            parameters=np.array([rows[0] for rows in numbers]) if parameters else None,
            weights=shares,
        )

    @classmethod
    def from_meshes(
        cls,
        points: Sequence[ArrayLike],
        cells: Sequence[ArrayLike],
        values: Sequence[ArrayLike] | None = None,
        *,
        parameters: ArrayLike | None = None,
    ) -> Self:
        """Take the nodes of meshes; what the cells are is kept as weights and as edge.

        Parameters
        ----------
        points : list of array-like of shape (n_points_i, n_axes)
            Nodes of each mesh.
        cells : list of array-like of int of shape (n_cells_i, n_axes + 1)
            Corners of each cell: intervals, triangles or tetrahedra, by the number of axes. Each
            corner gets an equal share of its cell; facets of one cell alone make the edge.
        values : list of array-like of shape (n_points_i, n_channels) or (n_points_i,), or None, \
                default=None
            Values at the nodes.
        parameters : array-like of shape (n_cases, n_parameters) or None, default=None
            Numbers of each case.

        Returns
        -------
        FieldData
        """
        if len(points) != len(cells):
            raise ValueError(f"There are {len(points)} clouds of points and {len(cells)} of cells.")
        told = [
            mesh_shares(columns(xy, f"points of mesh {number}"), np.asarray(corners), number)
            for number, (xy, corners) in enumerate(zip(points, cells, strict=True))
        ]
        shares, edges = ([pair[i] for pair in told] for i in range(2))
        return cls.from_lists(points, values, edge=edges, parameters=parameters, weights=shares)

    # -- what scikit-learn asks for ----------------------------------------------------------

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def shape(self) -> tuple[int]:
        """Number of cases; without it, scikit-learn would slice into a list."""
        return (len(self),)

    @property
    def sizes(self) -> np.ndarray:
        """Number of points of each case."""
        return np.diff(self.offsets)

    def __iter__(self) -> Iterator[FieldData]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, cases: Any) -> FieldData:
        """Return some cases: by number, slice, numbers or mask."""
        if isinstance(cases, tuple):  # as scikit-learn asks for rows
            if len(cases) != 2 or cases[1] is not Ellipsis:
                raise IndexError("FieldData has one axis, its cases.")
            cases = cases[0]
        chosen = np.atleast_1d(np.arange(len(self))[cases])
        sizes = self.sizes[chosen]
        offsets = offsets_of(sizes)
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[chosen] - offsets[:-1], sizes)
        return FieldData(
            self.coords[rows], self.values[rows], offsets, edge=self.edge[rows],
            parameters=self.parameters[chosen], weights=self.weights[rows],
        )  # fmt: skip

    def __array_function__(
        self, function: Callable, types: Iterable[type], args: tuple, kwargs: dict
    ) -> Any:
        """Join data where numpy is asked to, as ``cross_val_predict`` does."""
        if function is not np.concatenate or len(args) != 1 or kwargs.get("axis", 0) != 0:
            return NotImplemented
        parts = list(args[0])
        if not all(isinstance(part, FieldData) for part in parts):
            return NotImplemented
        names = ("coords", "values", "edge", "parameters", "weights")
        joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in names}
        return FieldData(offsets=offsets_of(np.concatenate([p.sizes for p in parts])), **joined)

    def __repr__(self) -> str:
        n_points, n_axes = self.coords.shape
        told = [f"{len(self)} cases, {n_points} points of {n_axes} axes"]
        for n, word in ((self.values.shape[1], "channel"), (self.parameters.shape[1], "parameter")):
            if n or word == "channel":
                told.append(f"{n} {word}{'s' * (n != 1)}")
        return f"FieldData({', '.join(told)})"

    # -- what is made of it ------------------------------------------------------------------

    def with_values(self, values: ArrayLike) -> FieldData:
        """Return other values at the same points.

        Parameters
        ----------
        values : array-like of shape (n_points, n_channels) or (n_points,)
            The values.

        Returns
        -------
        FieldData
        """
        return FieldData(
            self.coords, values, self.offsets,
            edge=self.edge, parameters=self.parameters, weights=self.weights,
        )  # fmt: skip

    def split(self, of_points: np.ndarray) -> list[np.ndarray]:
        """Cut what belongs to points into what belongs to each case.

        Parameters
        ----------
        of_points : ndarray of shape (n_points, ...)
            Numbers, such as ``values``.

        Returns
        -------
        list of ndarray of shape (n_points_i, ...)
        """
        return np.split(of_points, self.offsets[1:-1])

    def has_points_of(self, other: FieldData) -> bool:
        """Tell whether every case has the very points, in the same order, of another's.

        Parameters
        ----------
        other : FieldData
            As many cases, or not.

        Returns
        -------
        bool
        """
        same = np.array_equal(self.offsets, other.offsets)
        return same and np.array_equal(self.coords, other.coords)

    def integrals(self) -> np.ndarray:
        """Integrate each channel over each case, by the weights.

        Returns
        -------
        ndarray of shape (n_cases, n_channels)
        """
        of_points = self.weights[:, None] * self.values
        return np.stack([part.sum(axis=0) for part in self.split(of_points)])

    def to_frame(
        self,
        *,
        case: str = "case",
        coords: Sequence[str] | None = None,
        values: Sequence[str] | None = None,
    ) -> Any:
        """Return a long table with one row per point.

        Parameters
        ----------
        case : str, default="case"
            Name of the column that numbers the cases.
        coords : list of str or None, default=None
            Names of the coordinates; None is x0, x1, ...
        values : list of str or None, default=None
            Names of the channels; None is u0, u1, ...

        Returns
        -------
        DataFrame
            Parameters are p0, p1, ...; the last columns are "edge" and "weight".
        """
        import pandas as pd

        parameters = self.parameters.repeat(self.sizes, axis=0)
        table = {case: np.repeat(np.arange(len(self)), self.sizes)}
        for letter, names, block in (
            ("x", coords, self.coords), ("u", values, self.values), ("p", None, parameters),
        ):  # fmt: skip
            names = [f"{letter}{i}" for i in range(block.shape[1])] if names is None else names
            table |= dict(zip(names, block.T, strict=True))
        return pd.DataFrame(table | {"edge": self.edge, "weight": self.weights})

    def _check_weights(self):
        if not np.isfinite(self.weights).all() or (self.weights < 0).any():
            raise ValueError("weights must be finite and at least 0.")
        total = np.add.reduceat(self.weights, self.offsets[:-1]) if len(self) else np.ones(1)
        if (total <= 0).any():
            raise ValueError(
                f"All weights of case {int(np.argmin(total))} are zero. Give its points weights, "
                "or leave it out."
            )
