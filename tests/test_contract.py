"""The contract, line by line, for every estimator found by walking the package."""

import os
import warnings
from functools import partial

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    estimator_checks_generator,
)

from skdyn.testing import (
    all_estimators,
    all_parts,
    contract_checks,
    expected_failed_checks,
    quick_instance,
    sample_data,
)
from skdyn.testing._probe import (
    answer,
    as_long_as_asked,
    has_parameter,
    sample_to_sketch,
    shared_fits,
    sketched,
    trains_a_module,
    two_candidates,
)
from skdyn.testing._scripts import check_same_model_in_another_process

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
ESTIMATORS = [quick_instance(cls) for _, cls in all_estimators()]
PARTS = [quick_instance(cls) for _, cls in all_parts()]


@pytest.fixture(autouse=True, scope="module")
def each_fit_that_is_only_read_is_made_once():
    with shared_fits():
        yield


def every_estimator(function, meant_for=lambda estimator: True):
    chosen = list(filter(meant_for, ESTIMATORS))
    return pytest.mark.parametrize("estimator", chosen, ids=lambda e: type(e).__name__)(function)


def every_network(function):
    return every_estimator(function, trains_a_module)


def every_estimator_with_a_dtype(function):
    return every_estimator(function, has_parameter("dtype"))


@every_estimator
def test_scikit_learns_checks_pass(estimator, ask_all):
    ask_all(scikit_learns_questions(estimator), expected_failed_checks(estimator))


def scikit_learns_questions(estimator):
    for _, check in estimator_checks_generator(estimator):
        yield check.func.__name__, partial(check, as_long_as_asked(estimator, check))
    name = type(estimator).__name__
    yield (
        "check_dataframe_column_names_consistency",
        partial(check_dataframe_column_names_consistency, name, sketched(estimator)),
    )


@every_estimator_with_a_dtype
def test_scikit_learns_checks_of_precision_pass_in_float64(estimator, ask_all):
    """Those of dtypes, and those expected to fail in either precision: only they can differ."""
    twin = quick_instance(type(estimator), dtype="float64")
    fails = expected_failed_checks(twin)
    chosen = {*expected_failed_checks(estimator), *fails}
    ask_all(
        (
            (name, partial(check, as_long_as_asked(twin, check)))
            for _, check in estimator_checks_generator(twin)
            if (name := check.func.__name__) in chosen or "dtype" in name
        ),
        fails,
    )


@pytest.mark.parametrize("thing", ESTIMATORS + PARTS, ids=lambda thing: type(thing).__name__)
def test_the_contract_is_kept(thing, ask_all):
    ask_all(
        (check.__name__, partial(check, thing))
        for check in contract_checks(thing)
        if check is not check_same_model_in_another_process
    )


@every_network
def test_scikit_learns_own_callbacks_work_under_the_search_too(estimator, capsys):
    X, y = sample_to_sketch(estimator)
    monitor = ScoringMonitor(scoring={"score": _own_score})
    estimator = sketched(estimator).set_params(max_iter=2).set_callbacks(monitor)
    search = GridSearchCV(estimator, {"tol": [1e-3]}, cv=2)  # each fold and the refit are told
    search.set_callbacks(ProgressBar(max_propagation_depth=None))
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        search.fit(X, y)
    runs = [log.data_as_pandas for log in monitor.get_logs(select="all")]
    epochs = sum((frame["task_name"] == "epoch").sum() for frame in runs)
    assert epochs >= 2 * (2 + 1)  # epochs x (folds + the refit), or more stages
    if y is not None:
        assert all(np.isfinite(frame["score"]).all() for frame in runs)
    assert type(estimator).__name__ in capsys.readouterr().out


def _own_score(estimator, X, y, **metadata):
    return estimator.score(X, y, **metadata)


def test_processes_beside_each_other_fit_the_same_models_and_share_the_cores():
    """One test for all, because each worker of pytest's would start processes of its own."""
    assert all(check_same_model_in_another_process in contract_checks(each) for each in ESTIMATORS)
    other = list(filter(_is_another_model_in_another_process, ESTIMATORS))
    assert other == []

    class Hereditary(Ridge):
        """Is what its process makes of it."""

        def fit(self, X, y):
            self.intercept_ = super().fit(X, y).intercept_ + os.getpid()
            return self

    assert _is_another_model_in_another_process(Hereditary())
    networks = list(filter(trains_a_module, ESTIMATORS))
    with joblib.parallel_config("loky", n_jobs=2):
        threads = joblib.Parallel()(joblib.delayed(_threads_after_fit)(each) for each in networks)
    assert len(threads) == len(networks) > 15
    assert max(threads) * 2 <= max(2, os.cpu_count())


def _is_another_model_in_another_process(estimator):
    try:
        check_same_model_in_another_process(estimator)
    except AssertionError:
        return True
    return False


def _threads_after_fit(estimator):
    warnings.simplefilter("ignore", ConvergenceWarning)
    # Threads are set before the first epoch.
    clone(estimator).set_params(max_iter=1).fit(*sample_data(estimator))
    return torch.get_num_threads()


def _mean_square(estimator, X, y=None):
    return float(np.mean(np.square(answer(estimator, X))))


@pytest.fixture(scope="module")
def dask_client():
    distributed = pytest.importorskip("distributed", reason="extra 'dask' is not installed")
    with distributed.Client(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as client:
        yield client


@every_estimator
def test_a_grid_search_runs_on_dask(estimator, dask_client):
    X, y = sample_to_sketch(estimator)
    # One candidate, one fit a fold and no refit: more would show no more of Dask.
    grid = {name: values[1:] for name, values in two_candidates(estimator).items()}
    search = GridSearchCV(
        sketched(estimator), grid, cv=2, error_score="raise", refit=False,
        scoring=None if hasattr(estimator, "score") else _mean_square,
    )  # fmt: skip
    with (
        joblib.parallel_config("dask"),
        warnings.catch_warnings(action="ignore"),
    ):
        search.fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
