import numpy as np
import pytest

from skdyn import HopfieldForecaster
from skdyn.hopfield._origins import History, held_out
from skdyn.hopfield._trivial_forecasts import judged_beside_trivial, trivial_squares

WALK = np.cumsum(np.random.default_rng(3).normal(size=(90, 1)), axis=0)
HISTORY = History(WALK, np.array([90]), 3)
HELD = held_out(HISTORY, 4)


@pytest.mark.parametrize("seed", range(3))
def test_short_random_walks_are_told_their_last_state_with_a_warning(seed):
    walk = np.cumsum(np.random.default_rng(seed).normal(size=(120, 1)), axis=0)
    with pytest.warns(UserWarning, match="saying the last state"):
        model = HopfieldForecaster(horizon=5).fit(walk[:60])
    ends = np.arange(60, 115)
    past = np.stack([walk[end - 31 : end + 1].T for end in ends])
    truth = np.stack([walk[end + 1 : end + 6].T for end in ends])
    missed = np.sqrt(np.square(model.predict(past) - truth).mean())
    assert missed < 1.1 * np.sqrt(np.square(past[..., -1:] - truth).mean())


def test_a_gain_of_a_few_stretches_is_no_sure_gain():
    last, _ = trivial_squares(HISTORY, HELD)
    assert judged_beside_trivial(0.5 * last, HISTORY, HELD) is None
    lucky = last.copy()
    lucky[: len(last) // 10] = 0  # a tenth of the origins, all in one stretch
    lucky[len(last) // 10 :] *= 0.8
    rest = lucky[len(last) // 10 :]
    rest[::2] *= 2.0  # and others that differ
    doubt = judged_beside_trivial(lucky, HISTORY, HELD)
    assert doubt.level == "last"
    assert "past windows tell n" in doubt.words


def test_a_season_that_windows_are_too_short_for_is_told():
    t = np.arange(600)
    rng = np.random.default_rng(0)
    week = np.tile(rng.normal(size=60), 10)[:, None]
    history = History(week + 0.01 * rng.normal(size=week.shape), np.array([600]), 2)
    held = held_out(history, 4)
    squares = 0.3 * trivial_squares(history, held)[0]
    assert "saying what was 60 states before" in judged_beside_trivial(squares, history, held).words
    again = History(np.tile(week, (2, 1)), np.array([600, 600]), 2)  # no season reaches across
    held = held_out(again, 4)
    assert judged_beside_trivial(0.3 * trivial_squares(again, held)[0], again, held) is None
    assert len(t) == 600


def test_what_never_moves_is_no_reason_to_doubt():
    still = History(np.zeros((40, 1)), np.array([40]), 2)
    held = held_out(still, 2)
    assert judged_beside_trivial(trivial_squares(still, held)[0], still, held) is None
