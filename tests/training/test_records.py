from skdyn.training import TrainingRecord


def test_best_loss_is_validations_where_there_is_one():
    assert TrainingRecord([3.0, 1.0, 2.0], None, "tol").best_loss == 1.0
    assert TrainingRecord([3.0, 1.0, 2.0], [-5.0, -4.0, -6.0], "tol").best_loss == 4.0


def test_runs_join_in_order():
    first = TrainingRecord(
        [3.0], None, "tol", n_recoveries=1, kept_losses=(("one", 3.0),), stages=(("one", 1),)
    )
    second = TrainingRecord(
        [2.0, 1.0], [-2.0, -1.0], "max_iter", 2, kept_losses=(("two", 1.0),), stages=(("two", 2),)
    )
    both = first.then(second)
    assert both.kept_losses == (("one", 3.0), ("two", 1.0))
    assert both.stages == (("one", 1), ("two", 2))
    assert both.loss_curve == [3.0, 2.0, 1.0]
    assert both.n_iter == 3
    assert both.stop_reason == "max_iter"
    assert both.n_recoveries == 3
    assert both.validation_scores == [-2.0, -1.0]
