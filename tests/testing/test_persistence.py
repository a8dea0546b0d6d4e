import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

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
