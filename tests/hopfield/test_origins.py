import numpy as np

from skdyn.hopfield._origins import History, held_out, some_steps

WAVE = np.sin(np.arange(60) / 3)[:, None]


def test_steps_stand_for_all_of_a_horizon():
    assert some_steps(3).tolist() == [1, 2, 3]
    many = some_steps(100)
    assert len(many) == 8
    assert many[[0, -1]].tolist() == [1, 100]


def test_nothing_that_is_learned_from_touches_what_is_asked():
    history = History(WAVE, np.array([25, 35]), 4)
    held = held_out(history, 3)
    assert len(held) == 3
    for last, origins in held:
        assert last + history.horizon <= origins.min()
    assert sum(len(fold.origins) for fold in held) == len(history.ends(3)) // 2
