"""Searches on a cluster, line by line as the guide has them: on a worker that is a process."""

import os

import joblib
import numpy as np
import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV

from skdyn import HopfieldClassifier, KANRegressor
from skdyn.scale import StopIfCancelled

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
KEPT = str(2**28)


@pytest.fixture(scope="module")
def client():
    """One process, with the lines that keep memory which dask would give back."""
    dask = pytest.importorskip("dask", reason="extra 'dask' is not installed")
    distributed = pytest.importorskip("distributed", reason="extra 'dask' is not installed")
    spawned = "distributed.nanny.pre-spawn-environ."
    names = "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"
    with (
        dask.config.set({spawned + name: 2**28 for name in names}),
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def table(tmp_path):
    """Rows in a file, of which only the path travels."""
    X = np.random.default_rng(0).uniform(-1, 1, (48, 2))
    np.save(tmp_path / "X.npy", X)
    return np.load(tmp_path / "X.npy", mmap_mode="r"), np.sin(2 * X[:, 0]) * X[:, 1]


def scores(search, X, y):
    found = search.fit(X, y).cv_results_
    return found["mean_test_score"], found["params"]


def test_workers_keep_their_memory(client):
    assert client.submit(os.environ.get, "MALLOC_TRIM_THRESHOLD_").result() == KEPT
    assert client.submit(os.environ.get, "MALLOC_MMAP_THRESHOLD_").result() == KEPT


def test_scores_do_not_depend_on_where_a_fit_runs(client, table):
    X, y = table
    kan = KANRegressor((2,), max_iter=5, random_state=0).set_callbacks(StopIfCancelled())
    searches = [
        (GridSearchCV(kan, {"grid_sizes": [3, 5]}, cv=2), y),
        (GridSearchCV(HopfieldClassifier(max_iter=5), {"beta": [1.0, 4.0]}, cv=2), y > 0),
    ]
    for search, target in searches:
        here, params = scores(search, X, target)
        with joblib.parallel_config("dask"):
            there, same = scores(search, X, target)
        np.testing.assert_allclose(there, here, rtol=1e-9)
        assert same == params


def test_epochs_are_what_halving_hands_out(client, table):
    X, y = table
    search = HalvingGridSearchCV(
        KANRegressor((2,), random_state=0), {"grid_sizes": [3, 5, 8]},
        resource="max_iter", min_resources=2, max_resources=6, cv=2, random_state=0,
    )  # fmt: skip
    with joblib.parallel_config("dask"):
        search.fit(X, y)
    assert search.n_resources_ == [2, 6]
    assert search.best_estimator_.n_iter_ <= 6
