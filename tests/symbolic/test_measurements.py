import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from skdyn.symbolic import SINDyRegressor
from skdyn.symbolic._measurements import (
    Measurements,
    Segment,
    check_inputs,
    dependence,
    read_measurements,
)

T = np.linspace(0, 3, 31)
X = np.stack([np.cos(T), np.sin(T)], axis=1)
U = np.cos(3 * T)[:, None]


class Reader(BaseEstimator):
    """What the reader asks of an estimator."""

    def __init__(self, max_gap="auto"):
        self.max_gap = max_gap


def read(X, t=None, u=None, groups=None, max_gap="auto"):
    return read_measurements(Reader(max_gap), X, None, t, u, groups, reset=True).segments


def names_of(u, X, y=None):
    reader = Reader()
    read_measurements(reader, X, y, u=u, reset=True)
    return reader.control_names_


def beside(X, y, u=None, sample_weight=None):
    return read_measurements(Reader(), X, y, u=u, sample_weight=sample_weight, reset=True)


def assert_same(found, expected):
    assert len(found) == len(expected)
    for segment, other in zip(found, expected, strict=True):
        for mine, its in zip(segment, other, strict=True):
            np.testing.assert_array_equal(mine, its)


def test_every_layout_gives_the_same_segments():
    cases = np.stack([X.T, -X.T])
    expected = read(cases, T, np.stack([U.T, 2 * U.T]))
    assert_same(expected[:1], [(T, X, U)])
    assert_same(read([X.T, -X.T], [T, T], [U.T, 2 * U.T]), expected)
    tall = np.concatenate([X, -X]), np.tile(T, 2), np.concatenate([U, 2 * U])
    assert_same(read(*tall, groups=np.repeat(["a", "b"], 31)), expected)
    mixed = np.arange(62).reshape(2, 31).T.ravel()
    rows = [part[mixed] for part in tall]
    assert_same(read(*rows, groups=np.tile([3, 7], 31)), expected)


def test_cases_of_unequal_length_keep_their_own():
    found = read([X.T, X[:20].T], [T, T[:20]], [U.T, U[:20].T])
    assert_same(found, [(T, X, U), (T[:20], X[:20], U[:20])])


def test_times_count_where_none_are_given():
    np.testing.assert_array_equal(read(X)[0].t, np.arange(31))
    found = read(np.concatenate([X, X]), groups=np.repeat([0, 1], 31))
    np.testing.assert_array_equal(found[1].t, np.arange(31))


def test_a_number_is_the_step_between_times():
    cases, T_half = [X.T, X[:20].T], 0.5 * np.arange(31)
    for found, n in zip(read(cases, 0.5), (31, 20), strict=True):
        np.testing.assert_array_equal(found.t, T_half[:n])
    rows = np.where(np.isin(np.arange(31), np.arange(8, 23))[:, None], np.nan, X)
    assert [len(s.t) for s in read(rows, np.float64(0.5))] == [8, 8]
    assert [len(s.t) for s in read(rows, 2, max_gap=40.0)] == [16]
    assert [len(s.t) for s in read(rows, 0.5, max_gap=10.0)] == [16]  # in units of time
    for step in (0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="t must be a positive step, or times; got"):
            read(X, step)


def test_incomplete_rows_are_left_out_and_times_become_irregular():
    gaps, holes = X.copy(), U.copy()
    gaps[4, 1] = holes[9] = np.nan
    kept = np.delete(np.arange(31), [4, 9])
    assert_same(read(gaps, T, holes), [(T[kept], X[kept], U[kept])])


def test_a_long_gap_splits_and_a_short_one_does_not():
    rows = np.delete(np.arange(31), np.arange(8, 23))
    assert_same(read(X[rows], T[rows]), [(T[:8], X[:8], None), (T[23:], X[23:], None)])
    assert len(read(X[rows], T[rows], max_gap=2.0)) == 1
    rows = np.delete(np.arange(31), np.arange(8, 12))
    assert len(read(X[rows], T[rows])) == 1
    assert len(read(X[rows], T[rows], max_gap=0.3)) == 2


@pytest.mark.parametrize("units", [1e-9, 1e9])
def test_what_a_long_gap_is_does_not_depend_on_the_unit_of_time(units):
    rows = np.delete(np.arange(31), np.arange(8, 23))
    assert len(read(X[rows], units * T[rows])) == 2


