import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.preprocessing import PolynomialFeatures

from skdyn._validation import all_or_nothing, check_sizes, from_torch
from skdyn.testing import _bad_input


class Swallowing(Ridge):
    """Takes NaN for zero."""

    def fit(self, X, y):
        return super().fit(np.nan_to_num(X), y)


class Passing(SimpleImputer):
    """Fills gaps in fit, and passes them on afterwards."""

    def transform(self, X):
        filled = super().transform(X)
        filled[np.isnan(X)] = np.nan
        return filled


class Careless(Ridge):
    """Takes any alpha."""

    def fit(self, X, y):
        return Ridge.fit(self.set_params(alpha=1.0), X, y)


class Hasty(Ridge):
    """Notes what it was given before it looks."""

    def fit(self, X, y):
        self.coef_, self.intercept_ = np.zeros(np.shape(X)[1]), 0.0
        return super().fit(X, y)


class Whole(Hasty):
    """Takes it back where the rest fails."""

    def fit(self, X, y):
        with all_or_nothing(self):
            return super().fit(X, y)


class Dividing(Ridge):
    """Standardizes in its own way."""

    def predict(self, X):
        with np.errstate(invalid="ignore"):
            return super().predict(X) + 0.0 / np.ptp(X[:, 0])


class Sized(Ridge):
    """Refuses what it cannot compute with, by name."""

    def fit(self, X, y):
        for name, values in (("X", X), ("y", y)):
            check_sizes(np.asarray(values), name)
        return super().fit(X, y)


class Reticent(Sized):
    """Does not say which."""

    def fit(self, X, y):
        try:
            return super().fit(X, y)
        except ValueError as error:
            raise ValueError("Too large or too small.") from error


class Vanishing(Sized):
    """Takes what is small for nothing."""

    def fit(self, X, y):
        if np.abs(X).max() < 1e-160:
            self.n_features_in_, self.coef_, self.intercept_ = 4, np.ones(4), 0.0
            return self
        return super().fit(X, y)


class OfTensors(Sized):
    """Takes tensors of any kind."""

    def fit(self, X, y):
        return super().fit(from_torch(X), from_torch(y))

    def predict(self, X):
        return super().predict(from_torch(X))

    def score(self, X, y):
        return super().score(X, from_torch(y))


class Fussy(Ridge):
    """Refuses constant columns, and may say why."""

    reason = "Column 0 is constant."

    def fit(self, X, y):
        if np.ptp(X[:, 0]) == 0:
            raise ValueError(self.reason)
        return super().fit(X, y)


class Curt(Fussy):
    """Does not say why."""

    reason = "No."


class Thrown(Ridge):
    """Answers far from the mean where a column is constant."""

    def predict(self, X):
        return super().predict(X) + 1e3 * (np.ptp(X[:, 0]) == 0)


class Told(Thrown):
    """Says so."""

    def fit(self, X, y):
        if np.ptp(X[:, 0]) == 0 and np.ptp(y) > 0:
            warnings.warn("worse than the mean", stacklevel=2)
        return super().fit(X, y)

    def predict(self, X):
        return super().predict(X) if self.coef_.any() else Ridge.predict(self, X)


class Excused(Thrown):
    """Speaks of something else."""

    def fit(self, X, y):
        warnings.warn("max_iter=3 came first", ConvergenceWarning, stacklevel=2)
        return super().fit(X, y)


@pytest.mark.parametrize(
    ("check", "broken", "sound"),
    [
        ("bad_data", Swallowing(), Ridge()),
        ("bad_parameters_are_named", Careless(), Ridge()),
        ("failed_fits_change_nothing", Hasty(), Whole()),
        ("constant_columns_and_single_class", Dividing(), Ridge()),
        ("constant_columns_and_single_class", Curt(), Fussy()),
        ("constant_columns_and_single_class", Thrown(), Told()),
        ("constant_columns_and_single_class", Excused(), Told()),
        ("extreme_values", Reticent(), Sized()),
        ("extreme_values", Vanishing(), Sized()),
        ("bad_data", Swallowing(), PolynomialFeatures()),
        ("bad_data", Passing(), SimpleImputer()),
    ],
)
@pytest.mark.filterwarnings("ignore:worse than the mean")
def test_a_broken_promise_is_caught_and_a_kept_one_passes(check, broken, sound):
    check = getattr(_bad_input, f"check_{check}")
    check(sound)
    with pytest.raises(AssertionError):
        check(broken)


def test_an_estimator_that_cannot_read_tensors_is_caught():
    _bad_input.check_tensors_of_any_kind(OfTensors())
    with pytest.raises(TypeError, match="BFloat16"):
        _bad_input.check_tensors_of_any_kind(Ridge())
