"""What a place sees of a cloud of points: means and sums of its values, near and far.

Fixed kernels of the distance weigh the points, all of them and those of the edge. So every place
knows the values around it and those of the whole, whether or not it is a point of the cloud; and
what is a mean with quadrature weights does not depend on how finely a function is sampled.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from scipy.spatial import KDTree

from skdyn._scales import learn_column_scales
from skdyn._state import Shape
from skdyn.datasets import FieldData

__all__ = ["CloudScales", "cloud_features", "learn_cloud_scales", "nearest_points"]

_POWERS = (1, 2, 4)  # of 1 / distance; in a disc the mean of edge values by its square is harmonic
_HERE, _SHARP = 8, 0.1  # power, and softening in spacings, of what is as good as interpolation
_SOFT = 0.5  # spacings within which the other kernels do not rise further
_ENTRIES = 2**20  # pairs that are worked on at a time: bounds memory


class CloudScales(NamedTuple):
    """Units of the clouds that a model was fitted on.

    Attributes
    ----------
    origin, scale : ndarray of shape (n_axes,)
        Of the coordinates.
    spacing : float
        Usual distance between neighbors, in these units.
    total : float
        Usual sum of the weights of a case.
    edge : bool
        Whether there are points of an edge.
    """

    origin: Annotated[np.ndarray, Shape("axes")]
    scale: Annotated[np.ndarray, Shape("axes")]
    spacing: float
    total: float
    edge: bool

    def place(self, coords: np.ndarray) -> np.ndarray:
        """Return coordinates in these units."""
        return (coords - self.origin) / self.scale


def learn_cloud_scales(X: FieldData, weight: np.ndarray) -> CloudScales:
    """Learn units from clouds.

    Parameters
    ----------
    X : FieldData
        The cases.
    weight : ndarray of shape (n_cases,)
        Weight of each case.

    Returns
    -------
    CloudScales
    """
    totals = np.add.reduceat(X.weights, X.offsets[:-1])
    of_points = X.weights * (weight / totals).repeat(X.sizes)
    origin, scale, _ = learn_column_scales(X.coords, of_points)
    near = [_distance_of_neighbors(coords) for coords in X.split((X.coords - origin) / scale)]
    told = np.isfinite(near)
    spacing = np.average(np.array(near)[told], weights=weight[told]) if told.any() else 1.0
    total = np.average(totals, weights=weight)
    return CloudScales(origin, scale, float(spacing), float(total), bool(X.edge.any()))


def _distance_of_neighbors(coords):
    """Return the median distance of a point to the nearest other, infinite where there is none."""
    places = np.unique(coords, axis=0)
    return np.median(KDTree(places).query(places, k=2)[0][:, 1]) if len(places) > 1 else np.inf


def cloud_features(X: FieldData, scales: CloudScales, at: FieldData | None = None) -> np.ndarray:
    """Describe places by what they see of a cloud.

    Parameters
    ----------
    X : FieldData
        The cases.
    scales : CloudScales
        Units.
    at : FieldData or None, default=None
        Places, for each case; None takes the points themselves.

    Returns
    -------
    ndarray of shape (n_places, n_features)
    """
    asked = X if at is None else at
    parts = []
    for number, points in enumerate(X):
        places = scales.place(asked.coords[asked.offsets[number] : asked.offsets[number + 1]])
        parts.append(_of_case(points, scales, places))
    return np.concatenate(parts)


def _of_case(points, scales, places):
    xy, values = scales.place(points.coords), points.values
    shares = points.weights / scales.total
    measures = [(xy, values, shares)]
    if scales.edge:
        rows = points.edge if points.edge.any() else slice(None)
        share = shares[rows] if shares[rows].any() else np.ones(len(xy[rows]))
        measures.append((xy[rows], values[rows], share / share.sum()))
    n = max(1, _ENTRIES // len(xy))
    blocks = [_seen(places[i : i + n], measures, scales.spacing) for i in range(0, len(places), n)]
    parameters = np.repeat(points.parameters, len(places), axis=0)
    return np.concatenate([np.concatenate(blocks), parameters], axis=1)


def _seen(places, measures, spacing):
    """Return the features of places: where they are, then what they see by each measure."""
    columns = [places]
    for number, (points, values, shares) in enumerate(measures):
        squares = _squares(places, points)
        if number == 0:  # values here, or between the nearest points
            near = shares / (squares + (_SHARP * spacing) ** 2) ** (_HERE // 2)
            columns.append(near @ values / near.sum(axis=1, keepdims=True))
        else:
            columns.append(np.sqrt(squares.min(axis=1, keepdims=True)))
        soft = squares + (_SOFT * spacing) ** 2
        columns += [-0.5 * np.log(soft) @ (shares[:, None] * values)]
        columns += [np.broadcast_to(shares @ values, (len(places), values.shape[1]))]
        for power in _POWERS:
            pull = shares * soft ** (-power / 2)
            mass = pull.sum(axis=1, keepdims=True)
            columns += [np.log(mass), pull @ values / mass]
    return np.concatenate(columns, axis=1)


def _squares(places, points):
    squares = np.square(places).sum(axis=1)[:, None] + np.square(points).sum(axis=1)
    return np.maximum(squares - 2 * places @ points.T, 0.0)


def nearest_points(
    X: FieldData, scales: CloudScales, k: int, at: FieldData | None = None
) -> np.ndarray:
    """Name the points of a case that are nearest to each place.

    Parameters
    ----------
    X : FieldData
        The cases.
    scales : CloudScales
        Units of distances.
    k : int
        How many.
    at : FieldData or None, default=None
        Places, for each case; None takes the points themselves.

    Returns
    -------
    ndarray of int of shape (n_places, k)
        Numbers of the points within the case; the last ones again where there are fewer.
    """
    asked = X if at is None else at
    found = []
    if not k:
        return np.empty((len(asked.coords), 0), dtype=int)
    clouds = (part.split(scales.place(part.coords)) for part in (X, asked))
    for points, places in zip(*clouds, strict=True):
        tree: Any = KDTree(points)
        _, nearest = tree.query(places, k=range(1, min(k, len(points)) + 1))
        found.append(np.pad(nearest, ((0, 0), (0, k - nearest.shape[1])), mode="edge"))
    return np.concatenate(found)
