import numpy as np
import pandas as pd
import pytest

from skdyn._series_layout import described, labels_after

INDEXES = [
    pd.date_range("2021-01-31", periods=9, freq="ME", tz="Europe/Vienna", name="month"),
    pd.date_range("2021-03-01", periods=9, freq="B"),
    pd.period_range("2021Q1", periods=9, freq="Q"),
    pd.timedelta_range("1h", periods=9, freq="90min"),
    pd.RangeIndex(3, 30, 3),
    pd.Index(np.arange(9) * 0.5, name="t"),
]


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_labels_that_come_next_are_those_that_were_left_out(index):
    told = described(index[:6])
    assert all(isinstance(text, str) for text in told)
    pd.testing.assert_index_equal(
        labels_after(told, 3), index[6:], exact="equiv", check_exact=False
    )


def test_too_few_labels_take_the_step_of_earlier_ones():
    index = INDEXES[1]
    told = described(index[5:6]._with_freq(None), described(index[:5])[1])
    pd.testing.assert_index_equal(labels_after(told, 3), index[6:])


def test_labels_that_do_not_go_on_are_counted():
    assert described(pd.Index(["a", "b", "d"])) == []
    pd.testing.assert_index_equal(labels_after([], 2), pd.RangeIndex(2))
