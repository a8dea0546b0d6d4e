import numpy as np
import pytest
from sklearn import config_context

from skdyn import HopfieldPoolingClassifier, HopfieldPoolingRegressor, TopKSeparation, io
from skdyn.datasets import make_bags

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, y, planted = make_bags(120, 4, n_instances=(2, 6), separation=2.0, random_state=0)
ALONE = {"embedding": "likeness", "n_references": 30, "n_models": 1, "random_state": 0}
MODEL = HopfieldPoolingClassifier(max_iter=60, **ALONE)
FITTED = HopfieldPoolingClassifier(max_iter=60, skip=False, **ALONE).fit(X, y)


def test_the_order_of_instances_does_not_matter():
    turned = [bag[::-1] for bag in X]
    np.testing.assert_allclose(
        FITTED.predict_proba(turned), FITTED.predict_proba(X), atol=1e-12
    )  # fmt: skip
    for before, after in zip(FITTED.instance_weights(X), FITTED.instance_weights(turned)):
        np.testing.assert_allclose(after[::-1], before, atol=1e-12)


def test_padding_layout_and_company_do_not_matter():
    padded = np.full((len(X), 9, 4), np.nan)
    for bag, values in zip(padded, X):
        bag[2 : 2 + len(values)] = values
    expected = FITTED.predict_proba(X)
    np.testing.assert_allclose(FITTED.predict_proba(padded), expected, atol=1e-12)
    np.testing.assert_allclose(FITTED.predict_proba(X[:3]), expected[:3], atol=1e-12)
    again = MODEL.fit(padded, y).predict_proba(X)
    np.testing.assert_array_equal(again, MODEL.fit(X, y).predict_proba(X))


def test_memory_is_bounded_by_chunks_that_change_nothing():
    expected = FITTED.predict_proba(X)
    with config_context(working_memory=0.01):
        np.testing.assert_allclose(FITTED.predict_proba(X), expected, atol=1e-12)


def test_weights_are_one_a_instance_and_sum_to_one():
    weights = FITTED.instance_weights(X)
    assert [len(of_bag) for of_bag in weights] == [len(bag) for bag in X]
    np.testing.assert_allclose([of_bag.sum() for of_bag in weights], 1)
    apart = FITTED.instance_weights(X, per_state=True)
    assert apart[0].shape == (4, len(X[0]))
    np.testing.assert_allclose(apart[0].mean(axis=0), weights[0])


def test_the_planted_instance_gets_the_weight():
    weights = FITTED.instance_weights(X)
    alone = [number for number, of_bag in enumerate(planted) if of_bag.sum() == 1]
    assert len(alone) > 30
    hits = [weights[number].argmax() == planted[number].argmax() for number in alone]
    assert np.mean(hits) > 0.9


def test_the_order_of_bags_and_their_repetition_do_not_change_the_references():
    once = MODEL.fit(X, y)._references
    order = np.random.default_rng(0).permutation(len(X))
    twice = [X[i] for i in np.r_[order, order]]
    np.testing.assert_allclose(MODEL.fit(twice, y[np.r_[order, order]])._references, once)


def test_units_do_not_matter():
    model = HopfieldPoolingClassifier(max_iter=5, dtype="float64", **ALONE)
    expected = model.fit(X, y).predict_proba(X)
    scaled = [bag * [1e3, 1e-3, 1, 7] + 5 for bag in X]
    np.testing.assert_allclose(model.fit(scaled, y).predict_proba(scaled), expected, rtol=1e-6)


def test_a_fit_that_goes_on_keeps_its_references():
    model = HopfieldPoolingClassifier(max_iter=5, warm_start=True, **ALONE)
    first = model.fit(X, y)._references
    assert model.fit(X[:60], y[:60])._references is first
    tables = [bag[:, :2] for bag in X]
    with pytest.raises(ValueError, match="expecting 4 features"):
        model.set_params(n_references=0).fit(tables, y)


@pytest.mark.parametrize("settings", [{"embedding": "features"}, {"skip": False}, {"n_states": 1}])
def test_every_part_can_be_left_out(settings):
    model = HopfieldPoolingClassifier(**ALONE | settings).fit(X, y)
    assert model.score(X, y) > 0.9


def test_a_separation_with_settings_survives_the_safe_format(tmp_path):
    model = HopfieldPoolingRegressor(separation=TopKSeparation(k=1), max_iter=3, **ALONE).fit(X, y)
    assert all((of_bag > 0).sum() <= 4 for of_bag in model.instance_weights(X))
    io.save(model, tmp_path / "model.safetensors")
    again = io.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize("model", [HopfieldPoolingClassifier(), HopfieldPoolingRegressor()])
def test_bad_input_is_named(model):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, y[:-1])
    with pytest.raises(ValueError, match="requires y to be passed"):
        model.fit(X, None)
    with pytest.raises(ValueError, match="Bag 2 of X is empty"):
        model.fit([*X[:2], X[2][:0]], y[:3])
    with pytest.raises(ValueError, match="expecting 4 features"):
        FITTED.predict([bag[:, :3] for bag in X])
