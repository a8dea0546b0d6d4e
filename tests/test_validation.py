import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skdyn._validation import check_validation_pair, check_weights, fit_context

X = np.zeros((3, 2))


def test_no_weights_stay_none():
    assert check_weights(None, X) is None


@pytest.mark.parametrize(
    ("weight", "message"),
    [([1.0, -1.0, 1.0], "[Nn]egative"), ([0.0, 0.0, 0.0], "zero"), ([1.0, np.nan, 1.0], "NaN"),
     ([1.0, 2.0], "shape")],
)  # fmt: skip
def test_bad_weights_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        check_weights(weight, X)


def test_half_a_validation_set_is_refused_by_name():
    with pytest.raises(ValueError, match="X_val was passed to fit without y_val"):
        check_validation_pair(X, None, early_stopping=True)
    with pytest.raises(ValueError, match="y_val was passed to fit without X_val"):
        check_validation_pair(None, X, early_stopping=True)


def test_a_validation_set_nobody_watches_is_refused():
    with pytest.raises(ValueError, match="early_stopping=True"):
        check_validation_pair(X, X, early_stopping=False)
    check_validation_pair(X, X, early_stopping=True)
    check_validation_pair(None, None, early_stopping=False)


class Counting(BaseEstimator):
    """Counts how often it was fitted, then fails where asked."""

    _parameter_constraints = {"error": [Exception, KeyboardInterrupt, None]}

    def __init__(self, error=None):
        self.error = error

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        self.n_fits_ = getattr(self, "n_fits_", 0) + 1
        if self.error:
            raise self.error
        return self


@pytest.mark.parametrize("error", [ValueError("deliberate"), KeyboardInterrupt("deliberate")])
def test_a_fit_that_fails_leaves_every_attribute_as_it_was(error):
    with pytest.raises(type(error), match="deliberate"):
        (counting := Counting(error)).fit(X)
    assert vars(counting) == {"error": error}
    counting.set_params(error=None).fit(X)
    with pytest.raises(type(error), match="deliberate"):
        counting.set_params(error=error).fit(X)
    assert counting.n_fits_ == 1


def test_parameters_are_checked_before_a_fit():
    with pytest.raises(ValueError, match="'error' parameter"):
        Counting(error=3).fit(X)
