"""Several processes of this machine train one model; each is a fork of the test's own."""

import multiprocessing
import os

import numpy as np
import pytest
import torch

from skdyn import FNORegressor, KANClassifier, KANRegressor, SparseAutoencoder
from skdyn.exceptions import SolverError, WorkerLostError
from skdyn.scale import data_parallel
from skdyn.training._group import current_group

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


@pytest.mark.parametrize("size", [2, 3])
def test_processes_train_the_model_that_one_would(size, in_processes):
    alone = [outcome(fit) for fit in FITS]
    told = in_processes(size, lambda rank: [outcome(fit) for fit in FITS])
    for i, (fit, (losses, weights)) in enumerate(zip(FITS, alone, strict=True)):
        exact = 1e-9 if fit is lbfgs else 2e-5
        np.testing.assert_allclose(told[0][i][0], losses, rtol=exact, err_msg=fit.__name__)
        np.testing.assert_allclose(told[0][i][1], weights, rtol=exact, atol=exact)
        for rank in range(1, size):  # bit for bit
            np.testing.assert_array_equal(told[rank][i][1], told[0][i][1])


def test_an_objective_over_whole_batches_says_so_and_ends_equal_everywhere(in_processes):
    def work(rank):
        coder = SparseAutoencoder(n_components=8, k=2, max_iter=2, random_state=0)
        if rank:
            return outcome(lambda: coder.fit(X))[1]
        with pytest.warns(UserWarning, match="no mean over rows: 2 processes"):
            return outcome(lambda: coder.fit(X))[1]

    told = in_processes(2, work)
    assert not isinstance(told[0], tuple), told[0]
    np.testing.assert_array_equal(told[0], told[1])


@pytest.mark.parametrize(("seeds", "words"), [([0, 1], "weights"), ([0, 0], "other data")])
def test_other_weights_and_other_data_are_refused_everywhere(seeds, words, in_processes):
    def work(rank):
        model = KANRegressor(optimizer="adam", **KAN | {"random_state": seeds[rank]})
        end = 60 if words == "weights" else 60 - rank
        model.fit(X[:end], Y[:end])

    for kind, message, _ in in_processes(2, work):
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


def test_a_process_that_ends_is_an_error_in_the_others(in_processes):
    def work(rank):
        model = KANRegressor(optimizer="adam", **KAN)
        if rank:
            model.set_callbacks(Epochs(lambda: os._exit(1)))
        try:
            model.fit(X, Y)
        except WorkerLostError as error:
            return str(error), hasattr(model, "module_")

    (message, fitted), silence = in_processes(2, work)
    assert "Process 0 of 2 waited in vain" in message
    assert not fitted
    assert silence is None


def test_a_process_that_sleeps_is_an_error_in_the_others(in_processes):
    told = multiprocessing.get_context("fork").Event()

    def work(rank):
        model = KANRegressor(optimizer="adam", **KAN)
        if rank:
            model.set_callbacks(Epochs(lambda: told.wait(200) and False))
        try:
            model.fit(X, Y)
        except WorkerLostError as error:
            told.set()
            return str(error), hasattr(model, "module_")

    settings = {"timeout": 1.0}
    for message, fitted in in_processes(2, work, **settings):
        assert "waited in vain" in message
        assert not fitted


def test_a_job_goes_on_where_a_process_was_lost(in_processes, tmp_path):
    def fit(act=lambda: False):
        model = KANRegressor(optimizer="adam", batch_size=20, **KAN | {"max_iter": 6})
        return model.set_callbacks(Epochs(act)).fit(X, Y)

    def killed(rank):
        epochs = []

        def act():
            epochs.append(1)
            if rank and len(epochs) == 5:
                os._exit(1)

        with pytest.raises(WorkerLostError):
            fit(act)
        return len(epochs)

    def again(rank):
        epochs = []
        return outcome(lambda: fit(lambda: epochs.append(1))), len(epochs)

    file = tmp_path / "training.pt"
    whole = in_processes(2, lambda rank: outcome(fit))
    settings = {"checkpoint": file, "save_every": 2}
    assert in_processes(2, killed, **settings) == [5, None]
    kept = file.read_bytes()
    for size in (2, 3):
        file.write_bytes(kept)
        for ((losses, weights), n), rank in zip(
            in_processes(size, again, **settings), range(size), strict=True
        ):
            assert n == 2
            exact = 0 if size == 2 else 1e-5
            np.testing.assert_allclose(losses, whole[0][0], rtol=exact, err_msg=rank)
            np.testing.assert_allclose(weights, whole[0][1], rtol=exact, atol=exact)
        assert not file.exists()


def test_a_callback_of_one_process_stops_all(in_processes):
    def work(rank):
        model = KANRegressor(optimizer="adam", **KAN | {"max_iter": 9})
        model.set_callbacks(Epochs(lambda: rank == 1))
        return model.fit(X, Y).n_iter_

    assert in_processes(2, work) == [1, 1]


def test_a_share_that_fails_fails_everywhere(in_processes):
    def work(rank):
        def loss_of(batch):
            if rank:
                raise SolverError("too stiff")
            return batch[0].mean()

        current_group().mean(loss_of, (torch.ones(4),))

    told = in_processes(2, work)
    assert (told[1][0], told[1][1]) == (SolverError, "too stiff")
    assert told[0][0] is SolverError
    assert "Another process" in told[0][1]


@pytest.mark.parametrize(
    ("settings", "words"), [({"save_every": 0}, "positive whole"), ({"timeout": 0}, "above 0")]
)
def test_bad_settings_are_named(settings, words):
    with pytest.raises(ValueError, match=words), data_parallel(**settings):
        pass


def test_outside_of_a_group_the_block_changes_nothing():
    with data_parallel():
        within = adam().loss_curve_
    assert within == adam().loss_curve_
