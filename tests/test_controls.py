"""Controls in the layout of states."""

import numpy as np
import pandas as pd
import pytest

from skdyn._controls import controls_of_cases, controls_of_rows, names_of_controls

ROWS, CASES = np.zeros((5, 2)), np.zeros((3, 2, 5))


def test_rows_and_cases_are_laid_out_time_first():
    assert controls_of_rows(np.arange(5.0), ROWS).shape == (5, 1)
    found = controls_of_cases([np.arange(4.0), np.arange(5.0)], [4, 5])
    assert [case.shape for case in found] == [(4, 1), (5, 1)]
    assert controls_of_rows(None, ROWS) is None


def test_names_come_from_a_frame_or_are_counted():
    assert names_of_controls(pd.DataFrame({"wind": np.arange(5.0)}), ROWS) == ["wind"]
    assert names_of_controls(np.zeros((5, 2)), ROWS) == ["u0", "u1"]
    assert names_of_controls(np.zeros((3, 5)), CASES) == ["u0"]
    assert names_of_controls(None, CASES) == []


def test_columns_of_a_frame_are_those_of_the_fit_in_their_order():
    frame = pd.DataFrame({"wind": np.arange(5.0), "rain": np.zeros(5)})
    assert controls_of_rows(frame, ROWS, ["wind", "rain"])[4].tolist() == [4, 0]
    assert controls_of_rows(frame, ROWS, ["u0", "u1"]).shape == (5, 2)  # fit had no names
    with pytest.raises(ValueError, match=r"Pass u\[\['rain', 'wind'\]\]"):
        controls_of_rows(frame, ROWS, ["rain", "wind"])


def test_dated_controls_are_at_the_dates_of_the_states():
    days = pd.date_range("2020-01-01", periods=5)
    X = pd.DataFrame(ROWS, index=days)
    assert controls_of_rows(pd.Series(np.arange(5.0), days), X).shape == (5, 1)
    assert controls_of_rows(pd.Series(np.arange(5.0)), X).shape == (5, 1)  # counted
    with pytest.raises(ValueError, match=r"row 0 of u is of 2020-01-03.*u.reindex\(X.index\)"):
        controls_of_rows(pd.Series(np.arange(5.0), days).shift(2, freq="D"), X)


def test_other_layouts_are_refused():
    with pytest.raises(ValueError, match="a row for each of the 5 rows"):
        controls_of_rows(np.zeros(4), ROWS)
    with pytest.raises(ValueError, match="layout of X"):
        controls_of_cases(np.zeros((2, 1, 5)), [5, 5, 5])
    with pytest.raises(ValueError, match="infinity in case 1"):
        controls_of_cases([np.zeros(2), np.full(2, np.inf)], [2, 2])
