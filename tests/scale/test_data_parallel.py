"""Several processes of this machine train one model; each is a fork of the test's own."""

import multiprocessing
import os
import traceback

import numpy as np
import pytest
import torch

from skdyn import FNORegressor, KANClassifier, KANRegressor, SparseAutoencoder
from skdyn.exceptions import SolverError, WorkerLostError
from skdyn.scale import data_parallel
from skdyn.training._group import current_group

torch_distributed = pytest.importorskip("torch.distributed", reason="this torch has no processes")
pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forks here"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]

rng = np.random.default_rng(0)
X = rng.normal(size=(61, 3))  # in batches of 20 one row is left over
Y = np.sin(X[:, 0]) + X[:, 1]
FIELDS = rng.normal(size=(9, 1, 16)).cumsum(axis=2)
KAN = {"hidden_layer_sizes": (2,), "max_iter": 3, "random_state": 0}


def adam():
    return KANRegressor(optimizer="adam", batch_size=20, alpha=0.1, clip_norm=1.0, **KAN).fit(X, Y)


def lbfgs():
    return KANRegressor(optimizer="lbfgs", alpha=0.1, dtype="float64", **KAN).fit(X, Y)


def lm():
    return KANRegressor(optimizer="lm", **KAN).fit(X, Y)


def stopping_early():
    settings = KAN | {"max_iter": 40}
    return KANClassifier(
        optimizer="adam", early_stopping=True, learning_rate=0.3, n_iter_no_change=2, **settings
    ).fit(X, Y > 0)


def fields():
    return FNORegressor(
        hidden_channels=2, n_layers=1, n_modes=2, batch_size=4, max_iter=2, random_state=0
    ).fit(FIELDS, FIELDS**2)


FITS = [adam, lbfgs, lm, stopping_early, fields]


def outcome(fit):
    model = fit()
    weights = torch.nn.utils.parameters_to_vector(model.module_.parameters())
    return model.loss_curve_, weights.numpy()


def in_processes(size, work, tmp_path):
    """Let some processes do their work within a group; return what each tells, by rank.

    A process that ends without a word is told of by None.
    """
    context = multiprocessing.get_context("fork")
    address = f"file://{tmp_path / 'meeting'}"
    ears = []
    for rank in range(size):
        ear, mouth = context.Pipe(duplex=False)
        context.Process(target=_one, args=(rank, size, address, work, mouth)).start()
        mouth.close()  # so that nobody but the process itself holds it open
        ears.append(ear)
    return [_heard(ear) for ear in ears]


def _heard(ear):
    try:
        return ear.recv()
    except EOFError:
        return None


def _one(rank, size, address, work, mouth):
    torch_distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=size)
    try:
        with data_parallel():
            told = work(rank)
    except Exception as error:
        told = (type(error), str(error), traceback.format_exc())
    mouth.send(told)
    os._exit(0)  # no clean end: pytest's own is not this process's business


@pytest.mark.parametrize("size", [2, 3])
def test_processes_train_the_model_that_one_would(size, tmp_path):
    alone = [outcome(fit) for fit in FITS]
    told = in_processes(size, lambda rank: [outcome(fit) for fit in FITS], tmp_path)
    for i, (fit, (losses, weights)) in enumerate(zip(FITS, alone, strict=True)):
        exact = 1e-9 if fit is lbfgs else 2e-5
        np.testing.assert_allclose(told[0][i][0], losses, rtol=exact, err_msg=fit.__name__)
        np.testing.assert_allclose(told[0][i][1], weights, rtol=exact, atol=exact)
        for rank in range(1, size):  # bit for bit
            np.testing.assert_array_equal(told[rank][i][1], told[0][i][1])


def test_an_objective_over_whole_batches_says_so_and_ends_equal_everywhere(tmp_path):
    def work(rank):
        coder = SparseAutoencoder(n_components=8, k=2, max_iter=2, random_state=0)
        if rank:
            return outcome(lambda: coder.fit(X))[1]
        with pytest.warns(UserWarning, match="no mean over rows: 2 processes"):
            return outcome(lambda: coder.fit(X))[1]

    told = in_processes(2, work, tmp_path)
    assert not isinstance(told[0], tuple), told[0]
    np.testing.assert_array_equal(told[0], told[1])


@pytest.mark.parametrize(("seeds", "words"), [([0, 1], "weights"), ([0, 0], "other data")])
def test_other_weights_and_other_data_are_refused_everywhere(seeds, words, tmp_path):
    def work(rank):
        model = KANRegressor(optimizer="adam", **KAN | {"random_state": seeds[rank]})
        end = 60 if words == "weights" else 60 - rank
        model.fit(X[:end], Y[:end])

    for kind, message, _ in in_processes(2, work, tmp_path):
        assert kind is ValueError
        assert words in message


class Epochs:
    """Does something after an epoch."""

    def __init__(self, act):
        self.act = act

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **data):
        pass

    def on_fit_task_end(self, estimator, context, **data):
        return context.task_name == "epoch" and self.act()


def test_a_process_that_ends_is_an_error_in_the_others(tmp_path):
    def work(rank):
        model = KANRegressor(optimizer="adam", **KAN)
        if rank:
            model.set_callbacks(Epochs(lambda: os._exit(1)))
        try:
            model.fit(X, Y)
        except WorkerLostError as error:
            return str(error), hasattr(model, "module_")

    (message, fitted), silence = in_processes(2, work, tmp_path)
    assert "Process 0 of 2 waited in vain" in message
    assert not fitted
    assert silence is None


def test_a_callback_of_one_process_stops_all(tmp_path):
    def work(rank):
        model = KANRegressor(optimizer="adam", **KAN | {"max_iter": 9})
        model.set_callbacks(Epochs(lambda: rank == 1))
        return model.fit(X, Y).n_iter_

    assert in_processes(2, work, tmp_path) == [1, 1]


def test_a_share_that_fails_fails_everywhere(tmp_path):
    def work(rank):
        def loss_of(batch):
            if rank:
                raise SolverError("too stiff")
            return batch[0].mean()

        current_group().mean(loss_of, (torch.ones(4),))

    told = in_processes(2, work, tmp_path)
    assert (told[1][0], told[1][1]) == (SolverError, "too stiff")
    assert told[0][0] is SolverError
    assert "Another process" in told[0][1]


def test_outside_of_a_group_the_block_changes_nothing():
    with data_parallel():
        within = adam().loss_curve_
    assert within == adam().loss_curve_