def test_names_of_controls_come_from_a_frame_or_are_counted():
    cases = np.stack([X.T] * 5)
    assert names_of(None, X) == []
    assert names_of(pd.DataFrame({"dose": U[:, 0], 3: 0.0}), X) == ["dose", "3"]
    assert names_of(U, X) == names_of(U[:, 0], X) == ["u0"]
    assert names_of([U.T], cases[:1]) == ["u0"]
    assert names_of([np.zeros(31)] * 5, cases) == ["u0"]
    assert names_of(np.zeros((5, 2, 31)), cases) == ["u0", "u1"]
    assert names_of(np.zeros((5, 2, 31)), cases, cases) == ["u0", "u1"]


def test_controls_without_rows_for_all_states_are_refused():
    with pytest.raises(ValueError, match="a row for each of the 31 rows of X; it has 30"):
        read(X, T, U[:-1])
    with pytest.raises(ValueError, match="in the layout of X"):
        read(np.stack([X.T, X.T]), T, U)
    with pytest.raises(ValueError, match="u contains infinity in case 1"):
        read([X.T, X.T], [T, T], [U.T, np.full((1, 31), np.inf)])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda X, t: (np.where([True, False], np.nan, X), t),
            r"Channel 0 .*\(NaN\) at every time",
        ),
        (lambda X, t: (X, np.sort(t)[::-1]), "strictly increase"),
        (lambda X, t: (X, np.maximum(t, 1.0)), "merge duplicates"),
        (lambda X, t: (np.where(X > 0.9, np.inf, X), t), "infinity"),
        (lambda X, t: (X[:1], t[:1]), "n_samples = 1"),
        (lambda X, t: (X, t[:-1]), "30"),
    ],
    ids=["empty channel", "decreasing", "duplicate", "infinite", "one row", "too few times"],
)
@pytest.mark.parametrize("grouped", [False, True])
def test_data_that_cannot_be_used_are_named_with_their_group(change, complaint, grouped):
    changed, t = change(X, T)
    groups = np.full(len(changed), "g") if grouped else None
    with pytest.raises(ValueError, match=complaint) as info:
        read(changed, t, groups=groups)
    named = grouped and "infinity" not in complaint and complaint != "30"
    assert str(info.value).startswith("In group 'g': ") == named


def test_a_column_that_does_not_vary_is_refused_by_name():
    with pytest.raises(ValueError, match="b is constant"):
        dependence(np.stack([T, np.full(31, 1e9)], 1), ["a", "b"])
    with pytest.raises(ValueError, match="v is constant"):
        dependence(read(X, T, np.ones(31))[0].inputs, ["a", "b", "v"])


@pytest.mark.parametrize("units", [1e-8, 1.0, 1e8])
def test_columns_that_add_up_to_a_constant_are_told_by_name_in_any_units(units):
    susceptible, infected = np.exp(-T), T * np.exp(-T)
    rest = units * (1 - susceptible - infected)
    columns = np.stack([susceptible, np.cos(T), infected, rest], axis=1)
    told = dependence(columns, ["S", "c", "I", "R"])
    assert "The columns S, I, R are linearly dependent: " in told
    assert " is constant" in told
    noisy = columns + units * 1e-3 * np.random.default_rng(0).normal(size=columns.shape)
    assert dependence(noisy, ["S", "c", "I", "R"]) is None


def test_rows_of_cases_are_below_each_other():
    found = beside([X.T, X[:4].T], [T, T[:4]])
    np.testing.assert_array_equal(found.inputs, np.r_[X, X[:4]])
    np.testing.assert_array_equal(found.targets[:, 0], np.r_[T, T[:4]])
    with pytest.raises(ValueError, match="y must have the layout of X: 2 cases with time last"):
        beside([X.T, X[:4].T], [X.T, X.T])


