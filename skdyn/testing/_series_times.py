"""Labeled series: their own times count, and any layout of the same series has the same answer."""

import warnings
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import is_classifier, is_regressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skdyn._series import reads_series
from skdyn._validation import clone
from skdyn.testing._probe import meant_for, refuses, sketched

_RAISE: Any = "raise"  # checkers see scikit-learn's default, a number
# Uneven; so are other ones, with the same number of points and the same duration.
_T = np.array([0.0, 0.4, 1.5, 1.9, 3.2, 4.0, 4.3, 6.0, 7.0])
_OTHER_T = np.array([0.0, 1.0, 1.2, 2.8, 3.0, 3.4, 5.5, 5.6, 7.0])


def _sample_series(estimator):
    """Return series of two channels, targets, and who is asked."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(14, 2, len(_T))).cumsum(axis=2)
    y = np.arange(14) % 2
    return X, y if is_classifier(estimator) else y.astype(float), sketched(estimator)


def _answer(fitted, X, t=None):
    """Ask about series at times, most informative first."""
    for method in ("predict_proba", "predict", "transform"):
        if hasattr(fitted, method):
            ask = getattr(fitted, method)
            return np.asarray(ask(X) if t is None else ask(X, t=t))
    raise AssertionError(f"{fitted} has neither predict nor transform.")


@meant_for(reads_series)
def check_times_of_series_count(estimator):
    """The same values at other times have another answer, at fit and after it."""
    X, y, model = _sample_series(estimator)
    fitted = clone(model).fit(X, y, t=_T)
    expected = _answer(fitted, X, _T)
    assert not np.allclose(_answer(fitted, X, _OTHER_T), expected), "times of a question are lost"
    elsewhere = clone(model).fit(X, y, t=_OTHER_T)
    assert not np.allclose(_answer(elsewhere, X, _OTHER_T), expected), "times of fit are lost"
    refuses(lambda: _answer(fitted, X), "t is missing")


@meant_for(reads_series)
def check_layouts_of_series_agree(estimator):
    """Rows of times, lists, a channel of times and padding say the same."""
    X, y, model = _sample_series(estimator)
    fitted = clone(model).fit(X, y, t=_T)
    expected = _answer(fitted, X, _T)
    rows = np.tile(_T, (len(X), 1))
    timed = np.concatenate([X, rows[:, None]], axis=1)
    by_channel = clone(model).set_params(time_channel=-1).fit(timed, y)
    short = [case[:, :size] for case, size in zip(X, range(4, 18))]
    spread = np.full((len(X), 2, len(_T) + 2), np.nan)  # gaps that are no points, and padding
    places = np.array([0, 2, 3, 4, 5, 6, 7, 8, 9])
    for case, own in enumerate(short):
        spread[case][:, places[: own.shape[1]]] = own
    wide = np.full(len(_T) + 2, np.nan)
    wide[places] = _T
    for given, t in ((X, rows), (list(X), list(rows)), (X, _T + 5.0)):
        np.testing.assert_allclose(_answer(fitted, given, t), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(_answer(by_channel, timed), expected, rtol=1e-9, atol=1e-9)
    lists = _answer(fitted, short, [_T[: own.shape[1]] for own in short])
    np.testing.assert_allclose(_answer(fitted, spread, wide), lists, rtol=1e-9, atol=1e-9)
    assert np.isfinite(lists).all()
    assert len(lists) == len(X)


@meant_for(reads_series)
def check_another_unit_of_time_is_told(estimator):
    """Times in another unit than those of fit bring a warning; a shorter series does not."""
    X, y, model = _sample_series(estimator)
    fitted = clone(model).fit(X, y, t=_T)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _answer(fitted, X[:, :, :3], _T[:3])
        assert not [w for w in caught if "unit" in str(w.message)]
        _answer(fitted, X, 60 * _T)
        assert [w for w in caught if "unit" in str(w.message)]


@meant_for(reads_series)
def check_bad_series(estimator):
    """Times that are none, and channels that say nothing: an error that names the case."""
    X, y, model = _sample_series(estimator)

    def fit(values, t=None):
        return clone(model).fit(values, y, t=t)

    for at, time, word in (
        (3, _T[2], "strictly increase"), (3, 0.1, "strictly increase"), (3, np.nan, "nan"),
        (3, np.inf, "infinity"),
    ):  # fmt: skip
        spoilt = np.tile(_T, (len(X), 1))
        spoilt[2, at] = time
        refuses(lambda spoilt=spoilt: fit(X, spoilt), word)
        refuses(lambda spoilt=spoilt: fit(X, spoilt), "case 2")
    refuses(lambda: fit(X, _T[:-1]), "8 times for case 0")
    refuses(lambda: fit(X, [_T] * 3), "3 rows")
    refuses(lambda: fit(X[:, :, :1]), "at least 2")
    refuses(lambda: fit([*X[:-1], X[0, :1]]), "same n_channels")
    unseen = X.copy()
    unseen[:, 1] = np.nan
    refuses(lambda: fit(unseen), "channel 1")
    unseen[:] = X
    unseen[4] = np.nan
    refuses(lambda: fit(unseen), "case 4")
    refuses(lambda: clone(model).fit(X, _T), "one target per case", "inconsistent")
    fitted = fit(X)
    refuses(lambda: _answer(fitted, X[:, :1]), "features")
    unseen[:] = X
    unseen[4, 1] = np.nan  # in one case alone, which is usual
    assert np.isfinite(_answer(fitted, unseen)).all()


@meant_for(reads_series)
def check_times_of_series_are_routed(estimator):
    """A pipeline that is searched over hands times on, one row per case."""
    X, y, model = _sample_series(estimator)
    t = np.tile(_T, (len(X), 1))
    with config_context(enable_metadata_routing=True):
        model.set_fit_request(t=True)
        last = [] if is_classifier(model) or is_regressor(model) else [Ridge()]
        if last:
            model.set_transform_request(t=True)
        else:
            model.set_predict_request(t=True).set_score_request(t=True)
        search = GridSearchCV(make_pipeline(model, *last), {}, cv=2, error_score=_RAISE)
        search.fit(X, y, t=t)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        found = search.best_estimator_[:1]
        routed = found.transform(X, t=t) if last else found.predict(X, t=t)
    expected = clone(model).fit(X, y, t=t)
    expected = expected.transform(X, t=t) if last else expected.predict(X, t=t)
    np.testing.assert_array_equal(routed, expected)
