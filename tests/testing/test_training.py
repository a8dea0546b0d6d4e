import warnings

import numpy as np
import pytest

from skdyn import NeuralODERegressor
from skdyn.exceptions import SolverError, TrainingDivergedError
from skdyn.testing import _training


class Silent(NeuralODERegressor):
    """Never warns."""

    def fit(self, X, y):
        kept = self.tol
        self.set_params(tol=0.0)
        return super().fit(X, y).set_params(tol=kept)


class Shamming(NeuralODERegressor):
    """Tells of one epoch more than there was."""

    def fit(self, X, y):
        super().fit(X, y).n_iter_ += 1
        return self


class Half(NeuralODERegressor):
    """Looks fitted after Ctrl-C."""

    def fit(self, X, y):
        try:
            return super().fit(X, y)
        except KeyboardInterrupt:
            self.set_callbacks().fit(X, y)
            raise


class Numb(NeuralODERegressor):
    """Turns a training that went wrong into NaN."""

    def fit(self, X, y):
        try:
            return super().fit(X, y)
        except (TrainingDivergedError, SolverError):
            return self

    def predict(self, X):
        return np.full(len(X), np.nan)


class Mute(NeuralODERegressor):
    """Says nothing of rows that are too few."""

    def fit(self, X, y, *, X_val=None, y_val=None):
        with warnings.catch_warnings(action="ignore"):
            return super().fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("check", "broken"),
    [
        (_training.check_convergence_warning, Silent),
        (_training.check_training_is_told, Shamming),
        (_training.check_divergence_is_never_silent, Numb),
        (_training.check_interrupt_leaves_no_half_fitted_model, Half),
        (_training.check_early_stopping_with_few_rows, Mute),
    ],
)
def test_a_broken_promise_is_caught_and_a_kept_one_passes(check, broken):
    check(NeuralODERegressor(max_iter=2))
    with pytest.raises(AssertionError):
        check(broken(max_iter=2))