def test_targets_that_are_no_derivatives_are_named():
    Y = np.stack([T, T**2, T**3], axis=1)
    assert beside(X, pd.DataFrame({"a": T, "b": T, "c": T})).target_names == ["a", "b", "c"]
    assert beside(X, pd.Series(T, name="rate")).target_names == ["rate"]
    assert beside(X, T).target_names == ["y"]
    assert beside(X, Y).target_names == ["y0", "y1", "y2"]
    assert beside(X, X).target_names is None
    assert beside(X[:, :1], T).target_names == ["y"]  # one row of numbers may be anything
    assert beside(X[:, :1], T[:, None]).target_names is None


def test_stretches_that_are_too_short_are_left_out_and_too_few_rows_refused():
    rows = np.r_[:20, 28, 29, 30]
    data = Measurements(read(X[rows], T[rows], max_gap=0.5), counted=False)
    assert [len(s.t) for s in data.segments] == [20, 3]
    long = data.long(5, 5, "it", "or else")
    assert long.segments == data.segments[:1]
    assert len(long.inputs) == 20
    assert not long.counted
    assert len(data.long(3, 23, "it", "or else").segments) == 2
    message = "n_samples = 23 complete rows, of which 20 in stretches of 5 .* it needs 21 .* or els"
    with pytest.raises(ValueError, match=message):
        data.long(5, 21, "it", "or else")


def test_rates_are_the_slopes_of_lines_even_under_noise():
    t = np.linspace(0.0, 4.0, 400)
    lines = np.stack([3.0 * t, -0.5 * t], axis=1)
    two = [Segment(t, lines, None), Segment(t, -lines, t[:, None])]
    np.testing.assert_allclose(Measurements(two).rates, [3.0, 0.5])
    noisy = lines + 0.02 * np.random.default_rng(0).normal(size=lines.shape)
    np.testing.assert_allclose(Measurements([Segment(t, noisy, None)]).rates, [3.0, 0.5], rtol=0.1)


def test_rates_of_targets_are_their_spread_or_one_where_there_is_none():
    found = beside(X, np.stack([3 * T, np.ones(31), T], axis=1))
    np.testing.assert_allclose(found.rates, [3 * T.std(), 1.0, T.std()])


def test_rows_beside_targets_keep_them_and_their_weights():
    gaps, weight = X.copy(), np.arange(31.0)
    gaps[3] = np.nan
    found = beside(gaps, T, U, weight)
    kept = np.delete(np.arange(31), 3)
    np.testing.assert_array_equal(found.inputs, np.hstack([X, U])[kept])
    np.testing.assert_array_equal(found.targets[:, 0], T[kept])
    np.testing.assert_array_equal(found.weight, weight[kept])
    assert found.flat
    assert found.segments == []
    cases = beside(gaps.T[None], X.T[None], U.T[None])
    np.testing.assert_array_equal(cases.inputs, found.inputs)
    assert not cases.flat
    with pytest.raises(ValueError, match="sample_weight needs y"):
        beside(X, None, sample_weight=weight)


def test_steps_of_one_are_those_that_are_counted_anyway():
    for t, counted in ((None, True), (T, False), (np.arange(31.0), True), (0.1, False), (1, True)):
        assert read_measurements(Reader(), X, t=t, reset=True).counted is counted
        model = SINDyRegressor().fit(X, t=t)
        assert model._counts_times is counted


def test_controls_other_than_those_of_fit_are_refused():
    reader = Reader()
    read_measurements(reader, X, u=U, reset=True)
    for y in (None, X):
        read_measurements(reader, X, y, u=2 * U[:, 0], reset=False)
        with pytest.raises(ValueError, match=r"1 controls seen during fit \(u0\); got 0"):
            read_measurements(reader, X, y, reset=False)
    np.testing.assert_array_equal(check_inputs(X, U[:, 0], ["push"]), np.hstack([X, U]))
    with pytest.raises(ValueError, match=r"2 controls seen during fit \(a, b\); got 1"):
        check_inputs(X, U, ["a", "b"])
    with pytest.raises(ValueError, match=r"0 controls seen during fit \(none\); got 1"):
        check_inputs(X, U, [])


def test_one_control_may_come_without_an_axis_of_its_own():
    cases = np.stack([X.T, -X.T])
    expected = read(cases, T, np.stack([U.T, 2 * U.T]))
    assert_same(read(cases, T, [U[:, 0], 2 * U[:, 0]]), expected)
    assert_same(read(cases, T, np.stack([U[:, 0], 2 * U[:, 0]])), expected)
