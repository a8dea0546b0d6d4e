"""The Hudson's Bay record as it was printed."""

import numpy as np

from skdyn.datasets import load_lynx_hare


def test_the_record_has_its_known_extremes():
    record = load_lynx_hare()
    assert record.data.shape == (21, 2)
    assert record.feature_names == ["hare", "lynx"]
    np.testing.assert_array_equal(record.t, np.arange(1900, 1921))
    hare, lynx = record.data.T
    assert (hare.max(), hare.min(), lynx.max(), lynx.min()) == (77.4, 7.6, 59.4, 4.0)
    assert record.t[hare.argmax()] == 1903
    assert record.t[lynx.argmax()] == 1904


def test_frame_and_arrays_hold_the_same_numbers():
    record = load_lynx_hare()
    data, t = load_lynx_hare(return_X_t=True)
    np.testing.assert_array_equal(record.frame.to_numpy(), data)
    np.testing.assert_array_equal(record.frame.index, t)
    assert list(record.frame.columns) == record.feature_names


def test_the_description_names_the_source():
    assert "Elton" in load_lynx_hare().DESCR
    assert "Hudson's Bay" in load_lynx_hare().DESCR


def test_each_call_gives_arrays_of_its_own():
    first = load_lynx_hare()
    first.data[:] = 0
    assert load_lynx_hare().data.min() > 0
