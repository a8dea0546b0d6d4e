import pytest

from skdyn.training import TrainingSettings


def test_automatic_batches_hold_two_hundred_cases_at_most():
    assert TrainingSettings().batch_size_for(50) == 50
    assert TrainingSettings().batch_size_for(1000) == 200
    assert TrainingSettings(batch_size=64).batch_size_for(1000) == 64
    assert TrainingSettings(batch_size=64).batch_size_for(10) == 10


def test_batches_may_grow_with_the_cases_where_nobody_gives_their_size():
    assert TrainingSettings(most_batches=50).batch_size_for(100_000) == 2000
    assert TrainingSettings(most_batches=50).batch_size_for(1000) == 200
    assert TrainingSettings(most_batches=50, batch_size=64).batch_size_for(100_000) == 64


def test_lbfgs_needs_the_full_batch():
    assert TrainingSettings(optimizer="lbfgs").batch_size_for(1000) == 1000
    assert TrainingSettings(optimizer="lbfgs", batch_size=1000).batch_size_for(1000) == 1000
    with pytest.raises(ValueError, match="batch_size=16"):
        TrainingSettings(optimizer="lbfgs", batch_size=16).batch_size_for(60)
