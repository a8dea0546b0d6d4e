import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone

from skdyn import SymbolicODERegressor
from skdyn._progress import Progress
from skdyn.symbolic._rounds import Rounds


class Listener:
    """Writes down the tasks that begin and end."""

    def __init__(self):
        self.told = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **ignored):
        self.told.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, **ignored):
        self.told.append(f"end {context.task_name}")


T = np.linspace(0.0, 2.0, 30)
SEARCH = SymbolicODERegressor("polynomial", degree=1, max_terms=2, max_rounds=1)


def test_a_search_tells_of_its_rounds_in_equations_and_seconds(capsys):
    listener = Listener()
    model = clone(SEARCH).set_params(verbose=1).set_callbacks(listener)
    model.fit(np.exp(-T)[:, None], t=T)
    assert listener.told == ["begin fit", "begin round", "end round", "end fit"]
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"round 1, \d+ s: residuals \S+ times the noise", first)
    assert second.strip() == "x0' = -x0"


def test_processes_print_the_rounds_and_tell_no_callbacks():
    listening = clone(SEARCH).set_callbacks(Listener())
    rounds = Rounds(["x0"], [], Progress(listening, 1, X=None), verbose=0)
    assert pickle.loads(pickle.dumps(rounds))(1, None, np.ones(1)) is False


def test_a_search_out_of_time_says_so():
    with pytest.warns(UserWarning, match="stopped when max_time was over"):
        model = clone(SEARCH).set_params(max_time=1e-12).fit(np.exp(-T)[:, None])
    assert np.isfinite(model.predict(np.ones((1, 1)))).all()
