"""Columns whose values do not suit the range of a grid are named."""

import warnings

import numpy as np
import pytest

from skdyn import KANRegressor
from skdyn.kan._ranges import crowded, drifted


@pytest.fixture(scope="module")
def normal():
    return np.random.default_rng(0).normal(size=(200, 3))


def test_values_over_orders_of_magnitude_are_crowded_and_ordinary_ones_are_not(normal):
    rare = normal > 1.5
    assert crowded(np.exp(3 * normal)).all()
    assert crowded(-np.exp(3 * normal)).all()
    for ordinary in (normal, normal**2, np.exp(normal / 2), rare.astype(float), normal[:1]):
        assert not crowded(ordinary).any()


def test_a_crowded_column_is_named_by_fit(normal):
    X = np.column_stack([normal[:, 0], np.exp(3 * normal[:, 1])])
    with pytest.warns(UserWarning, match="values of X in column 1 lie within a tenth"):
        KANRegressor((), max_iter=2).fit(X, normal[:, 2])


def test_partial_fit_names_the_columns_that_leave_the_range_of_the_first_batch(normal):
    y = normal.sum(axis=1)
    model = KANRegressor((), tol=0).partial_fit(normal, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(normal[::-1], y[::-1])
    with pytest.warns(UserWarning, match="its first batch in column 1: grids stay"):
        model.partial_fit(normal + np.array([0, 3, 0]), y)


def test_a_few_values_outside_are_no_drift(normal):
    low, high = np.quantile(normal, [0.01, 0.99], axis=0)
    assert not drifted(normal, low, high).any()
    assert drifted(normal + np.array([4, 0, -4]), low, high).tolist() == [True, False, True]


def test_rows_are_far_from_three_quarters_of_the_range_on():
    X = np.linspace(0, 1, 30)[:, None]
    model = KANRegressor((), optimizer="lm", max_iter=3, tol=0.5).fit(X, X[:, 0])
    with warnings.catch_warnings(action="error"):
        model.predict([[1.7], [-0.7]])
    with pytest.warns(UserWarning, match=r"by more than 0.75 of its width in column 0"):
        model.predict([[-0.8]])
