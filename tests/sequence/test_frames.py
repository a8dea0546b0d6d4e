"""Frames of pandas: all layouts of the same series are read alike."""

import numpy as np
import pandas as pd
import pytest

from skdyn.sequence import series_from_frame

X = [np.array([[1.0, 2.0, 4.0], [5.0, np.nan, 6.0]]), np.array([[3.0, 1.0], [0.0, 8.0]])]
T = [np.array([0.0, 0.5, 2.0]), np.array([1.0, 4.0])]


def long_table():
    rows = [
        (case, time, name, value)
        for case, values, times in zip("ab", X, T, strict=True)
        for name, channel in zip(["p", "q"], values, strict=True)
        for time, value in zip(times, channel, strict=True)
        if not np.isnan(value)
    ]
    return pd.DataFrame(rows, columns=["case", "time", "channel", "value"])


def by_levels():
    index = [(case, time) for case, times in zip("ab", T, strict=True) for time in times]
    return pd.DataFrame(np.hstack(X).T, pd.MultiIndex.from_tuples(index), ["p", "q"])


def nested():
    cells = [
        {"p": pd.Series(x[0], t), "q": pd.Series(x[1], t).dropna()}
        for x, t in zip(X, T, strict=True)
    ]
    return pd.DataFrame(cells, index=["a", "b"])


@pytest.mark.parametrize("frame", [
    long_table(), long_table().sample(frac=1, random_state=0), by_levels(), by_levels()[::-1],
    nested(),
])  # fmt: skip
def test_all_layouts_say_the_same(frame):
    found = series_from_frame(frame)
    for mine, theirs in ((found.X, X), (found.t, T)):
        for case, other in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(case, other)
    assert found.cases.tolist() == ["a", "b"]
    assert found.channels.tolist() == ["p", "q"]


def _with_categories(frame, level=None):
    kind = pd.CategoricalDtype(["c", "b", "a"])  # not the order of the letters, and one unused
    if level is None:
        return frame.astype({"case": kind, "channel": pd.CategoricalDtype(["q", "p", "o"])})
    frame = frame.copy()
    frame.index = frame.index.set_levels(pd.CategoricalIndex(["a", "b"], dtype=kind), level=0)
    return frame


@pytest.mark.parametrize("frame", [
    _with_categories(long_table()), _with_categories(by_levels(), 0),
], ids=["long", "levels"])  # fmt: skip
def test_cases_in_categories_are_sorted_with_their_series(frame):
    found = series_from_frame(frame)
    assert found.cases.tolist() == ["a", "b"]
    assert found.channels.tolist() == ["p", "q"]
    for mine, theirs in ((found.X, X), (found.t, T)):
        for case, other in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(case, other)


def test_cases_may_have_names_of_several_kinds():
    table = long_table().replace({"case": {"a": 1}})
    found = series_from_frame(table)
    named = dict(zip(found.cases, found.X, strict=True))
    np.testing.assert_array_equal(named[1], X[0])


def test_a_list_of_arrays_is_counted():
    found = series_from_frame(X)
    np.testing.assert_array_equal(found.X[0], X[0])
    assert found.t[1].tolist() == [0.0, 1.0]


def test_dates_are_numbers_in_a_unit_that_was_asked_for():
    table = long_table()
    table["time"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(table["time"], unit="D")
    with pytest.raises(ValueError, match="unit='D'"):
        series_from_frame(table)
    found = series_from_frame(table, unit="h")
    np.testing.assert_allclose(found.t[0], 24 * T[0])
    np.testing.assert_allclose(found.t[1], [0.0, 72.0])  # from a case's first one on
    with pytest.raises(ValueError, match="unit='h' is for dates"):
        series_from_frame(long_table(), unit="h")


def test_one_channel_needs_no_column_of_channels():
    table = long_table().query("channel == 'p'").drop(columns="channel")
    np.testing.assert_array_equal(series_from_frame(table).X[0], X[0][:1])


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.concat([long_table(), long_table()[:1]]), "more than one value for .*'a'"),
        (pd.concat([by_levels(), by_levels()[:1]]), "more than one row for .*'a'"),
        (long_table().replace({"time": 0.5}, np.nan), "no 'time'"),
        (long_table().rename(columns={"value": "y"}), "name them by case="),
        (pd.DataFrame({"p": [1.0, 2.0]}), "none of"),
        ([np.zeros((2, 3)), np.zeros((1, 3))], "must have the shape"),
        (long_table()[:0], "no rows"),
        ([], "empty"),
    ],
)
def test_frames_that_say_no_series_are_refused(frame, words):
    with pytest.raises(ValueError, match=words):
        series_from_frame(frame)


@pytest.mark.peer
@pytest.mark.parametrize("kind", ["np-list", "df-list", "pd-multiindex", "numpy3D"])
def test_collections_of_aeon_are_read(kind):
    conversion = pytest.importorskip(
        "aeon.utils.conversion", reason="aeon is not installed; it asks for an older pandas"
    )
    values = np.random.default_rng(0).normal(size=(4, 2, 5))
    found = series_from_frame(conversion.convert_collection(values, kind))
    np.testing.assert_array_equal(found.X, values)
    assert found.t[0].tolist() == [0, 1, 2, 3, 4]
