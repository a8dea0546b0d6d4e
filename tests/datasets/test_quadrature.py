"""Shares of points in a domain."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from skdyn.datasets._quadrature import quadrature_weights


@pytest.mark.parametrize("n_axes", [1, 2, 3])
def test_linear_functions_on_the_hull_are_integrated_exactly(n_axes):
    x = np.random.default_rng(0).random((30, n_axes))
    corners = np.indices((2,) * n_axes).reshape(n_axes, -1).T
    weights = quadrature_weights(np.concatenate([x, corners]))
    values = 1 + np.concatenate([x, corners]).sum(axis=1)
    assert weights @ values == pytest.approx(1 + n_axes / 2)


def test_a_bay_of_the_edge_is_not_part_of_the_domain():
    rng = np.random.default_rng(0)
    angle = np.linspace(0, 1.5 * np.pi, 120)
    rings = [r * np.stack([np.cos(angle), np.sin(angle)], axis=1) for r in (0.8, 0.87, 0.93, 1.0)]
    coords = np.concatenate(rings) + 1e-3 * rng.normal(size=(480, 2))
    edge = np.repeat([True, False, False, True], 120) | np.tile(np.isin(angle, angle[[0, -1]]), 4)
    area = 0.75 * np.pi * (1 - 0.8**2)
    assert quadrature_weights(coords, edge).sum() == pytest.approx(area, rel=0.02)
    assert quadrature_weights(coords).sum() == pytest.approx(ConvexHull(coords).volume)


def test_points_on_a_line_and_in_many_axes_count_alike():
    line = np.stack([np.arange(5.0)] * 2, axis=1)
    for coords in (line, np.eye(5), line[:2]):
        np.testing.assert_array_equal(quadrature_weights(coords), 1 / len(coords))
