import datetime

import numpy as np
import pandas as pd
import pytest

from skdyn import NeuralODE, SINDyRegressor
from skdyn._time_units import read_times
from skdyn.io import load, save
from skdyn.model_selection import calibrate_intervals


class Reader:
    """Something that reads times."""


def _decay(n=80, seed=0):
    days = np.sort(np.random.default_rng(seed).uniform(0, 5, n))
    dates = pd.Timestamp("2020-01-01") + pd.to_timedelta(days, "D")
    return pd.DataFrame({"x": np.exp(-days)}, index=dates), days


@pytest.mark.parametrize(
    ("lasts", "unit"),
    [
        ("900D", "days"),
        ("2D", "days"),
        ("47h", "hours"),
        ("2min", "minutes"),
        ("9us", "microseconds"),
    ],
)
def test_the_unit_is_the_longest_that_cases_hold_twice(lasts, unit):
    reader = Reader()
    dates = pd.Timestamp("2001-02-03 12:00") + np.linspace(0, 1, 10) * pd.Timedelta(lasts)
    numbers = read_times(reader, dates, reset=True)
    assert reader.time_unit_ == f"{unit} since 2001-02-03"
    expected = pd.Timedelta(lasts) / pd.Timedelta(1, unit)
    np.testing.assert_allclose(np.ptp(numbers), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "given",
    [
        pd.DatetimeIndex(["2020-01-02", "2020-01-04"]),
        pd.DatetimeIndex(["2020-01-02 01:00", "2020-01-04 01:00"], tz="Europe/Paris"),
        pd.Series(pd.DatetimeIndex(["2020-01-02", "2020-01-04"])),
        pd.PeriodIndex(["2020-01-02", "2020-01-04"], freq="D"),
        np.array(["2020-01-02", "2020-01-04"], dtype="M8[D]"),
        np.array(["2020-01-02", "2020-01-04"], dtype="M8[ns]"),
        [datetime.date(2020, 1, 2), datetime.date(2020, 1, 4)],
        [datetime.datetime(2020, 1, 2), datetime.datetime(2020, 1, 4)],
    ],
)
def test_dates_of_every_kind_are_the_same_numbers(given):
    reader = Reader()
    reader.time_unit_ = "days since 2020-01-01"
    np.testing.assert_array_equal(read_times(reader, given, reset=False), [1.0, 3.0])


def test_rows_of_cases_and_missing_dates():
    reader = Reader()
    rows = [pd.date_range("2020-01-02", periods=3), pd.date_range("2020-01-01", periods=2)]
    numbers = read_times(reader, rows, reset=True)
    assert reader.time_unit_ == "days since 2020-01-01"
    np.testing.assert_array_equal(numbers[0], [1, 2, 3])
    padded = np.array([["2020-01-03", "NaT"]], dtype="M8[D]")
    np.testing.assert_array_equal(read_times(reader, padded, reset=False), [[2.0, np.nan]])


def test_durations_are_counted_from_nothing():
    reader = Reader()
    numbers = read_times(reader, pd.to_timedelta([30, 180], "min"), reset=True)
    assert reader.time_unit_ == "hours"
    np.testing.assert_array_equal(numbers, [0.5, 3.0])
    assert read_times(reader, [0.25, 1.0], reset=False) == [0.25, 1.0]  # numbers are in the unit
    with pytest.raises(ValueError, match=r"holds dates.*fitted with times in hours"):
        read_times(reader, pd.date_range("2020", periods=2), reset=False)


def test_what_does_not_fit_is_refused():
    reader = Reader()
    assert read_times(reader, [0.0, 1.0], reset=True) == [0.0, 1.0]
    assert reader.time_unit_ is None
    with pytest.raises(ValueError, match="t_val holds dates, but Reader was fitted"):
        read_times(reader, pd.date_range("2020", periods=2), reset=False, name="t_val")
    with pytest.raises(ValueError, match="mixes dates, durations and numbers"):
        read_times(reader, [pd.date_range("2020", periods=2), [0.0, 1.0]], reset=True)
    with pytest.raises(ValueError, match="months or years"):
        read_times(reader, np.array([1, 2], dtype="m8[M]"), reset=True)


def test_a_law_found_at_dates_is_that_of_their_numbers(tmp_path):
    frame, days = _decay()
    dated, numbered = (
        SINDyRegressor().fit(frame, t=frame.index),
        SINDyRegressor().fit(frame, t=days),
    )
    assert dated.time_unit_ == "days since 2020-01-01"
    np.testing.assert_allclose(dated.coef_, numbered.coef_, rtol=1e-4, atol=1e-6)
    save(dated, tmp_path / "law.skdyn")
    loaded = load(tmp_path / "law.skdyn")
    week = pd.date_range("2020-01-01", periods=7)
    foretold = loaded.simulate([1.0], week)
    assert foretold.index.equals(week)
    assert list(foretold.columns) == ["x"]
    np.testing.assert_allclose(foretold["x"], np.exp(-np.arange(7.0)), atol=2e-2)
    assert loaded.score(frame, t=frame.index, of="solution") > 0.99
    bands = calibrate_intervals(loaded, frame, t=frame.index, horizon=20)
    low, high = bands.predict_interval([1.0], week[:1])
    assert (low <= high).all(axis=None)


def test_a_network_answers_at_dates():
    frame, _ = _decay(40)
    X = frame.to_numpy()
    options = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}
    dated = NeuralODE(**options).fit(frame, t=frame.index)
    assert dated.time_unit_.startswith("days since")
    numbers = read_times(dated, frame.index, reset=False)
    numbered = NeuralODE(**options).fit(frame, t=numbers)
    assert numbered.time_unit_ is None
    solved = dated.simulate(X[0], frame.index)
    np.testing.assert_array_equal(solved, numbered.simulate(X[0], numbers))
    assert solved.index.equals(frame.index)
    at = frame.index.to_numpy()
    np.testing.assert_array_equal(dated.predict(X[:1], at)[0], solved.to_numpy().T)
    later = dated.predict(X[:1], at[1:], t0=at[0])
    np.testing.assert_allclose(later[0], solved.to_numpy().T[:, 1:], rtol=1e-5)
    assert dated.score(frame, t=frame.index) == numbered.score(frame, t=numbers)
    np.testing.assert_array_equal(dated.vector_field(X, at), numbered.vector_field(X))


def test_an_uneven_index_asks_to_be_passed():
    frame, _ = _decay(20)
    with pytest.raises(ValueError, match=r"Pass t=X\.index"):
        SINDyRegressor().fit(frame)
