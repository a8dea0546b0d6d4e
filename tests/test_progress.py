import numpy as np
import pytest
from sklearn.callback import ProgressBar

from skdyn import (
    AutoregressiveOperator,
    FNORegressor,
    KernelOperatorRegressor,
    SymbolicODERegressor,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(12, 1, 8)).cumsum(axis=2)
SERIES = rng.normal(size=(4, 1, 4, 8))
STEP = FNORegressor(hidden_channels=2, n_layers=1, n_modes=2, max_iter=2, random_state=0)

pytestmark = pytest.mark.filterwarnings("ignore:FNORegressor", "ignore:KernelOperatorRegressor")


class Listener:
    """Writes down the tasks that begin and end."""

    max_propagation_depth = None

    def __init__(self):
        self.told = []

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context, **ignored):
        self.told.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, **ignored):
        self.told.append(f"end {context.task_name}")


def tasks(estimator, *data):
    listener = Listener()
    estimator.set_callbacks(listener).fit(*data)
    assert (listener.told[0], listener.told[-1]) == ("setup", "teardown")
    return listener.told[1:-1]


def test_parts_of_a_fit_begin_and_end_within_it():
    assert tasks(KernelOperatorRegressor(n_waves=10, random_state=0), X, X) == [
        "begin fit", "begin settings", "end settings", "begin corrections", "end corrections",
        "end fit",
    ]  # fmt: skip


def test_a_search_for_equations_tells_of_its_rounds():
    search = SymbolicODERegressor("polynomial", degree=1, max_terms=2, max_iter=1)
    decay = np.exp(-np.linspace(0.0, 2.0, 30))[:, None]
    assert tasks(search, decay) == ["begin fit", "begin round", "end round", "end fit"]


def test_an_estimator_within_is_heard_too():
    told = tasks(AutoregressiveOperator(STEP, pushforward=1, random_state=0), SERIES)
    assert (told[0], told[-1]) == ("begin fit", "end fit")
    assert told.count("begin epoch") == told.count("end epoch") == 2 * STEP.max_iter


@pytest.mark.parametrize("estimator", [
    KernelOperatorRegressor(n_waves=10, random_state=0), AutoregressiveOperator(STEP)
])  # fmt: skip
def test_the_progress_bar_of_scikit_learn_runs(estimator):
    data = (SERIES,) if isinstance(estimator, AutoregressiveOperator) else (X, X)
    estimator.set_callbacks(ProgressBar()).fit(*data)
