import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import Ridge

import skdyn
from skdyn.testing import _persistence


class Forgetful(Ridge):
    """Leaves a digit behind when it is copied."""

    def __getstate__(self):
        state = super().__getstate__()
        if "coef_" in state:
            state = {**state, "coef_": np.round(state["coef_"], 1)}
        return state


class Heavy(Ridge):
    """Keeps tensors."""

    def fit(self, X, y):
        self.tensor_ = torch.as_tensor(X)
        return super().fit(X, y)


class Busy(Ridge):
    """Works in its constructor."""

    def __init__(self, alpha=1.0):
        super().__init__(alpha=np.float64(alpha))


@pytest.mark.parametrize(
    ("check", "broken"),
    [
        (_persistence.check_round_trips, Forgetful()),
        (_persistence.check_pickle_is_arrays_and_config, Heavy()),
        (_persistence.check_parameters_are_kept, Busy()),
    ],
)
def test_a_broken_promise_is_caught_and_a_kept_one_passes(check, broken):
    check(Ridge())
    with pytest.raises((AssertionError, RuntimeError)):
        check(broken)


class Trusting(TransformerMixin, BaseEstimator):
    """Runs what it keeps as text."""

    def fit(self, X, y=None):
        self.formula_ = "X * 2"
        return self

    def transform(self, X):
        return eval(self.formula_, {"X": X, "__builtins__": {}})


class Wary(Trusting):
    """Looks its text up."""

    def transform(self, X):
        return {"X * 2": X * 2}[self.formula_]


def test_running_a_text_of_the_file_is_caught(monkeypatch):
    monkeypatch.setattr(skdyn, "__all__", ["Trusting", "Wary"], raising=False)
    for cls in (Trusting, Wary):
        monkeypatch.setattr(skdyn, cls.__name__, cls, raising=False)
    _persistence.check_a_saved_model_runs_nothing(Wary())
    with pytest.raises(AssertionError, match="was run"):
        _persistence.check_a_saved_model_runs_nothing(Trusting())
