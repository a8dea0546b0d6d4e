"""Augmented covariances: scipy's matrix functions, mixtures, delays, short series."""

import numpy as np
import pytest
from scipy.linalg import expm, inv, logm, sqrtm

from skdyn import AugmentedCovariance
from skdyn.sequence._augmented_covariance import riemannian_mean


@pytest.fixture
def X():
    rng = np.random.default_rng(0)
    return rng.normal(size=(8, 3, 40)) + rng.normal(size=(8, 1, 40))


def test_the_mean_is_where_logarithms_add_up_to_nothing(X):
    covariances = np.stack([np.cov(case) for case in X])
    mean = riemannian_mean(covariances)
    whiten = inv(sqrtm(mean))
    logs = [logm(whiten @ covariance @ whiten) for covariance in covariances]
    np.testing.assert_allclose(np.mean(logs, axis=0), 0, atol=1e-9)
    a, b = covariances[:2]
    half = sqrtm(a) @ sqrtm(inv(sqrtm(a)) @ b @ inv(sqrtm(a))) @ sqrtm(a)
    np.testing.assert_allclose(riemannian_mean(covariances[:2]), half, atol=1e-9)


def test_the_mean_of_matrices_far_apart_is_found():
    rng = np.random.default_rng(0)
    slopes = rng.normal(size=(6, 3, 3)) * 2
    spread = np.stack([expm((slope + slope.T) / 2) for slope in slopes])
    mean = riemannian_mean(spread)
    whiten = inv(sqrtm(mean))
    logs = [logm(whiten @ matrix @ whiten) for matrix in spread]
    np.testing.assert_allclose(np.mean(logs, axis=0), 0, atol=1e-6)


def test_features_are_the_logarithms_that_scipy_finds(X):
    model = AugmentedCovariance(1, shrinkage=None).fit(X)
    found = model.transform(X)
    flat = (X - X.mean(axis=(0, 2))[:, None]) / X.std(axis=(0, 2))[:, None]
    whiten = inv(sqrtm(model.reference_))
    rows, columns = np.triu_indices(3)
    for row, case in zip(found, flat, strict=True):
        log = logm(whiten @ np.cov(case, bias=True) @ whiten)
        expected = log[rows, columns] * np.where(rows == columns, 1, np.sqrt(2))
        np.testing.assert_allclose(row, expected, atol=1e-9)


def test_mixing_channels_turns_features_and_keeps_their_distances(X):
    mixed = np.random.default_rng(1).normal(size=(3, 3)) @ X
    for n_lags in (1, 2):
        a, b = (AugmentedCovariance(n_lags, shrinkage=None).fit_transform(Z) for Z in (X, mixed))
        assert not np.allclose(a, b)
        np.testing.assert_allclose(a @ a.T, b @ b.T, atol=1e-6)


def test_delays_are_in_units_of_time():
    t = np.linspace(0, 20, 400)
    wave = np.array([np.sin(t + phase) for phase in (0.0, 1.0, 2.0)])
    model = AugmentedCovariance(2, step=np.pi, shrinkage=None)
    with pytest.raises(ValueError, match=r"singular: .* Set shrinkage"):
        model.fit(wave, t=t)  # half a turn later it is its own negative
    shrunk = AugmentedCovariance(2, step=np.pi / 2).fit(wave, t=t)
    assert shrunk.get_feature_names_out().tolist() == [
        "cov(x0,x0)", "cov(x0,x0_lag1)", "cov(x0_lag1,x0_lag1)",
    ]  # fmt: skip
    assert abs(shrunk.reference_[0, 1]) < 0.1 < 0.8 < shrunk.reference_[0, 0]


def test_points_count_by_the_time_around_them():
    t = np.array([0.0, 1.0, 3.0, 4.0])
    model = AugmentedCovariance(1, shrinkage=None)
    X = np.array([[1.0, 5.0, -2.0, 0.0], [2.0, 0.0, 1.0, 7.0]])
    model.fit(X, t=t)
    share = np.array([1.0, 1.5, 1.5, 1.0]) / 5
    mean = X @ share
    variance = (X - mean[:, None]) ** 2 @ share
    found = np.exp(model.transform(X, t=t)[:, 0])
    np.testing.assert_allclose(found[0] / found[1], variance[0] / variance[1])


def test_series_shorter_than_the_delays_are_told(X):
    model = AugmentedCovariance(3, step=2.0).fit(X)
    with pytest.warns(UserWarning, match="2 series, case 1 the first, are too short"):
        found = model.transform([X[0], X[1][:, :4], X[2][:, :2]])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[0], model.transform(X)[0])
