"""Derivatives of predictions: those of differences, in the user's units."""

import numpy as np
import pytest

from skdyn import KANRegressor


@pytest.mark.parametrize(
    ("basis", "optimizer"), [("bspline", "lm"), ("rational", "adam"), ("selectable", "adam")]
)
@pytest.mark.filterwarnings("ignore:KANRegressor:UserWarning")  # it is soon stopped
def test_slopes_are_what_small_differences_tend_to(basis, optimizer):
    X = np.random.default_rng(0).uniform(-1, 1, (60, 3)) * [1, 10, 1e-3]
    Y = np.column_stack([np.sin(X[:, 0]) * X[:, 1], 1e4 * X[:, 2] ** 2])
    model = KANRegressor((2,), optimizer=optimizer, basis=basis, max_iter=5, random_state=0)
    model.fit(X, Y)
    at = np.vstack([X[:20], 1.2 * X[:20]])
    slopes = model.predict_gradient(at)
    assert slopes.shape == (40, 2, 3)
    for column, size in enumerate(np.abs(X).max(axis=0)):
        step = np.eye(3)[column] * 1e-5 * size
        difference = (model.predict(at + step) - model.predict(at - step)) / (2e-5 * size)
        scale = np.abs(slopes[:, :, column]).max()
        np.testing.assert_allclose(slopes[:, :, column], difference, rtol=0, atol=1e-5 * scale)


def test_of_one_target_there_is_one_row_each_and_constant_columns_have_no_slope():
    X = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    X[:, 1] = 3.0
    model = KANRegressor((), optimizer="lm", max_iter=10, random_state=0).fit(X, 2 * X[:, 0])
    slopes = model.predict_gradient(X.astype(np.float32))
    np.testing.assert_allclose(slopes, np.tile([2.0, 0.0], (60, 1)), atol=1e-4)


def test_a_formula_has_the_slopes_of_its_expression():
    X = np.random.default_rng(0).uniform(-1, 1, (60, 1))
    model = KANRegressor((), optimizer="lm", grid_sizes=8, max_iter=15, random_state=0)
    model.fit(X, np.sin(2 * X[:, 0])).fix_symbolic(0, 0, 0, "sin")
    np.testing.assert_allclose(model.predict_gradient(X)[:, 0], 2 * np.cos(2 * X[:, 0]), atol=1e-3)
