import warnings

import numpy as np
import pytest

from skdyn._outliers import far_values, held_in

X = np.random.default_rng(0).normal(size=(120, 3))


def places(columns, weight=None):
    return [(far.column, *far.rows.tolist()) for far in far_values(columns, weight)]


def with_value(columns, row, column, value):
    columns = columns.copy()
    columns[row, column] = value
    return columns


@pytest.mark.parametrize("value", [1e3, -1e3, 1e75, 1e300])
@pytest.mark.parametrize("unit", [1.0, 1e-200, 1e5])
def test_one_value_far_from_all_others_is_found_in_any_unit(value, unit):
    assert places(with_value(X, 7, 1, value) * unit) == [(1, 7)]


def test_several_far_values_are_found_whatever_lies_between_them():
    columns = with_value(with_value(with_value(X, 7, 1, 1e3), 9, 1, -1e9), 11, 1, 1.1e3)
    assert places(columns) == [(1, 7, 9, 11)]


@pytest.mark.parametrize("tail", ["standard_cauchy", "lognormal", "pareto"])
def test_heavy_tails_are_left_alone(tail):
    draw = getattr(np.random.default_rng(1), tail)
    shape = {"standard_cauchy": (), "lognormal": (0.0, 3.0), "pareto": (0.5,)}[tail]
    columns = draw(*shape, size=(1000, 500))
    assert np.abs(columns).max() > 1e4 * np.median(np.abs(columns))
    assert len(places(columns)) <= 6  # 2 / n of 500 columns is one


@pytest.mark.parametrize(
    "column",
    [
        np.arange(100) == 7,  # all others are one number
        1.0 + 1e-16 * np.arange(100) + (np.arange(100) == 7),  # rounding included
        100.0 * (np.arange(100) < 10) + X[:100, 0] / 10,  # a tenth is not few
        np.r_[np.zeros(94), 1, 2, 1, 3, 1, 90],  # of six numbers none can be told
        np.full(100, np.nan),
    ],
    ids=["indicator", "rounding", "mode", "sparse", "missing"],
)
def test_what_nothing_tells_from_a_kind_of_its_own_is_left_alone(column):
    assert places(column.astype(float)[:, None]) == []


def test_nothing_is_far_among_few_rows():
    assert places(with_value(X, 7, 1, 1e6)[:20]) == []
    assert places(with_value(X, 7, 1, 1e6)[:22]) == [(1, 7)]


def test_weights_count_as_repeated_rows_do():
    columns, weight = with_value(X, 7, 1, 1e6), np.ones(120, dtype=int)
    for times, found in ((1, True), (5, True), (7, False), (0, False)):
        weight[7] = times
        repeated = np.repeat(columns, weight, axis=0)
        assert bool(places(columns, weight)) == bool(places(repeated)) == found
        assert bool(places(columns, weight / 1e3)) == found


def test_missing_numbers_are_none():
    columns = with_value(X, 7, 1, 1e6)
    columns[20:90] = np.nan
    assert places(columns) == [(1, 7)]


def test_ordinary_columns_come_back_as_they_are():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert held_in(X, None, "X", edge=2.0) is X


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_far_values_are_held_in_and_their_places_told(dtype):
    columns = with_value(with_value(X, 7, 1, -1e6), 9, 2, 1e6).astype(dtype)
    before = columns.copy()
    with pytest.warns(UserWarning, match=r"^X_val .*row 7 column 1, row 9 column 2\).*-1e\+06"):
        held = held_in(columns, None, "X_val", edge=2.0)
    np.testing.assert_array_equal(columns, before)
    assert held.dtype == dtype
    others = np.delete(X[:, 1], 7)
    middle = np.sort(columns[:, 1])[59]
    assert held[7, 1] == pytest.approx(middle - 2 * np.abs(others - middle).max(), rel=1e-6)
    same = held == before
    assert same.sum() == same.size - 2
