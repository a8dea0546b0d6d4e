import pickle

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skdyn import KANRegressor, NeuralODE
from skdyn.exceptions import (
    DivergenceError,
    MaxStepsError,
    MissingExtraError,
    SolverError,
    StiffnessError,
    TrainingDivergedError,
    warn_user,
)


@pytest.mark.parametrize("cls", [SolverError, DivergenceError, StiffnessError, MaxStepsError])
def test_solver_errors_carry_their_facts_and_survive_a_joblib_worker(cls):
    error = pickle.loads(pickle.dumps(cls("it blew up", t=0.5, case=3)))
    assert type(error) is cls
    assert isinstance(error, RuntimeError)
    assert str(error) == "it blew up"
    assert (error.t, error.case) == (0.5, 3)
    assert error.details == {"t": 0.5, "case": 3}


def test_errors_derive_from_what_a_caller_would_catch():
    assert issubclass(TrainingDivergedError, RuntimeError)
    assert issubclass(MissingExtraError, ImportError)


def test_a_warning_names_the_line_that_called():
    with pytest.warns(UserWarning, match="look") as caught:
        warn_user("look")
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "call",
    [
        lambda X: KANRegressor((2,), max_iter=1).fit(X, X[:, 0]),
        lambda X: make_pipeline(KANRegressor((2,), max_iter=1)).fit(X, X[:, 0]),
        lambda X: NeuralODE((2,), max_iter=1, window=None, pretrain=None).fit(X),
        lambda X: cross_val_score(KANRegressor((2,), max_iter=1), X, X[:, 0], cv=2),
    ],
    ids=["fit", "pipeline", "trajectories", "search"],
)
def test_warnings_from_deep_inside_name_the_users_line(call):
    X = np.cumsum(np.random.default_rng(0).normal(size=(20, 2)), axis=0)
    with pytest.warns(ConvergenceWarning, match="max_iter=1") as caught:
        call(X)
    told = [warning for warning in caught if issubclass(warning.category, ConvergenceWarning)]
    assert {warning.filename for warning in told} == {__file__}
