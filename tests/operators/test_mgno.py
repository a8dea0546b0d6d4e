"""Multigrid neural operators: what they learn, boundaries, resolutions, bad input."""

import numpy as np
import pytest

from skdyn import MgNORegressor
from skdyn.datasets import make_darcy, make_gaussian_random_field
from skdyn.metrics import relative_l2_error
from skdyn.operators._grids import resample

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
small = {"hidden_channels": 8, "n_layers": 2, "random_state": 0, "learning_rate": 0.02}


def test_it_learns_darcys_equation():
    X, y = make_darcy(80, 7, random_state=0)
    model = MgNORegressor(max_iter=12, **small).fit(X[:60], y[:60])
    assert relative_l2_error(y[60:], model.predict(X[60:])) < 0.3


@pytest.mark.parametrize("boundary", ["dirichlet", "neumann", "periodic"])
def test_the_slope_is_learnt_with_every_boundary(boundary):
    X = make_gaussian_random_field(60, 16, boundary=boundary, n_modes=3, random_state=0)
    y = np.cumsum(X, axis=1) / 16 if boundary != "periodic" else np.roll(X, 1, axis=1) - X
    model = MgNORegressor(boundary, max_iter=11, **small).fit(X[:40], y[:40])
    assert relative_l2_error(y[40:], model.predict(X[40:])) < 0.5


@pytest.mark.parametrize(("resolution", "n_points"), [("resample", 16), ("native", 24)])
def test_periodic_models_commute_with_shifts_of_their_coarsest_spacing(resolution, n_points):
    X, Z = (make_gaussian_random_field(20, n, random_state=0)[:, None] for n in (16, n_points))
    model = MgNORegressor("periodic", resolution=resolution, n_levels=2, max_iter=2, **small)
    answers = model.fit(X, X**2).predict(Z)
    assert answers.shape == Z.shape
    assert np.ptp(answers) > 0.1
    found = model.predict(np.roll(Z, 6, axis=2))
    np.testing.assert_allclose(found, np.roll(answers, 6, axis=2), atol=1e-5)


def test_on_other_grids_the_answers_are_those_of_the_grid_of_the_fit_resampled():
    X, y = make_darcy(20, 9, random_state=0)
    model = MgNORegressor(max_iter=2, **small).fit(X, y)
    here = model.predict(X[:2])
    np.testing.assert_allclose(
        model.predict(X[:2], grid=(17, 5)), resample(here, (17, 5), periodic=False), atol=1e-6
    )
    finer = resample(X[:2], (17, 17), periodic=False)
    there = model.predict(finer)  # its every second point is one of X
    np.testing.assert_allclose(there[..., ::2, ::2], here, atol=1e-5)


def test_targets_may_be_numbers_or_on_another_grid():
    X, y = make_darcy(20, 9, random_state=0)
    means, quick = y.mean(axis=(1, 2, 3)), {"max_iter": 8, "batch_size": 10}
    numbers = MgNORegressor(**quick, **small).fit(X, means)
    assert numbers.predict(X).shape == (20,)
    assert numbers.score(X, means) > 0.5
    coarse = MgNORegressor(**quick, **small).fit(X, y[..., ::2, ::2])
    assert coarse.predict(X).shape == (20, 1, 5, 5)
    assert relative_l2_error(y[..., ::2, ::2], coarse.predict(X)) < 0.4


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
