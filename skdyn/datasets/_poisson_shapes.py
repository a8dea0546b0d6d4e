"""Solutions of Poisson's equation on shapes that differ."""

import numpy as np
from sklearn.utils import check_random_state

from skdyn.datasets._field_data import FieldData
from skdyn.datasets._generate import check_integer, check_number

__all__ = ["make_poisson_shapes"]

_WAVES = np.arange(2, 6)  # of the outline; 1 would only move it
_N_SOURCE_WAVES, _N_EDGE_WAVES = 4, 5
_LOWEST, _HIGHEST = 1.0, 4.0  # wave numbers of the source
# Fundamental solutions outside, spacings of theirs away from the edge, and points of the edge that
# they are fitted at: with the largest irregularity the edge is met to 1e-3 or better.
_N_OUTSIDE, _AWAY, _N_FITTED = 120, 4.0, 240
_ON_EDGE = 0.3  # share of the points
_INSIDE = 0.97  # of the way to the edge: how far the other points go


def make_poisson_shapes(
    n_samples: int = 100,
    n_points: int = 150,
    *,
    irregularity: float = 0.25,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[FieldData, FieldData]:
    r"""Draw shapes, sources and values on the edge; and what then stands inside.

    .. math:: -\Delta u = f \text{ inside}, \qquad u = g \text{ at the edge}, \qquad
        r(\theta) = \exp \sum_{k=2}^{5} a_k \cos(k \theta + \varphi_k).

    Shapes are stars, which every ray from the center leaves once. The source is a sum of waves,
    for which a solution in the whole plane is known; what is missing at the edge is added as a sum
    of fundamental solutions from outside [1]_. By the maximum principle it is nowhere farther off
    than at the edge, where that is less than 1e-3.

    Parameters
    ----------
    n_samples : int, default=100
        Number of shapes.
    n_points : int, default=150
        Mean number of points of a shape, three in ten of them on its edge. Numbers differ by up
        to a fifth.
    irregularity : float, default=0.25
        Standard deviation of :math:`k a_k`, below 0.3. With 0 all shapes are discs.
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the data reproducible.

    Returns
    -------
    X : FieldData
        Two channels: the source f, and on the edge the value g, which is 0 inside. The weights are
        areas.
    y : FieldData
        Solutions at the same points.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    .. [1] Graeme Fairweather, Andreas Karageorghis, "The method of fundamental solutions for
       elliptic boundary value problems", Advances in Computational Mathematics 9, 1998.

    Examples
    --------
    >>> from skdyn.datasets import make_poisson_shapes
    >>> X, y = make_poisson_shapes(5, random_state=0)
    >>> X
    FieldData(5 cases, 759 points of 2 axes, 2 channels)
    >>> bool(abs(y.values[X.edge, 0] - X.values[X.edge, 1]).max() < 1e-3)
    True
    """
    check_integer("n_samples", n_samples, low=1)
    check_integer("n_points", n_points, low=20)
    check_number("irregularity", irregularity, low=0, high=0.3)
    rng = check_random_state(random_state)
    cases = [_case(n_points, irregularity, rng) for _ in range(n_samples)]
    coords, edge, source, at_edge, solution = zip(*cases, strict=True)
    values = [np.stack(pair, axis=1) for pair in zip(source, at_edge, strict=True)]
    X = FieldData.from_lists(coords, values, edge=edge)
    return X, X.with_values(np.concatenate(solution))


def _case(n_points, irregularity, rng):
    outline = _Outline(irregularity, rng)
    n = rng.randint(round(0.8 * n_points), round(1.2 * n_points) + 1)
    on_edge = max(8, round(_ON_EDGE * n))
    coords = np.concatenate([outline.points(on_edge, rng.rand()), outline.inside(n - on_edge, rng)])
    edge = np.arange(n) < on_edge
    heights = rng.standard_normal(_N_SOURCE_WAVES)
    length, angle = rng.uniform(_LOWEST, _HIGHEST, _N_SOURCE_WAVES), _angles(_N_SOURCE_WAVES, rng)
    waves, phases = length * [np.cos(angle), np.sin(angle)], _angles(_N_SOURCE_WAVES, rng)
    k = np.arange(_N_EDGE_WAVES)
    of_edge, shifts = rng.standard_normal(_N_EDGE_WAVES) / (1 + k), _angles(_N_EDGE_WAVES, rng)

    def source(x):
        return np.cos(x @ waves + phases) @ heights

    def particular(x):
        return np.cos(x @ waves + phases) @ (heights / length**2)

    def boundary(x):
        return np.cos(k * np.arctan2(x[:, 1], x[:, 0])[:, None] + shifts) @ of_edge

    outside = outline.around(_N_OUTSIDE, _AWAY)
    fitted = outline.points(_N_FITTED)
    missing = boundary(fitted) - particular(fitted)
    share = np.linalg.lstsq(_potentials(fitted, outside), missing, rcond=1e-13)[0]
    solution = particular(coords) + _potentials(coords, outside) @ share
    return coords, edge, source(coords), np.where(edge, boundary(coords), 0.0), solution


def _angles(n, rng):
    return 2 * np.pi * rng.rand(n)


def _potentials(x, sources):
    apart = np.linalg.norm(x[:, None] - sources, axis=2)
    return np.column_stack([np.log(apart), np.ones(len(x))])


class _Outline:
    """A star around the origin."""

    def __init__(self, irregularity, rng):
        self._heights = irregularity * rng.standard_normal(len(_WAVES)) / _WAVES
        self._phases = _angles(len(_WAVES), rng)

    def radius(self, angle):
        return np.exp(np.cos(_WAVES * angle[:, None] + self._phases) @ self._heights)

    def points(self, n, shift=0.0):
        angle = 2 * np.pi * (np.arange(n) + shift) / n
        return self.radius(angle)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def around(self, n, spacings):
        x = self.points(n)
        along = np.roll(x, -1, axis=0) - np.roll(x, 1, axis=0)
        return x + spacings / 2 * np.stack([along[:, 1], -along[:, 0]], axis=1)

    def inside(self, n, rng):
        """Return points that fill the shape evenly: a sequence of low discrepancy, cut to it."""
        steps = np.array([0.7548776662466927, 0.5698402909980532])  # of R2, by the plastic number
        start = rng.rand(2)
        reach = float(np.exp(abs(self._heights).sum()))
        found: list[np.ndarray] = []
        first, n_found = 0, 0
        while n_found < n:
            numbers = np.arange(first, first + 2 * n)[:, None]
            x = reach * (2 * ((start + numbers * steps) % 1) - 1)
            limit = _INSIDE * self.radius(np.arctan2(x[:, 1], x[:, 0]))
            found.append(x[np.linalg.norm(x, axis=1) < limit])
            first, n_found = first + 2 * n, n_found + len(found[-1])
        return np.concatenate(found)[:n]
