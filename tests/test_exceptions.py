import pickle

import pytest

from skdyn.exceptions import (
    DivergenceError,
    MaxStepsError,
    MissingExtraError,
    SolverError,
    StiffnessError,
    TrainingDivergedError,
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
