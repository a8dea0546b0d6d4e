"""What fit learned of the unit of times."""

from types import SimpleNamespace

import numpy as np
import pytest

from skdyn._series_units import doubt_unit, learn_unit, refuse_lost_times, refuse_other_lengths
from skdyn._trajectories import Trajectories


def series(step, n_points=6):
    times = step * np.arange(n_points)[None]
    return Trajectories(np.zeros((1, n_points, 1)), times, np.array([n_points]))


def test_counted_times_may_be_left_out_others_not():
    known = SimpleNamespace()
    learn_unit(known, series(1.0), np.arange(6))
    assert (known._duration, known._step, known._counts_times) == (5.0, 1.0, True)
    refuse_lost_times(known, None)
    learn_unit(known, series(0.5), np.arange(6) / 2)
    assert known._counts_times is False
    with pytest.raises(ValueError, match=r"set_fit_request\(t=True\).set_transform_request"):
        refuse_lost_times(known, None)
    known.predict = None
    with pytest.raises(ValueError, match=r"set_predict_request\(t=True\).set_score_request"):
        refuse_lost_times(known, None)


def test_longer_steps_and_a_longer_time_are_another_unit_one_of_them_is_not(recwarn):
    known = SimpleNamespace()
    learn_unit(known, series(1.0), None)
    doubt_unit(known, series(9.0))
    doubt_unit(known, series(1.0, 600))
    doubt_unit(known, series(0.01, 400))
    assert len(recwarn) == 0
    with pytest.warns(UserWarning, match="60 apart and go on for 300, where those of fit were cou"):
        doubt_unit(known, series(60.0))


def test_one_target_a_case():
    refuse_other_lengths(None, 3)
    refuse_other_lengths([1, 2, 3], 3)
    with pytest.raises(ValueError, match=r"one target per case.*inconsistent: got 2 for 3"):
        refuse_other_lengths([1, 2], 3)
