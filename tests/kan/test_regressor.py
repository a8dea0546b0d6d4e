"""The regressor against what is known exactly."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from skdyn import KANRegressor


def test_a_linear_function_is_fitted_exactly_and_continued():
    X = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    y = 3 * X[:, 0] - 2 * X[:, 1] + 1
    model = KANRegressor((), optimizer="lm", random_state=0).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-10)
    np.testing.assert_allclose(model.predict(2 * X), LinearRegression().fit(X, y).predict(2 * X))


def test_the_error_falls_with_the_fourth_power_of_the_grid():
    x = np.linspace(-1, 1, 300)[:, None]
    y = np.sin(3 * x[:, 0]) + np.exp(x[:, 0])
    errors = []
    for grid_size in (10, 20, 40):
        model = KANRegressor((), optimizer="lm", grid_sizes=grid_size, random_state=0).fit(x, y)
        errors.append(np.sqrt(np.mean((model.predict(x) - y) ** 2)))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, 4.0, atol=0.4)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_splines_of_any_order_learn(order):
    x = np.linspace(-1, 1, 300)[:, None]
    y = np.abs(x[:, 0]) + x[:, 0] ** 3
    model = KANRegressor((), optimizer="lm", spline_order=order, grid_sizes=10).fit(x, y)
    assert model.score(x, y) > 0.99


def test_a_product_node_makes_a_product_exactly():
    X = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    y = X[:, 0] * X[:, 1]
    model = KANRegressor(((0, 1),), optimizer="lm", grid_sizes=3, n_init=4, random_state=0).fit(
        X, y
    )
    np.testing.assert_allclose(model.predict(X), y, atol=1e-6)


def test_several_outputs_share_the_hidden_layer():
    X = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    Y = np.column_stack([np.exp(X[:, 0]), X[:, 1] ** 2, X[:, 0] + X[:, 1]])
    model = KANRegressor((3,), optimizer="lm", grid_sizes=3, max_iter=40, random_state=0).fit(X, Y)
    assert model.score(X, Y) > 0.999
    assert model.predict(X).shape == (100, 3)


def test_levenberg_marquardt_outdoes_gradient_descent_on_a_formula_by_far():
    X = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    y = np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)
    errors = {}
    for optimizer in ("adam", "lm"):
        model = KANRegressor(
            (1,), optimizer=optimizer, grid_sizes=10, n_init=2, max_iter=100, random_state=0
        )
        errors[optimizer] = np.sqrt(np.mean((model.fit(X, y).predict(X) - y) ** 2))
    assert errors["lm"] < 0.02 * errors["adam"]
    assert errors["lm"] < 1e-3


def test_weights_count_as_repeats():
    generator = np.random.default_rng(0)
    X = generator.uniform(-1, 1, (60, 2))
    y, weight = np.sin(2 * X[:, 0]) + 0.1 * generator.normal(size=60), generator.integers(0, 3, 60)
    options = {"hidden_layer_sizes": (2,), "optimizer": "lm", "max_iter": 15, "random_state": 0}
    weighted = KANRegressor(**options).fit(X, y, sample_weight=weight)
    repeated = KANRegressor(**options).fit(np.repeat(X, weight, 0), np.repeat(y, weight))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), atol=1e-4)
