"""The operator on clouds of points."""

from functools import cache

import numpy as np
import pytest

import skdyn
from skdyn import PointCloudOperatorRegressor
from skdyn.datasets import FieldData, make_poisson_shapes

QUICK = {"hidden_channels": 16, "n_layers": 1, "n_experts": 2, "max_iter": 10, "random_state": 0}


@cache
def shapes():
    return make_poisson_shapes(50, 30, random_state=0)


@cache
def fitted(**parameters):
    X, y = shapes()
    return PointCloudOperatorRegressor(**QUICK | parameters).fit(X[:40], y[:40])


def reordered(X, rows):
    """Take points of a single case in another order."""
    return FieldData(X.coords[rows], X.values[rows], [0, len(rows)], edge=X.edge[rows],
                     weights=X.weights[rows])  # fmt: skip


@pytest.mark.parametrize("neighbors", [0, 3])
def test_new_shapes_are_answered(neighbors):
    X, y = shapes()
    assert fitted(neighbors=neighbors).score(X[40:], y[40:]) > 0.9


def test_the_order_of_points_changes_nothing():
    X = shapes()[0][45]
    rows = np.random.default_rng(0).permutation(len(X.coords))
    found = fitted().predict(reordered(X, rows)).values
    np.testing.assert_allclose(found, fitted().predict(X).values[rows], atol=1e-10)


def test_doubled_points_with_half_the_weights_are_the_same_cloud():
    X = shapes()[0][45]
    double = reordered(X, np.arange(len(X.coords)).repeat(2))
    double.weights /= 2
    found = fitted().predict(double).values
    np.testing.assert_allclose(found[::2], fitted().predict(X).values, atol=1e-10)


def test_a_case_is_answered_alone_as_among_others():
    X = shapes()[0][40:]
    together = fitted().predict(X)
    for number in (0, 7):
        alone = fitted().predict(X[number]).values
        np.testing.assert_allclose(alone, together[number].values, atol=1e-10)


def test_answers_do_not_depend_on_where_else_they_are_asked_for():
    X = shapes()[0][45:46]
    everywhere = fitted().predict(X).values
    np.testing.assert_allclose(fitted().predict(X, at=X.coords[5:8]).values, everywhere[5:8])
    some = FieldData.from_lists([X.coords[5:8]], weights=None)
    np.testing.assert_allclose(fitted().predict(X, at=some).values, everywhere[5:8])


def test_harmonic_functions_are_met_on_shapes_that_are_new():
    X = shapes()[0][40:]
    x, z = X.coords.T
    u = x**2 - z**2 + x * z
    X = X.with_values(np.stack([np.zeros_like(u), u * X.edge], axis=1))
    assert fitted().score(X, X.with_values(u)) > 0.8


def test_targets_may_lie_elsewhere_than_inputs():
    X, y = shapes()
    rows = [np.arange(0, n, 2) for n in y.sizes]
    parts = zip(y, rows, strict=True)
    coords, values = zip(*((case.coords[r], case.values[r]) for case, r in parts), strict=True)
    half = FieldData.from_lists(coords, values)
    model = PointCloudOperatorRegressor(**QUICK).fit(X[:40], half[:40])
    assert model.score(X[40:], half[40:]) > 0.9


def test_numbers_of_a_case_are_learned_from_its_points():
    X, y = shapes()
    means = y.integrals()[:, 0]
    model = PointCloudOperatorRegressor(**QUICK | {"max_iter": 15}).fit(X[:40], means[:40])
    assert model.predict(X[40:]).shape == (10,)
    assert model.score(X[40:], means[40:]) > 0.8


def test_parameters_of_a_case_are_read():
    X, _ = shapes()
    X = FieldData(X.coords, X.values[:, :0], X.offsets, parameters=np.linspace(-1, 1, 50))
    y = X.with_values(np.repeat(X.parameters[:, 0], X.sizes) * X.coords[:, 0])
    model = PointCloudOperatorRegressor(**QUICK | {"batch_size": 4}).fit(X[::2], y[::2])
    assert model.score(X[1::2], y[1::2]) > 0.8


def test_a_file_gives_the_model_back(tmp_path):
    X = shapes()[0][40:]
    skdyn.io.save(fitted(), tmp_path / "model")
    again = skdyn.io.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict(X).values, fitted().predict(X).values)


def test_what_does_not_fit_the_model_is_refused():
    X, y = shapes()
    with pytest.raises(ValueError, match="2 axes, 1 channels and 0 parameters, but"):
        fitted().predict(y)
    with pytest.raises(ValueError, match=r"FieldData.from_grid\(X\)"):
        fitted().predict(np.zeros((2, 1, 4, 4)))
    with pytest.raises(ValueError, match="X has 50 cases, y has 40: inconsistent"):
        PointCloudOperatorRegressor().fit(X, y[:40])
    with pytest.raises(ValueError, match="at must have places of 2 axes"):
        fitted().predict(X[:1], at=[[0.0]])
    with pytest.raises(ValueError, match="n_heads=5 does not divide"):
        PointCloudOperatorRegressor(n_heads=5).fit(X, y)
