import numpy as np

from skdyn.training import Patience
from skdyn.training._stopping import fluctuation


def test_patience_runs_out_after_so_many_epochs_without_improvement():
    patience = Patience(tol=0.1, n_iter_no_change=3)
    for loss in (1.0, 0.5, 0.45, 0.44):
        patience.note(loss)
    assert not patience.exhausted
    patience.note(0.43)
    assert patience.exhausted


def test_an_improvement_above_tol_resets_it():
    patience = Patience(tol=0.1, n_iter_no_change=2)
    for loss in (1.0, 1.0, 0.2):
        patience.note(loss)
    assert patience.n_stalled == 0


def test_tol_counts_in_the_losss_own_scale():
    losses = [1000.0, 990.0, 981.0]
    for scale, stalled in ((1.0, 0), (1000.0, 2)):
        patience = Patience(tol=0.1, n_iter_no_change=5, scale=scale)
        for loss in losses:
            patience.note(loss)
        assert patience.n_stalled == stalled


def test_without_a_scale_tol_is_a_part_of_the_best_loss():
    patience = Patience(tol=0.1, n_iter_no_change=5, scale=None)
    for loss in (1e-8, 0.8e-8, 0.79e-8):
        patience.note(loss)
    assert patience.n_stalled == 1


def test_a_fall_that_stays_above_the_best_is_no_improvement():
    patience = Patience(tol=0.1, n_iter_no_change=5)
    for loss in (0.5, 3.0, 2.0, 1.0):
        patience.note(loss)
    assert (patience.best, patience.n_stalled) == (0.5, 3)


def test_what_begins_anew_need_not_beat_what_was():
    patience = Patience(tol=0.0, n_iter_no_change=2)
    patience.note(0.1)
    patience.begin()
    patience.note(5.0)
    assert patience.n_stalled == 0


def test_a_loss_that_fluctuates_is_told_from_one_that_rises():
    noise = np.random.default_rng(0).normal(size=(200, 60))
    chance = [fluctuation(losses[: losses.argmin() + 1]) for losses in noise]
    assert (noise[:, -1] - noise.min(axis=1) > chance).mean() < 0.1
    assert fluctuation(np.linspace(1.0, 0.0, 40) ** 2) < 0.01
    assert fluctuation([1.0, 0.5, 3.0]) == 0.0
