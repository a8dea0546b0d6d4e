import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score

from skdyn import HopfieldPoolingClassifier
from skdyn.datasets import make_bags

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, y, _ = make_bags(80, 4, n_instances=(2, 6), separation=2.0, random_state=0)
ALONE = {"embedding": "likeness", "n_references": 20, "n_models": 1, "random_state": 0}
QUICK = HopfieldPoolingClassifier(max_iter=10, **ALONE)


def test_bags_are_the_samples_of_a_search():
    search = GridSearchCV(QUICK, {"n_states": [1, 2]}, cv=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.6
    assert len(search.predict(X)) == len(X)
    assert np.isfinite(cross_val_score(QUICK, X, y, cv=2, error_score="raise")).all()


def test_labels_of_any_type_and_more_than_two_classes():
    kinds = np.array(["ash", "birch", "cedar"])[np.arange(len(X)) % 3]
    model = QUICK.fit(X, kinds)
    assert list(model.classes_) == ["ash", "birch", "cedar"]
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    assert set(model.predict(X)) <= set(kinds)


def test_a_single_class_is_answered_everywhere():
    assert set(QUICK.fit(X, np.ones(len(X))).predict(X)) == {1}


def test_a_weight_of_two_is_a_bag_twice():
    model = HopfieldPoolingClassifier(max_iter=5, dtype="float64", **ALONE)
    weight = 1.0 + y
    twice = [bag for bag, times in zip(X, y + 1) for _ in range(times)]
    expected = model.fit(twice, np.repeat(y, y + 1)).predict_proba(X)
    weighted = model.fit(X, y, sample_weight=weight).predict_proba(X)
    np.testing.assert_allclose(weighted, expected, atol=1e-8)


def test_early_stopping_watches_bags():
    model = HopfieldPoolingClassifier(early_stopping=True, n_iter_no_change=3, **ALONE)
    for watched in ({}, {"X_val": X[:20], "y_val": y[:20]}):
        model.fit(X, y, **watched)
        assert len(model.validation_scores_) == model.n_iter_


def test_partial_fit_learns_from_batches_of_bags():
    model = HopfieldPoolingClassifier(**ALONE)
    for _ in range(20):
        model.partial_fit(X[:40], y[:40], classes=[0, 1])
        model.partial_fit(X[40:], y[40:])
    assert model.n_iter_ == 40
    assert model.score(X, y) > 0.8


@pytest.mark.slow
def test_it_finds_what_statistics_of_bags_miss():
    bags, label, _ = make_bags(160, random_state=0)
    model = HopfieldPoolingClassifier(n_models=1, random_state=0).fit(bags[:100], label[:100])
    assert roc_auc_score(label[100:], model.predict_proba(bags[100:])[:, 1]) > 0.9
