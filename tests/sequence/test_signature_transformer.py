"""Signatures as features: what each augmentation adds, windows, units, sizes."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import SignatureTransformer


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(6, 2, 12)).cumsum(axis=2)


def features(X, t=None, **parameters):
    model = SignatureTransformer(**{"rescale": False} | parameters)
    values = model.fit_transform(X, t=t)
    return dict(zip(model.get_feature_names_out(), values.T, strict=True))


def test_words_are_named_by_what_moved_in_which_order(X):
    found = features(X, depth=2, augment=("time",))
    x, y = (np.diff(X[:, channel]) for channel in (0, 1))
    np.testing.assert_allclose(found["S(x0)"], X[:, 0, -1] - X[:, 0, 0])
    before = X[:, 0, :-1] - X[:, 0, :1] + x / 2
    np.testing.assert_allclose(found["S(x0,x1)"], (before * y).sum(axis=1))
    np.testing.assert_allclose(found["S(time)"], 11.0)


def test_without_a_channel_of_times_only_the_order_of_values_counts(X):
    other = np.sort(np.random.default_rng(1).uniform(0, 11, 12))
    for augment, same in ((("basepoint", "lead_lag"), True), (("time",), False)):
        a, b = (features(X, t, augment=augment) for t in (None, other))
        equal = all(np.allclose(a[name], b[name], rtol=1e-9, atol=1e-9) for name in a)
        assert equal == same


def test_a_base_point_tells_where_a_series_begins(X):
    assert not np.allclose(features(X + 5.0)["S(x0)"], features(X)["S(x0)"])
    found = features(X, augment=("basepoint",))
    np.testing.assert_allclose(found["S(x0)"], X[:, 0, -1])
    raised = features(X + 5.0, augment=("time",))
    for name, column in features(X, augment=("time",)).items():
        np.testing.assert_allclose(raised[name], column, rtol=1e-9, atol=1e-8)


def test_the_area_of_leads_and_lags_is_the_sum_of_squares(X):
    found = features(X, depth=2, augment=("lead_lag",))
    squares = (np.diff(X[:, 0]) ** 2).sum(axis=1)
    np.testing.assert_allclose(found["S(x0,x0_lag)"] - found["S(x0_lag,x0)"], squares)


def test_counts_are_of_the_values_that_were_seen(X):
    X[:, 1, 3:7] = np.nan
    found = features(X, depth=1, augment=("counts",))
    np.testing.assert_array_equal(found["S(n_x0)"], 11)
    np.testing.assert_array_equal(found["S(n_x1)"], 7)
    np.testing.assert_allclose(found["S(x1)"], X[:, 1, -1] - X[:, 1, 0])


@pytest.mark.parametrize("augment", [("time",), ("time", "basepoint", "lead_lag")])
def test_halves_are_those_of_the_halves_and_their_product_is_the_whole(X, augment):
    t = np.array([0.0, 1, 2, 3, 4, 5, 5.5, 6, 6.5, 7, 8, 10])
    whole = features(X, t, augment=augment)
    cut = features(X, t, augment=augment, window="dyadic")
    assert len(cut) == 7 * len(whole)
    for name, column in whole.items():
        np.testing.assert_allclose(cut[name], column, rtol=1e-9, atol=1e-9)
    second = features(X[:, :, 5:], t[5:], augment=("time",))
    for name in second if augment == ("time",) else ():
        np.testing.assert_allclose(cut[f"{name}[2/2]"], second[name], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(cut["S(x0)[1/2]"] + cut["S(x0)[2/2]"], whole["S(x0)"])


def test_units_of_channels_and_times_do_not_matter_to_rescaled_features(X):
    t = np.linspace(0, 3, 12) ** 2
    expected = SignatureTransformer(augment=("time", "counts", "basepoint")).fit_transform(X, t=t)
    units = np.array([[2.0**20], [2.0**-30]])
    model = SignatureTransformer(augment=("time", "counts", "basepoint"))
    np.testing.assert_allclose(model.fit_transform(X * units + units, t=60 * t), expected)
    assert np.abs(expected).max() < 200


def test_the_logarithm_has_fewer_features_and_is_linear_in_the_first_level(X):
    whole = features(X, augment=("time",))
    log = features(X, augment=("time",), log=True)
    assert len(log) == 14 < len(whole) == 39
    np.testing.assert_allclose(log["log(x1)"], whole["S(x1)"])


def test_order_in_time_is_learned_by_a_linear_model():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2, 30)).cumsum(axis=2)
    y = np.arange(80) % 2
    X[y == 0, 0, 2:] = X[y == 0, 1, :-2]
    X[y == 1, 1, 2:] = X[y == 1, 0, :-2]
    model = make_pipeline(SignatureTransformer(2), StandardScaler(), LogisticRegression())
    assert model.fit(X[:60], y[:60]).score(X[60:], y[60:]) > 0.9


def test_features_beyond_count_and_unknown_augmentations_are_refused(X):
    with pytest.raises(ValueError, match=r"depth=12 makes .* Lower depth"):
        SignatureTransformer(12).fit(X)
    with pytest.raises(ValueError, match=r"augment must hold some of .*'wavelets'"):
        SignatureTransformer(augment=("time", "wavelets")).fit(X)
    with pytest.raises(ValueError, match="each once"):
        SignatureTransformer(augment=("time", "time")).fit(X)


def test_values_far_from_those_of_fit_are_refused(X):
    with pytest.raises(ValueError, match="too far from those of fit"):
        SignatureTransformer(5).fit(X).transform(X * 1e70)


def test_values_whose_words_would_vanish_are_refused_without_rescaling(X):
    small = X * 2.0**-400
    with pytest.raises(ValueError, match="The values of X in column 0 reach"):
        SignatureTransformer(rescale=False).fit(small)
    np.testing.assert_allclose(
        SignatureTransformer().fit_transform(small), SignatureTransformer().fit_transform(X)
    )
    SignatureTransformer(2, rescale=False).fit(small)
