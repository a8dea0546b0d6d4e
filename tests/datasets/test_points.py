"""Points of grids and meshes."""

import numpy as np
import pytest

from skdyn.datasets._points import grid_points, mesh_shares


def test_shares_of_a_grid_sum_to_its_volume_whichever_way_an_axis_runs():
    points, shares, edge = grid_points((3, 4, 2), [(0, 1), (2, 0), (-1, 2)])
    assert points.shape == (24, 3)
    assert shares.sum() == pytest.approx(6)
    assert edge.all()  # of two points on an axis, both are ends


def test_nodes_share_their_cells_and_inner_ones_are_not_of_the_edge():
    xy = np.array([[0, 0], [2, 0], [2, 2], [0, 2], [1, 1]], float)
    cells = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    shares, edge = mesh_shares(xy, cells, 0)
    np.testing.assert_allclose(shares, [2 / 3, 2 / 3, 2 / 3, 2 / 3, 4 / 3])
    assert edge.tolist() == [True] * 4 + [False]


@pytest.mark.parametrize(
    ("cells", "message"),
    [([[0, 1]], "must have 3 corners on 2 axes"), ([[0, 1, 5]], "name nodes beyond its 3")],
)
def test_cells_that_are_none_are_refused(cells, message):
    with pytest.raises(ValueError, match=f"Cells of mesh 2 {message}"):
        mesh_shares(np.eye(3)[:, :2], np.array(cells), 2)
