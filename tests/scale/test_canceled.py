import threading

import numpy as np
import pytest

from skdyn import KANRegressor
from skdyn.scale import StopIfCancelled

X = np.random.default_rng(0).normal(size=(30, 2))
BEGUN, ENDED = threading.Event(), threading.Event()
OUTCOME = []


class Tell:
    """Says that a fit has begun; then waits until it may go on."""

    go_on = threading.Event()

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **data):
        pass

    def on_fit_task_end(self, estimator, context, **data):
        BEGUN.set()
        self.go_on.wait(20)
        return False


def long_fit():
    model = KANRegressor(optimizer="adam", max_iter=10_000, tol=0, random_state=0)
    model.set_callbacks(Tell(), StopIfCancelled())
    try:
        model.fit(X, X[:, 0])
    except Exception as error:
        OUTCOME.append(type(error).__name__)
    else:
        OUTCOME.append("fitted")
    ENDED.set()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_outside_of_a_cluster_it_changes_nothing():
    model = KANRegressor(optimizer="adam", max_iter=2, random_state=0)
    plain = model.fit(X, X[:, 0]).predict(X)
    np.testing.assert_array_equal(
        model.set_callbacks(StopIfCancelled()).fit(X, X[:, 0]).predict(X), plain
    )


def test_a_fit_in_a_canceled_task_ends_at_its_next_epoch():
    distributed = pytest.importorskip("distributed", reason="extra 'dask' is not installed")
    with distributed.Client(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as client:
        future = client.submit(long_fit)
        assert BEGUN.wait(60)
        future.cancel()
        worker = next(iter(client.cluster.workers.values()))
        while worker.state.tasks[future.key].state == "executing":  # the news is on its way
            threading.Event().wait(0.01)
        Tell.go_on.set()
        assert ENDED.wait(60)
    assert OUTCOME == ["CancelledError"]
