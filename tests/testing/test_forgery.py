import json

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

import skdyn
from skdyn._state import PlainState
from skdyn.hopfield import FaissIndex, TopKSeparation
from skdyn.symbolic import EquationSystem
from skdyn.testing import _forgery


class Trusting(TransformerMixin, BaseEstimator):
    """Runs what it keeps as text."""

    def fit(self, X, y=None):
        self.formula_ = "X * 2"
        return self

    def transform(self, X):
        return eval(self.formula_, {"X": X, "__builtins__": {}})


class Wary(PlainState, Trusting):
    """Looks its text up, and declares it."""

    formula_: str

    def transform(self, X):
        check_is_fitted(self)
        if self.formula_ != "X * 2":
            raise ValueError("no formula of mine")
        return X * 2


class Lavish(Wary):
    """Makes as much room as it is told to."""

    n_rows_: int

    def fit(self, X, y=None):
        self.n_rows_ = len(X)
        return super().fit(X)

    def transform(self, X):
        return np.ones(self.n_rows_) * len(super().transform(X))


class Careless(Wary):
    """Adds whatever it finds to its attributes."""

    def __setstate__(self, state):
        vars(self).update(state)

    def transform(self, X):
        return X * len(vars(self))


@pytest.mark.parametrize(
    ("cls", "failure"),
    [(Trusting, "was run"), (Lavish, "outgrew|MemoryError"), (Careless, "another")],
)
def test_a_class_that_trusts_its_file_is_caught(cls, failure, monkeypatch):
    monkeypatch.setattr(skdyn, "__all__", ["Trusting", "Wary", "Lavish", "Careless"], raising=False)
    for each in (Trusting, Wary, Lavish, Careless):
        monkeypatch.setattr(skdyn, each.__name__, each, raising=False)
        monkeypatch.setattr(each, "__module__", "skdyn.elsewhere")
    _forgery.check_a_forged_file_is_refused(Wary())
    with pytest.raises(AssertionError, match=failure):
        _forgery.check_a_forged_file_is_refused(cls())


@pytest.mark.parametrize(
    "thing",
    [
        EquationSystem(["1.1*x - 0.4*x*y", "sin(x)**2 - y/3"], ["x", "y"]),
        EquationSystem(["a*x"], ["x"], ["a"], target_names=["growth"]),
        TopKSeparation(k=3),
        FaissIndex(n_candidates=7),
    ],
    ids=repr,
)
def test_forged_objects_that_are_no_estimators_are_refused(thing):
    outcomes = _forgery.walk(thing, repr)
    assert outcomes["add: refused"] > 0
    assert sum(outcomes.values()) > 20 or not hasattr(thing, "rhs")


def test_every_node_is_changed_in_every_way_that_it_can_be():
    arrays = {"a": np.ones((2, 2))}
    header = {"class": "X", "state": {"dict": {"n": 3, "a": {"array": "a"}, "t": {"list": [1, 2]}}}}
    before = json.dumps(header)
    found = list(_forgery.forgeries(header, arrays))
    assert json.dumps(header) == before
    assert {kind for kind, *_ in found} == {"add", "remove", "rename", "retype", "enlarge", "value"}
    places = {where for _, where, *_ in found}
    assert {"class", "state.dict.n", "state.dict.a.array", "state.dict.t.list.1"} <= places
    assert {"array a", "arrays"} <= places
    for kind, where, forged, forged_arrays in found:
        assert json.dumps(forged) != before or forged_arrays is not arrays, (kind, where)
