"""What all transformers of series share; the contract asks the rest of each of them."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline

from skdyn import SignatureTransformer


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(6, 3, 8))


def test_features_are_named_by_the_places_of_channels_in_X(X):
    X[:, 1] = np.arange(8)
    model = SignatureTransformer(1, augment=(), time_channel=1).fit(X)
    assert model.get_feature_names_out().tolist() == ["S(x0)", "S(x2)"]
    assert model.n_channels_ == 2
    assert model.n_features_in_ == 3


def test_times_that_come_as_y_are_refused_targets_are_not_looked_at(X):
    with pytest.raises(ValueError, match=r"8 for 6 cases[.] If these are the times"):
        SignatureTransformer().fit(X, np.arange(8))
    SignatureTransformer().fit(X, np.arange(6))


def test_times_that_are_counted_anyway_may_be_left_out(X):
    counted = SignatureTransformer().fit(X, t=np.arange(3.0, 11.0))
    np.testing.assert_allclose(counted.transform(X), SignatureTransformer().fit_transform(X))
    with pytest.raises(ValueError, match=r"t is missing. This SignatureTransformer .*set_fit_req"):
        SignatureTransformer().fit(X, t=np.arange(8) / 2).transform(X)


def test_a_case_of_which_one_point_was_seen_has_features(X):
    X[2, :, 1:] = np.nan
    model = SignatureTransformer(window="dyadic")
    found = model.fit_transform(X)
    names = model.get_feature_names_out().tolist()
    scaled = (X[2, 0, 0] - np.nanmean(X[:, 0])) / np.nanstd(X[:, 0])
    np.testing.assert_allclose(found[2, names.index("S(x0)")], scaled)
    assert found[2, names.index("S(time)")] == 0
    alone = model.fit(X).transform(X[2:3])
    np.testing.assert_allclose(alone[0], found[2])


@pytest.mark.peer
def test_it_works_in_pipelines_of_aeon_and_behind_its_transformers(X):
    aeon = pytest.importorskip(
        "aeon.pipeline", reason="aeon is not installed; it asks for an older pandas than ours"
    )
    collection = pytest.importorskip("aeon.transformations.collection")
    steps = collection.Normalizer(), SignatureTransformer(2), RidgeClassifier()
    y = np.arange(6) % 2
    ours = make_pipeline(*steps).fit(X, y)
    assert set(ours.predict(X)) <= {0, 1}
    one = X[:, :1]  # to aeon, a pipeline with a step of scikit-learn's reads one channel
    theirs = aeon.make_pipeline(*steps).fit(one, y)
    np.testing.assert_array_equal(
        theirs.predict(one), make_pipeline(*steps).fit(one, y).predict(one)
    )
