import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone
from torch.utils._python_dispatch import TorchDispatchMode

from skdyn import HopfieldPoolingClassifier, HopfieldPoolingRegressor, TopKSeparation, io
from skdyn.datasets import make_bags
from skdyn.hopfield import _bag_batches, _descriptions
from skdyn.hopfield._bags import check_bags

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


def long_table(bags):
    """Return the instances of all bags in another order, and the bag of each."""
    order = np.random.default_rng(0).permutation(sum(map(len, bags)))
    names = np.repeat(np.arange(len(bags)), [len(bag) for bag in bags])
    return np.concatenate(bags)[order], names[order]


@pytest.mark.parametrize("kind", [HopfieldPoolingClassifier, HopfieldPoolingRegressor])
def test_a_long_table_with_groups_is_the_list_of_its_bags(kind):
    table, groups = long_table(X)
    model = kind(max_iter=5, dtype="float64", **ALONE)
    expected = model.fit(X, y).predict(X)
    for target in (y, y[groups]):
        model.fit(table, target, groups=groups)
        np.testing.assert_allclose(model.predict(table, groups=groups), expected, atol=1e-8)
    assert model.score(table, y, groups=groups) == pytest.approx(model.score(X, y))
    for name in ("instance_weights", "instance_scores"):
        listed, tabled = getattr(model, name)(X), getattr(model, name)(table, groups=groups)
        assert [len(of_bag) for of_bag in tabled] == [len(of_bag) for of_bag in listed]
        np.testing.assert_allclose(np.sort(tabled[0]), np.sort(listed[0]), atol=1e-8)


def test_scores_are_the_answers_to_instances_as_bags_of_their_own():
    scores = FITTED.instance_scores(X)
    alone = FITTED.predict_proba([row[None] for row in X[3]])
    np.testing.assert_allclose(scores[3], np.log(alone[:, 1] / alone[:, 0]), atol=1e-9)
    kinds = HopfieldPoolingClassifier(max_iter=3, **ALONE).fit(X, np.arange(len(X)) % 3)
    alone = kinds.predict_proba([row[None] for row in X[3]])
    np.testing.assert_allclose(kinds.instance_scores(X)[3], np.log(alone), atol=1e-9)
    model = HopfieldPoolingRegressor(max_iter=3, **ALONE).fit(X, 100.0 + y)
    alone = model.predict([row[None] for row in X[3]])
    np.testing.assert_allclose(model.instance_scores(X)[3], alone)


def test_planted_instances_have_the_highest_scores():
    scores = FITTED.instance_scores(X)
    positive = [number for number, of_bag in enumerate(planted) if of_bag.any()]
    hits = [planted[number][scores[number].argmax()] for number in positive]
    assert np.mean(hits) > 0.9


class Largest(TorchDispatchMode):
    """Note the size of the largest tensor that is made."""

    n_numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **kwargs or {})
        if isinstance(made, torch.Tensor):
            self.n_numbers = max(self.n_numbers, made.numel())
        return made


@pytest.mark.parametrize("embedding", ["likeness", "features", "trained"])
def test_a_fit_makes_nothing_larger_than_the_data(embedding, monkeypatch):
    for name, size in {"_DESCRIBED": 300, "_EMBEDDED": 3000, "_KEPT": 0}.items():
        monkeypatch.setattr(_bag_batches, name, size)
    monkeypatch.setattr(_descriptions, "_NUMBERS", 3000)
    bags = [np.random.default_rng(0).normal(size=(n, 20)) for n in (500, *[10] * 20)]
    model = HopfieldPoolingClassifier(
        embedding=embedding, n_references=30, skip=False, max_iter=1, n_models=2, random_state=0
    )
    with Largest() as largest:
        model.fit(bags, np.arange(21) % 2)
    assert largest.n_numbers == sum(bag.size for bag in bags)  # the instances, scaled


def test_several_networks_are_each_trained_as_if_alone():
    one = HopfieldPoolingClassifier(max_iter=5, tol=0, dtype="float64", **ALONE).fit(X, y)
    two = clone(one).set_params(n_models=2).fit(X, y)
    first = dict(two.module_.named_parameters())
    for name, weight in one.module_.named_parameters():
        torch.testing.assert_close(first[name], weight, rtol=0, atol=1e-3)


def test_the_penalty_can_follow_the_embedding():
    for embedding in ("likeness", "features", "trained"):
        model = HopfieldPoolingClassifier(embedding=embedding, alpha="auto", n_models=1, max_iter=2)
        alpha = model.fit(X, y)._settings().alpha
        same = clone(model).set_params(alpha=alpha, random_state=0).fit(X, y)
        model.set_params(random_state=0).fit(X, y)
        np.testing.assert_array_equal(same.predict_proba(X), model.predict_proba(X))


def test_states_of_earlier_versions_answer_as_before():
    model = HopfieldPoolingClassifier(max_iter=3, clip=None, skip=True, **ALONE).fit(X, y)
    state = model.__getstate__()
    new = {"embedding", "hidden_layer_sizes", "dropout", "clip", "n_models",
           "embedding_", "_limits"}  # fmt: skip
    state = {name: value for name, value in state.items() if name not in new}
    config = {"hidden_layer_sizes", "dropout", "n_models"}
    state["_module_config"] = {k: v for k, v in state["_module_config"].items() if k not in config}
    earlier = HopfieldPoolingClassifier.__new__(HopfieldPoolingClassifier)
    earlier.__setstate__(state)
    np.testing.assert_array_equal(earlier.predict_proba(X), model.predict_proba(X))
    assert earlier.embedding == earlier.embedding_ == "likeness"
    np.testing.assert_array_equal(clone(earlier).fit(X, y).predict_proba(X), model.predict_proba(X))


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
    assert _hits(FITTED) > 0.9


def test_trained_pooling_looks_at_the_planted_instance():
    """Uniform weights would do on statistics alone, and hit as often as chance does."""
    model = HopfieldPoolingClassifier(
        embedding="trained", n_models=1, hidden_layer_sizes=(16,), max_iter=30, random_state=0
    ).fit(X, y)
    assert _hits(model) > 0.9


def _hits(model):
    weights = model.instance_weights(X)
    alone = [number for number, of_bag in enumerate(planted) if of_bag.sum() == 1]
    assert len(alone) > 30
    return np.mean([weights[number].argmax() == planted[number].argmax() for number in alone])


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
        model.fit(tables, y)
    with pytest.raises(ValueError, match="n_references=0 would change nothing"):
        model.set_params(n_references=0).fit(X, y)


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
    with pytest.raises(ValueError, match="one size, each at least 1"):
        clone(model).set_params(embedding="trained", hidden_layer_sizes=()).fit(X, y)


@pytest.mark.parametrize("embedding", ["likeness", "features", "trained"])
def test_a_fit_scales_instances_once_and_lets_them_go(embedding):
    bags = check_bags(HopfieldPoolingClassifier(), X, reset=True)
    model = HopfieldPoolingClassifier(**ALONE | {"embedding": embedding, "max_iter": 1}).fit(X, y)
    expected = model._scaled(bags.instances)
    own, view = bags[np.arange(len(bags))], bags[:]
    for some in (own, view):
        model._learn_descriptions(some, None)
        np.testing.assert_allclose(some[3:9].instances, some[np.arange(3, 9)].instances)
        np.testing.assert_allclose(model._scaled_once(some), expected)
        assert len(some.instances) == 0
    np.testing.assert_array_equal(bags.instances, np.concatenate(X))
    assert model._references.base is None  # which would keep all rows
