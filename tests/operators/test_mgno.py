"""Multigrid neural operators: what they learn, boundaries, resolutions, bad input."""

import numpy as np
import pytest

from skdyn import MgNORegressor
from skdyn.datasets import make_darcy, make_gaussian_random_field
from skdyn.metrics import relative_l2_error

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
small = {"hidden_channels": 8, "n_layers": 2, "random_state": 0, "learning_rate": 0.01}


def test_it_learns_darcys_equation():
    X, y = make_darcy(80, 9, random_state=0)
    model = MgNORegressor(max_iter=15, **small).fit(X[:60], y[:60])
    assert relative_l2_error(y[60:], model.predict(X[60:])) < 0.3


@pytest.mark.parametrize("boundary", ["dirichlet", "neumann", "periodic"])
def test_the_slope_is_learnt_with_every_boundary(boundary):
    X = make_gaussian_random_field(60, 16, boundary=boundary, n_modes=3, random_state=0)
    y = np.cumsum(X, axis=1) / 16 if boundary != "periodic" else np.roll(X, 1, axis=1) - X
    model = MgNORegressor(boundary, max_iter=15, **small).fit(X[:40], y[:40])
    assert relative_l2_error(y[40:], model.predict(X[40:])) < 0.5


def test_periodic_models_commute_with_shifts_of_their_coarsest_spacing():
    X = make_gaussian_random_field(20, 16, random_state=0)
    model = MgNORegressor("periodic", n_levels=2, max_iter=2, **small).fit(X, X**2)
    found = model.predict(np.roll(X, 6, axis=1))
    np.testing.assert_allclose(found, np.roll(model.predict(X), 6, axis=1), atol=1e-6)


@pytest.mark.parametrize("resolution", ["resample", "native"])
def test_it_predicts_on_other_grids(resolution):
    X, y = make_darcy(20, 9, random_state=0)
    model = MgNORegressor(max_iter=2, resolution=resolution, **small).fit(X, y)
    assert model.predict(np.ones((2, 1, 17, 12))).shape == (2, 1, 17, 12)
    assert model.predict(X[:2], grid=(5, 5)).shape == (2, 1, 5, 5)


def test_targets_may_be_numbers_or_on_another_grid():
    X, y = make_darcy(20, 9, random_state=0)
    assert MgNORegressor(max_iter=2, **small).fit(X, y.mean(axis=(1, 2, 3))).predict(X).ndim == 1
    coarse = MgNORegressor(max_iter=2, **small).fit(X, y[..., ::2, ::2])
    assert coarse.predict(X).shape == (20, 1, 5, 5)


@pytest.mark.parametrize(
    ("parameters", "shape", "message"),
    [
        ({"n_levels": 5}, (6, 1, 9, 9), r"n_levels=5, but the grid \(9, 9\) can be halved only 2"),
        (
            {"n_levels": 2, "boundary": "periodic"},
            (6, 1, 9),
            "can be halved only 0 times with boundary='periodic'",
        ),
        ({"boundary": "neumann"}, (6, 1, 1, 4), "has an axis of one point"),
        ({"boundary": "open"}, (6, 8), "The 'boundary' parameter"),
        ({"grid_shape": (3, 3)}, (6, 8), r"X has 8 columns.*grid \(3, 3\)"),
    ],
)
def test_bad_input_is_named(parameters, shape, message):
    X = np.random.default_rng(0).standard_normal(shape)
    with pytest.raises(ValueError, match=message):
        MgNORegressor(**parameters).fit(X, X)


def test_fields_of_other_axes_are_refused():
    X = np.ones((6, 1, 4, 4))
    with pytest.raises(ValueError, match=r"X is on a grid \(4, 4\) and y on \(4,\)"):
        MgNORegressor().fit(X, np.ones((6, 1, 4)))
    model = MgNORegressor(max_iter=1, **small).fit(X + np.arange(6.0).reshape(6, 1, 1, 1), X)
    with pytest.raises(ValueError, match="X has 3 features, but MgNORegressor is expecting 1"):
        model.predict(np.ones((2, 3, 4, 4)))
