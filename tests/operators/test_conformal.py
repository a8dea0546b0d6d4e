"""Bands with a coverage that is guaranteed."""

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, Ridge

from skdyn import ConformalOperatorRegressor, KernelOperatorRegressor
from skdyn.datasets import FieldData, make_darcy

N_FITS = 40


class WrongSigma(Ridge):
    """Tells deviations that have nothing to do with its errors."""

    def predict(self, X, return_std=False):
        y = super().predict(X)
        return (y, np.exp(3 * X[:, :1]) + np.zeros_like(y)) if return_std else y


class CloudMean(LinearRegression):
    """Answers with the mean of the targets at any places."""

    def fit(self, X, y):
        self.mean_ = y.values.mean()
        return self

    def predict(self, X, at=None):
        places = X if at is None else at
        return places.with_values(np.full(len(places.coords), self.mean_))


def rows(n, rng):
    X = rng.normal(size=(n, 2))
    noise = rng.standard_t(3, size=(n, 3)) * (0.1 + abs(X[:, :1]))
    return X, X @ [[1, 2, 0], [0, 1, 1]] + noise


def times_within(low, y, high, share=1.0):
    return int((((low <= y) & (y <= high)).mean(axis=1) >= share).sum())


@pytest.mark.parametrize("band", ["simultaneous", "pointwise"])
@pytest.mark.parametrize("scale", ["knn", "residual", "std", None])
def test_new_cases_lie_within_as_often_as_is_said_however_wrong_the_widths(scale, band):
    """One new case a fit: the number within is binomial, with at least the confidence."""
    rng = np.random.default_rng(0)
    n_within, share = 0, 1.0 if band == "simultaneous" else 0.6
    for seed in range(N_FITS):
        X, y = rows(41, rng)
        model = ConformalOperatorRegressor(
            WrongSigma(), scale=scale, confidence=0.8, band=band, point_share=0.6,
            calibration_fraction=0.225, random_state=seed,
        ).fit(X[:40], y[:40])  # fmt: skip
        assert len(model.calibration_scores_) == 9  # whose 8th smallest is 0.8 exactly
        low, high = model.predict_interval(X[40:])
        n_within += times_within(low, y[40:], high, share)
    least, most = binom.interval(0.999, N_FITS, 0.8)
    assert least <= n_within <= most


def test_widths_follow_the_errors_of_cases_nearby():
    X, y = rows(600, np.random.default_rng(0))
    model = ConformalOperatorRegressor(LinearRegression(), random_state=0).fit(X[:400], y[:400])
    low, high = model.predict_interval(X[400:])
    width = (high - low).mean(axis=1)
    wide = abs(X[400:, 0]) > 1
    assert np.median(width[wide]) > 1.5 * np.median(width[~wide])
    even = ConformalOperatorRegressor(LinearRegression(), scale=None, random_state=0)
    low, high = even.fit(X[:400], y[:400]).predict_interval(X[400:])
    np.testing.assert_allclose(high - low, (high - low)[0, 0])


def test_fields_have_bands_of_their_own_shape():
    X, y = make_darcy(60, 7, random_state=0)
    kernels = KernelOperatorRegressor(n_corrections=0, length_scale=1.0, emphasis=0.0)
    for scale in ("knn", "std"):
        model = ConformalOperatorRegressor(kernels, scale=scale, random_state=0).fit(X, y)
        low, high = model.predict_interval(X[:5])
        assert low.shape == high.shape == y[:5].shape
        np.testing.assert_allclose((low + high) / 2, model.predict(X[:5]))
        narrow, _ = model.predict_interval(X[:5], confidence=0.5)
        assert (narrow >= low).all()


@pytest.mark.parametrize("scale", ["knn", "residual", None])
def test_clouds_have_bands_wherever_they_are_asked_for(scale):
    rng = np.random.default_rng(0)
    points = [rng.random((n, 2)) for n in rng.integers(3, 6, 60)]
    X = FieldData.from_lists(points, [xy[:, :1] for xy in points], weights=None)
    y = X.with_values(rng.normal(size=len(X.coords)))
    model = ConformalOperatorRegressor(CloudMean(), scale=scale, random_state=0).fit(X, y)
    low, high = model.predict_interval(X)
    assert (low.values < high.values).all()
    low, high = model.predict_interval(X[:2], at=[[0.5, 0.5]])
    assert low.sizes.tolist() == [1, 1]


def test_too_few_cases_are_told_with_the_number_that_is_needed():
    X, y = rows(20, np.random.default_rng(0))
    model = ConformalOperatorRegressor(DummyRegressor(), confidence=0.95, random_state=0)
    with pytest.warns(UserWarning, match="10 cases of the calibration are less than the 19"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="needs 19 cases of the calibration; there are 10"):
        model.predict_interval(X)
    assert np.isfinite(model.predict_interval(X, confidence=0.9)).all()
    with pytest.raises(ValueError, match=r"confidence must be a number between 0 and 1; got 1\.0"):
        model.predict_interval(X, confidence=1.0)


def test_deviations_are_asked_only_of_what_tells_them():
    X, y = rows(40, np.random.default_rng(0))
    with pytest.raises(ValueError, match="LinearRegression, which tells none"):
        ConformalOperatorRegressor(LinearRegression(), scale="std").fit(X, y)
    model = ConformalOperatorRegressor(DummyRegressor(), scale="std", random_state=0).fit(X, y)
    low, high = model.predict_interval(X)  # its deviations are zero
    assert 0 < (high - low).max() < 100


def test_another_grid_is_refused_where_cases_are_compared():
    X, y = make_darcy(30, 7, random_state=0)
    kernels = KernelOperatorRegressor(n_corrections=0, length_scale=1.0, emphasis=0.0)
    model = ConformalOperatorRegressor(kernels, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="Ask on the grid of fit"):
        model.predict_interval(make_darcy(2, 9, random_state=0)[0])
