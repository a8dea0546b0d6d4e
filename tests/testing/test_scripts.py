import numpy as np
import pytest
from sklearn.linear_model import Lasso, LinearRegression, Ridge
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skdyn import NeuralODERegressor
from skdyn.testing import _scripts


class Unseeded(NeuralODERegressor):
    """Ignores its random_state."""

    def _train(self, *args, **kwargs):
        kept, self.random_state = self.random_state, None
        super()._train(*args, **kwargs)
        self.random_state = kept


class Littering(Ridge):
    """Draws from the global generator."""

    def predict(self, X):
        np.random.random()  # noqa: NPY002
        return super().predict(X)


class Deaf(Ridge):
    """Hears no weights."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y)


class Moody(Ridge):
    """Scores itself better every time."""

    def score(self, X, y, sample_weight=None):
        self.mood = getattr(self, "mood", 0) + 1
        return self.mood


class Nameless(StandardScaler):
    """Forgets the names of the columns."""

    def fit(self, X, y=None):
        return super().fit(np.asarray(X))


class Single(DecisionTreeRegressor):
    """Answers in single precision."""

    def predict(self, X):
        return super().predict(X).astype(np.float32)


class Lost(LinearRegression):
    """Counts no features."""

    def fit(self, X, y):
        super().fit(X, y).n_features_in_ = 1
        return self


class Unsearchable(Lasso):
    """Scores nothing."""

    def score(self, X, y):
        return np.nan


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite:UserWarning")
@pytest.mark.parametrize(
    ("check", "broken", "sound"),
    [
        ("same_seed_same_model", Unseeded(max_iter=2), NeuralODERegressor(max_iter=2)),
        ("global_state_is_left_alone", Littering(), Ridge()),
        ("metadata_routing", Deaf(), Ridge()),
        ("score_is_routed", Moody(), Ridge()),
        ("feature_names_are_remembered_and_compared", Nameless(), StandardScaler()),
        ("regressors_return_float64", Single(), DecisionTreeRegressor()),
        ("fitted_attributes", Lost(), LinearRegression()),
        ("pipeline_and_grid_search", Unsearchable(), Lasso()),
    ],
)
def test_a_broken_promise_is_caught_and_a_kept_one_passes(check, broken, sound):
    check = getattr(_scripts, f"check_{check}")
    check(sound)
    with pytest.raises((AssertionError, AttributeError)):
        check(broken)


def test_a_transformer_is_searched_with_a_model_behind_it():
    _scripts.check_pipeline_and_grid_search(PolynomialFeatures())
    _scripts.check_transformers_set_output(PolynomialFeatures())
