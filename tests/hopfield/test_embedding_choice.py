import numpy as np
import pytest

from skdyn import HopfieldPoolingClassifier, HopfieldPoolingRegressor
from skdyn.datasets import make_bags
from skdyn.hopfield._bags import Bags
from skdyn.hopfield._embedding_choice import EMBEDDINGS, _folds, best_embedding

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, y, _ = make_bags(36, 3, n_instances=(2, 4), random_state=0)
BAGS = Bags(np.concatenate(X), [len(bag) for bag in X])


def test_folds_hold_every_class_and_depend_on_neither_order_nor_copies():
    folds = _folds(BAGS, y, is_labels=True)
    assert [np.bincount(y[folds == fold]).min() for fold in range(3)] == [6, 6, 6]
    order = np.r_[np.arange(36)[::-1], 0, 0, 5]
    np.testing.assert_array_equal(_folds(BAGS[order], y[order], is_labels=True), folds[order])
    turned = Bags(np.concatenate([bag[::-1] for bag in X]), BAGS.sizes)
    np.testing.assert_array_equal(_folds(turned, y, is_labels=True), folds)


def test_too_few_bags_make_no_folds():
    assert _folds(BAGS[:8], y[:8], is_labels=True) is None
    rare = (np.arange(36) < 2).astype(int)
    assert _folds(BAGS, rare, is_labels=True) is None
    assert _folds(BAGS, np.zeros(36), is_labels=True) is None  # one class: all are right


@pytest.mark.parametrize("kind", [HopfieldPoolingClassifier, HopfieldPoolingRegressor])
def test_the_embedding_with_the_least_error_is_taken(kind, monkeypatch):
    errors = {"likeness": 3.0, "features": 1.0, "trained": 2.0}
    monkeypatch.setattr(kind, "_error", lambda self, X, y, weight: errors[self.embedding_])
    model = kind(max_iter=2, n_references=5, random_state=0).fit(X, y)
    assert model.embedding_ == "features"
    errors["trained"] = 0.0
    assert model.fit(X, y).embedding_ == "trained"
    assert model._module_config["n_statistics"] == 0


def test_what_is_asked_for_is_taken_and_what_cannot_be_is_named():
    model = HopfieldPoolingClassifier(embedding="trained")
    assert best_embedding(model, BAGS, y, None) == ("trained", False)
    assert best_embedding(model.set_params(ranks=True), BAGS, y, None) == ("trained", True)
    with pytest.raises(ValueError, match="n_references=0 stores none"):
        best_embedding(model.set_params(embedding="likeness", n_references=0), BAGS, y, None)


def test_ranks_are_taken_where_they_are_better(monkeypatch):
    told = []

    def error(model, X, y, weight):
        told.append((model.embedding_, model.ranks_))
        return 1.0 - better * model.ranks_

    monkeypatch.setattr(HopfieldPoolingClassifier, "_error", error)
    quick = {"max_iter": 1, "n_models": 1, "n_references": 5, "random_state": 0}
    for better in (0.0, 0.1):  # as good is not enough
        told.clear()
        model = HopfieldPoolingClassifier(**quick).fit(X, y)
        assert model.ranks_ == bool(better)
        assert told[::3] == [(e, False) for e in EMBEDDINGS] + [("likeness", True)]
    assert not HopfieldPoolingClassifier(ranks=False, **quick).fit(X, y).ranks_


def test_answers_from_ranks_do_not_change_with_a_rising_function_of_features():
    model = HopfieldPoolingClassifier(
        embedding="features", ranks=True, n_models=1, max_iter=20, dtype="float64", random_state=0
    )
    expected = model.fit(X, y).predict_proba(X)
    bent = [np.exp(bag) for bag in X]
    np.testing.assert_allclose(model.fit(bent, y).predict_proba(bent), expected, atol=1e-6)


def test_errors_are_wrong_orders_of_classes_and_squares_of_numbers():
    model = HopfieldPoolingClassifier(embedding="features", n_models=1, random_state=0).fit(X, y)
    right, wrong = model.predict(X), 1 - model.predict(X)
    assert model._error(BAGS, right, None) == 0.0
    assert model._error(BAGS, wrong, None) == 1.0
    model = HopfieldPoolingRegressor(embedding="features", n_models=1, random_state=0).fit(X, y)
    assert model._error(BAGS, model.predict(X), np.ones(36)) == 0.0
