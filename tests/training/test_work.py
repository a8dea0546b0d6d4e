import numpy as np
import pytest
import torch

from skdyn.training import ShuffledStream, Stage, TrainingSettings, new_generator
from skdyn.training._work import batch_size_of, work_of

NETWORK = torch.nn.Linear(4, 3)


def loss(module, X):
    return module(X).square().mean()


def test_work_is_the_weights_times_the_rows_of_a_batch():
    stage = Stage(loss, (np.zeros((50, 4)),), 1)
    assert work_of(NETWORK, stage, TrainingSettings(batch_size=20)) == 20 * 15
    assert work_of(NETWORK, stage, TrainingSettings(optimizer="lbfgs")) == 50 * 15


def test_an_objective_may_know_better():
    class Knowing:
        __call__ = staticmethod(loss)

        def multiply_adds(self, module, shape):
            return shape

    stage = Stage(Knowing(), (np.zeros((50, 4, 7)),), 1)
    assert work_of(NETWORK, stage, TrainingSettings(batch_size=20)) == (20, 4, 7)


def test_a_stream_has_batches_of_its_own_and_no_full_one():
    stream = ShuffledStream(lambda: [], 30, new_generator(0), 100)
    assert batch_size_of(stream, TrainingSettings()) == 30
    assert work_of(NETWORK, Stage(loss, stream, 1), TrainingSettings()) == 30 * 15
    with pytest.raises(ValueError, match="'lbfgs' needs the full batch"):
        batch_size_of(stream, TrainingSettings(optimizer="lbfgs"))
