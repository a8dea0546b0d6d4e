"""The checks of labeled series bite."""

import numpy as np
import pytest

from skdyn import SignatureTransformer
from skdyn.testing import _series_times


class Deaf(SignatureTransformer):
    """Takes all questions to be at the times of the first fit."""

    def transform(self, X, *, t=None):
        return super().transform(X, t=_series_times._T)


class Padding(SignatureTransformer):
    """Takes padding for values."""

    def transform(self, X, *, t=None):
        if isinstance(X, np.ndarray):
            X = np.nan_to_num(X)
            t = None if t is None else np.where(np.isnan(t), 1.5, t)
        return super().transform(X, t=t)


class Trusting(SignatureTransformer):
    """Asks no questions about units."""

    def transform(self, X, *, t=None):
        self._duration = 0  # as after cases of a single point
        return super().transform(X, t=t)


class Lenient(SignatureTransformer):
    """Sorts times."""

    def fit(self, X, y=None, *, t=None):
        return super().fit(X, y, t=None if t is None else np.sort(t, axis=-1))


class Unrouted(SignatureTransformer):
    """Fits at times, and is asked without."""

    def fit_transform(self, X, y=None, *, t=None):
        return super().fit_transform(X, y)


@pytest.mark.parametrize(
    ("model", "check"),
    [
        (Deaf, _series_times.check_times_of_series_count),
        (Padding, _series_times.check_layouts_of_series_agree),
        (Trusting, _series_times.check_another_unit_of_time_is_told),
        (Lenient, _series_times.check_bad_series),
        (Unrouted, _series_times.check_times_of_series_are_routed),
    ],
    ids=lambda thing: thing.__name__,
)
def test_a_broken_promise_is_found(model, check):
    check(SignatureTransformer())
    with pytest.raises((AssertionError, ValueError)):
        check(model())
