"""Poisson's equation on shapes."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve
from scipy.spatial import Delaunay

from skdyn.datasets import make_poisson_shapes
from skdyn.datasets._quadrature import simplex_volumes


def finite_elements(case):
    """Solve by linear finite elements on triangles; nothing of the generator's way."""
    xy, edge = case.coords, case.edge
    cells = Delaunay(xy).simplices
    sides = xy[cells[:, [1, 2, 0]]] - xy[cells[:, [2, 0, 1]]]
    stiffness = sides @ sides.swapaxes(1, 2) / (4 * simplex_volumes(xy, cells))[:, None, None]
    rows, columns = np.broadcast_arrays(cells[:, :, None], cells[:, None])
    whole = coo_array((stiffness.ravel(), (rows.ravel(), columns.ravel()))).tocsr()
    u = case.values[:, 1].copy()
    load = case.weights * case.values[:, 0] - whole @ u
    u[~edge] = spsolve(whole[~edge][:, ~edge].tocsc(), load[~edge])
    return u


def test_solutions_are_those_of_finite_elements():
    X, y = make_poisson_shapes(2, 1000, irregularity=0.05, random_state=0)
    for case, truth in zip(X, y, strict=True):
        error = finite_elements(case) - truth.values[:, 0]
        assert np.linalg.norm(error) < 0.01 * np.linalg.norm(truth.values)


def test_the_edge_has_its_values_on_the_most_irregular_shapes():
    X, y = make_poisson_shapes(20, 40, irregularity=0.29, random_state=0)
    np.testing.assert_allclose(y.values[X.edge, 0], X.values[X.edge, 1], atol=2e-3)
    assert np.ptp(X.sizes) > 5
    assert not X.values[~X.edge, 1].any()


def test_weights_are_areas_of_the_shapes():
    X, _ = make_poisson_shapes(3, irregularity=0, random_state=0)
    ones = X.with_values(np.ones(len(X.coords)))
    np.testing.assert_allclose(ones.integrals(), np.pi, rtol=0.01)
