"""Pieces of B-splines, beside scipy's splines and what de Boor's recursion promises."""

import numpy as np
import pytest
from scipy.interpolate import BSpline

from skdyn.kan.bases._pieces import pieces_of

BREAKS = np.array([[0.0, 0.4, 1.0, 1.1, 2.0], [-3.0, -2.0, 0.0, 0.5, 4.0]])


def knots_of(breaks, order):
    return np.r_[[breaks[0]] * order, breaks, [breaks[-1]] * order]


@pytest.mark.parametrize("order", range(6))
def test_inside_they_are_scipys_splines(order):
    centers, pieces = pieces_of(BREAKS, order, linear=True, chords=False)
    centers = centers.reshape(2, 6)
    for row, (center, piece) in enumerate(zip(centers, pieces, strict=True)):
        splines = BSpline(knots_of(BREAKS[row], order), np.eye(4 + order), order)
        for m in range(4):
            x = np.linspace(*BREAKS[row, m : m + 2], 7)[1:-1]
            powers = np.vander(x - center[m + 1], order + 1, increasing=True)
            np.testing.assert_allclose(
                powers @ piece[m + 1], splines(x)[:, m : m + order + 1], atol=1e-12
            )


@pytest.mark.parametrize("order", range(1, 6))
@pytest.mark.parametrize("chords", [False, True])
def test_outside_they_go_on_from_the_ends_along_tangents_or_chords(order, chords):
    centers, pieces = pieces_of(BREAKS, order, linear=True, chords=chords)
    for row, breaks in enumerate(BREAKS):
        splines = BSpline(knots_of(breaks, order), np.eye(4 + order), order)
        assert centers.reshape(2, 6)[row, [0, -1]].tolist() == breaks[[0, -1]].tolist()
        for side, (end, other), some in ((0, (0, 1), slice(None, order + 1)),
                                         (-1, (-1, -2), slice(-order - 1, None))):  # fmt: skip
            ends = splines(breaks[[end, other]])
            slope = splines.derivative()(breaks[end])
            if chords:
                slope = (ends[0] - ends[1]) / (breaks[end] - breaks[other])
            np.testing.assert_allclose(pieces[row, side, 0], ends[0, some], atol=1e-12)
            np.testing.assert_allclose(pieces[row, side, 1], slope[some], atol=1e-10)
            assert not pieces[row, side, 2:].any()


def test_constant_ones_stay_and_single_precision_does_too():
    _, pieces = pieces_of(BREAKS.astype(np.float32), 3, linear=False, chords=True)
    assert pieces.dtype == np.float32
    assert not pieces[:, [0, -1], 1:].any()
    np.testing.assert_allclose(pieces[:, :, 0].sum(axis=2), 1, rtol=1e-6)  # they add up to one
