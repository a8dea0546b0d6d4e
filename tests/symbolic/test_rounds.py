import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone

from skdyn import SymbolicODERegressor
from skdyn._progress import Progress
from skdyn.symbolic._rounds import Rounds

T = np.linspace(0.0, 2.0, 30)
SEARCH = SymbolicODERegressor("polynomial", degree=1, max_terms=2, max_iter=1)


def test_a_search_tells_of_its_rounds_in_equations_and_seconds(capsys):
    clone(SEARCH).set_params(verbose=1).fit(np.exp(-T)[:, None], t=T)
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"round 1, \d+ s: residuals \S+ times the noise", first)
    assert second.strip() == "x0' = -x0"


def test_processes_print_the_rounds_and_tell_no_callbacks():
    rounds = Rounds(["x0"], [], Progress(clone(SEARCH), 1, X=None), verbose=0)
    assert pickle.loads(pickle.dumps(rounds))(1, None, np.ones(1)) is False


def test_a_search_out_of_time_says_so():
    with pytest.warns(UserWarning, match="stopped when max_time was over"):
        model = clone(SEARCH).set_params(max_time=1e-12).fit(np.exp(-T)[:, None])
    assert np.isfinite(model.predict(np.ones((1, 1)))).all()
