import numpy as np
import pytest
from scipy.interpolate import make_interp_spline

from skdyn.symbolic.discovery._smoothing import Record
from skdyn.symbolic.discovery._windows import Windows


def record_of(t, X, sd=0.01):
    """A record whose curves are straight between the measurements."""
    curves = [[make_interp_spline(s, c, k=1) for c in rows.T] for s, rows in zip(t, X)]
    return Record(t, X, [np.full(x.shape, sd) for x in X], curves, np.zeros(X[0].shape[1], bool))


@pytest.mark.parametrize("n_windows", [1, 2, 5, 16, 500])
def test_every_measurement_counts_once_whatever_the_windows(n_windows):
    t = [np.sort(np.random.default_rng(0).uniform(0, 9, 41)), np.array([3.0, 3.2]), np.arange(9.0)]
    X = [np.random.default_rng(1).normal(size=(len(s), 2)) for s in t]
    windows = Windows(record_of(t, X), n_windows)
    for i in range(2):
        found = windows.X[:, i][np.isfinite(windows.X[:, i])]
        assert sorted(found) == sorted(np.concatenate(X)[:, i])


@pytest.mark.parametrize("n_windows", [1, 4, 16])
def test_measurements_stand_at_their_times(n_windows):
    t = np.cumsum(np.random.default_rng(0).uniform(0.5, 3, 30))
    windows = Windows(record_of([t], [(t**2)[:, None]]), n_windows)
    seen = np.isfinite(windows.X[:, 0])
    assert windows.X[:, 0][seen] == pytest.approx(windows.times[seen] ** 2)


def test_windows_are_tied_within_a_segment_only():
    t = [np.linspace(0, 1, 21), np.linspace(5, 6, 21)]
    windows = Windows(record_of(t, [s[:, None] for s in t]), 8)
    assert windows.n == 8
    assert windows.segments.tolist() == [0] * 4 + [1] * 4
    assert windows.tied.tolist() == [0, 1, 2, 4, 5, 6]
    for m in windows.tied:
        assert windows.times[windows.ends[m], m] == windows.times[0, m + 1]


def test_the_integrator_stops_in_long_gaps():
    t = np.concatenate([np.linspace(0, 1, 11), np.linspace(3, 4, 11)])
    windows = Windows(record_of([t], [t[:, None]]), 1)
    assert np.diff(windows.times[:, 0]).max() <= 0.15 + 1e-12
    assert np.isfinite(windows.X).sum() == 22


def test_start_states_are_those_of_the_curves():
    t = np.linspace(0, 6, 61)
    windows = Windows(record_of([t], [np.stack([np.sin(t), t], axis=1)]), 6)
    expected = [np.sin(windows.times[0]), windows.times[0]]
    assert windows.x0 == pytest.approx(np.array(expected))
