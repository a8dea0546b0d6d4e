"""Series as paths: what goes into them, and where they go."""

from types import SimpleNamespace

import numpy as np
import pytest

from skdyn._trajectories import Trajectories
from skdyn.sequence._control import (
    INTERPOLATIONS,
    controls_of,
    most_counts,
    n_path_channels,
    reach_of,
)

RNG = np.random.default_rng(0)
N_POINTS = np.array([6, 4])
VALUES = RNG.normal(size=(2, 6, 2))
TIMES = np.cumsum(RNG.uniform(0.5, 2.0, (2, 6)), axis=1)
VALUES[1, 4:], TIMES[1, 4:] = np.nan, np.nan
SERIES = Trajectories(VALUES, TIMES, N_POINTS)


def reader(**changed):
    known = {
        "interpolation": "linear", "augment": ("time",), "_step": 1.3, "_duration": 5.0,
        "_has_gaps": False, "_even_times": False, "_most_counts": most_counts(SERIES),
        "_reach": np.ones(2), "vector_field": "mlp",
    }  # fmt: skip
    return SimpleNamespace(**known | changed)


def at_knots(start, pieces):
    """Where the path is at its knots: each piece is integrated from 0 to 1."""
    powers = np.arange(1, pieces.shape[2] + 1)[:, None]
    moves = (pieces / powers).sum(axis=2)
    return start[:, None] + np.concatenate([0 * moves[:, :1], moves.cumsum(axis=1)], axis=1)


@pytest.mark.parametrize("kind", sorted(set(INTERPOLATIONS) - {"rectilinear"}))
def test_paths_go_through_the_points_and_stand_still_after_the_end(kind):
    start, pieces, n_pieces = controls_of(reader(interpolation=kind), SERIES)
    path = at_knots(start, pieces)
    assert n_pieces.tolist() == [5, 3]
    for case, size in enumerate(N_POINTS):
        np.testing.assert_allclose(path[case, :size, 1:], VALUES[case, :size], atol=1e-9)
        own = TIMES[case, :size]
        np.testing.assert_allclose(path[case, :size, 0], (own - own[0]) / 5.0, atol=1e-9)
    assert not pieces[1, 3:].any()


def test_a_rectilinear_path_moves_in_time_and_in_values_by_turns():
    start, pieces, n_pieces = controls_of(reader(interpolation="rectilinear"), SERIES)
    assert n_pieces.tolist() == [10, 6]
    path = at_knots(start, pieces)
    np.testing.assert_allclose(path[0, ::2, 1:], VALUES[0], atol=1e-9)
    np.testing.assert_allclose(path[0, ::2, 0], (TIMES[0] - TIMES[0, 0]) / 5.0, atol=1e-9)
    assert not pieces[:, ::2, :, 1:].any()
    assert not pieces[:, 1::2, :, 0].any()
    timeless = reader(interpolation="rectilinear", augment=())
    np.testing.assert_allclose(controls_of(timeless, SERIES)[1], pieces[:, 1::2, :, 1:])


@pytest.mark.parametrize(
    ("kind", "blind_from"), [("rectilinear", 0), ("hermite", 1)], ids=["always", "at knots"]
)
def test_nothing_before_a_point_knows_of_it(kind, blind_from):
    asked = reader(interpolation=kind, augment=("time", "counts"), _has_gaps=kind == "rectilinear")
    later = VALUES.copy()
    later[0, 4] += 5.0
    if kind == "rectilinear":
        later[0, 1, 0] = later[0, 0, 1] = np.nan  # gaps are not filled from what comes
    other = later.copy()
    other[0, 4:] = 7.0
    start, pieces, _ = controls_of(asked, SERIES._replace(values=later))
    again, moved, _ = controls_of(asked, SERIES._replace(values=other))
    known = 7 if kind == "rectilinear" else 4 - blind_from
    np.testing.assert_array_equal(start[0], again[0])
    np.testing.assert_allclose(pieces[0, :known], moved[0, :known], atol=1e-12)
    assert not np.allclose(pieces[0, known], moved[0, known])


def test_counts_tell_how_often_each_channel_was_seen():
    gappy = VALUES.copy()
    gappy[0, [1, 2], 1] = np.nan
    series = SERIES._replace(values=gappy)
    asked = reader(augment=("counts",), _has_gaps=True, _most_counts=most_counts(series))
    path = at_knots(*controls_of(asked, series)[:2])
    np.testing.assert_allclose(path[0, :, 0], np.arange(1, 7) / 6)
    np.testing.assert_allclose(path[0, :, 1], np.array([1, 1, 1, 2, 3, 4]) / 4)
    one = at_knots(*controls_of(reader(augment=("counts",)), SERIES)[:2])
    np.testing.assert_allclose(one[0, :, 0], np.arange(1, 7) / 6)
    assert controls_of(reader(augment=("counts",), _even_times=True), SERIES)[0].shape == (2, 2)


@pytest.mark.parametrize("kind", INTERPOLATIONS)
@pytest.mark.parametrize("augment", [("counts", "time"), ()])
def test_paths_begin_where_series_do_and_move_as_far_as_they_reach(kind, augment):
    near, far = (
        controls_of(reader(interpolation=kind, augment=augment, _reach=np.array(reach)), SERIES)
        for reach in ([1.0, 1.0], [7.0, 3.0])
    )
    reach = [7.0] * len(augment) + [3.0, 3.0]
    np.testing.assert_array_equal(far[0], near[0])
    np.testing.assert_allclose(far[1], near[1] * reach, rtol=1e-14)


def test_time_reaches_with_the_number_of_steps_within_bounds_and_values_share():
    for n_steps, reached in ((2, 1.0), (10, 3.0), (1000, 50.0)):
        asked = reader(_step=0.5, _duration=n_steps / 2)
        np.testing.assert_allclose(reach_of(asked, 4), [reached, 1.0])
    for as_before in ({"vector_field": "linear"}, {"interpolation": "natural_cubic"}):
        np.testing.assert_array_equal(reach_of(reader(**as_before), 4), [1.0, 1.0])


def test_channels_are_counted_as_they_come():
    for has_gaps in (False, True):
        for even in (False, True):
            for augment in ((), ("time",), ("counts", "time")):
                asked = reader(augment=augment, _has_gaps=has_gaps, _even_times=even)
                width = n_path_channels(augment, 2, has_gaps, even)
                assert controls_of(asked, SERIES)[0].shape[1] == width


def test_a_channel_or_a_series_of_which_nothing_is_known_stands_still():
    unseen = VALUES.copy()
    unseen[0, :, 1] = np.nan
    unseen[1, 1:], n_points = np.nan, np.array([6, 1])
    times = TIMES.copy()
    times[1, 1:] = np.nan
    for kind in INTERPOLATIONS:
        asked = reader(interpolation=kind, augment=())
        start, pieces, _ = controls_of(asked, Trajectories(unseen, times, n_points))
        assert np.isfinite(pieces).all()
        assert start[0, 1] == 0.0
        assert not pieces[0, :, :, 1].any()
        assert not pieces[1].any()
