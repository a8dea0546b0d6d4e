import numpy as np
import pytest

from skdyn.symbolic.discovery import discover
from skdyn.symbolic.discovery._outliers import say_what_stands_out, stand_out
from skdyn.symbolic.discovery._smoothing import smooth
from skdyn.symbolic.discovery._windows import Windows

T = np.linspace(0, 10, 120)


@pytest.mark.parametrize("curve", [
    np.sin(T), np.tanh(20 * (T - 3)), np.exp(3 * np.sin(4 * T)), np.exp(-2 * T), T**3, T * 0,
], ids=["swing", "step", "pulses", "decay", "growth", "rest"])  # fmt: skip
@pytest.mark.parametrize("noise", [0.0, 0.01, 0.1])
def test_nothing_stands_out_of_curves_with_and_without_noise(curve, noise):
    for seed in range(3):
        e = noise * np.random.default_rng(seed).normal(size=(2, len(T)))
        assert not stand_out(curve * (1 + e[0])).any()
        assert not stand_out(curve + e[1]).any()


@pytest.mark.parametrize("unit", [1e-12, 1.0, -1e12])
def test_slips_are_told_from_what_is_around_them(unit):
    x = 2 + np.sin(T) + 0.02 * np.random.default_rng(0).normal(size=len(T))
    x[[10, 50, 90]] *= [10, 0.01, -5]
    assert np.flatnonzero(stand_out(unit * x)).tolist() == [10, 50, 90]


def test_what_stands_out_moves_neither_curves_nor_noise_and_is_not_fitted():
    x = 2 + np.sin(T) + 0.02 * np.random.default_rng(0).normal(size=len(T))
    slipped = np.column_stack([x, np.cos(T)])
    slipped[[30, 70], 0] *= 10
    record, usual = smooth([T], [slipped]), smooth([T], [np.column_stack([x, np.cos(T)])])
    np.testing.assert_allclose(record.at(0, T), usual.at(0, T), atol=0.02)
    np.testing.assert_allclose(record.sd[0], usual.sd[0], rtol=0.1)
    assert record.clean.tolist() == [False, True]
    windows = Windows(record, 8)
    assert windows.seen.sum(axis=(0, 2)).tolist() == [118, 120]
    assert np.nanmax(windows.X) < 4


def test_what_a_search_ignored_is_told_by_state_and_time():
    t = T[:40]
    X = np.exp(-np.outer(t, [0.5, 1.0]))
    X[[10, 30], 1] *= -9.0
    found = discover(
        [t[:20], t[20:]], [X[:20], X[20:]], families=("polynomial",), degree=1, max_iter=1
    )
    assert [times.tolist() for times in found.ignored] == [[], t[[10, 30]].tolist()]
    with pytest.warns(UserWarning, match=rf"neighbors and are ignored: 2 of b \(t={t[10]:g}, "):
        say_what_stands_out(found.ignored, ["a", "b"])
    assert found.misfit == pytest.approx(found.best.rss / 40)
