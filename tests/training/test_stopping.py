from skdyn.training import Patience


def test_patience_runs_out_after_so_many_epochs_without_improvement():
    patience = Patience(tol=0.1, n_iter_no_change=3)
    for loss in (1.0, 0.5, 0.45, 0.44):
        patience.improved(loss)
    assert not patience.exhausted
    patience.improved(0.43)
    assert patience.exhausted


def test_an_improvement_above_tol_resets_it():
    patience = Patience(tol=0.1, n_iter_no_change=2)
    for loss in (1.0, 1.0, 0.2):
        patience.improved(loss)
    assert patience.n_stalled == 0


def test_the_lowest_loss_is_reported_even_within_tol():
    patience = Patience(tol=0.1, n_iter_no_change=2)
    assert patience.improved(1.0)
    assert patience.improved(0.99)
    assert not patience.improved(0.995)
