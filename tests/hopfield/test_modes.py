import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine, make_circles, make_hastie_10_2, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.metrics import log_loss

from skdyn import HopfieldClassifier, HopfieldRegressor, io
from skdyn.hopfield._modes import warn_where_rows_tell_more

X, y = make_hastie_10_2(240, random_state=0)
QUICK = {"max_iter": 2, "tol": 0.0, "random_state": 0}


def test_what_is_asked_for_decides_between_modes():
    asked = {
        "solved": {},
        "projected": {"n_components": 2},
        "stored": {"mode": "stored"},
    }
    for mode, parameters in asked.items():
        model = HopfieldClassifier(**QUICK, **parameters).fit(X[:80], y[:80])
        assert model.mode_ == mode
        assert model.mode == parameters.get("mode", "auto")
    for parameters in ({"separation": "topk"}, {"early_stopping": True}, {"similarity": "dot"}):
        assert HopfieldClassifier(**QUICK, **parameters).fit(X[:60], y[:60]).mode_ == "projected"
    assert HopfieldClassifier(**QUICK).partial_fit(X, y).mode_ == "stored"
    assert HopfieldClassifier().fit(X[:8], y[:8]).mode_ == "stored"


@pytest.mark.parametrize("parameter", [{"similarity": "cosine"}, {"n_components": 1}])
def test_what_cannot_be_solved_for_is_refused(parameter):
    with pytest.raises(ValueError, match="is not for mode='solved'"):
        HopfieldRegressor("solved", **parameter).fit(X, y)


def test_solved_values_tell_what_means_do_not():
    model = HopfieldClassifier().fit(X[:160], y[:160])
    means = HopfieldClassifier("stored").fit(X[:160], y[:160])
    assert model.score(X[160:], y[160:]) > 0.8 > 0.7 > means.score(X[160:], y[160:])


def test_a_line_is_learned_as_ridge_learns_it():
    rows, target = make_regression(120, 8, n_informative=4, noise=20.0, random_state=0)
    learnt, asked = slice(80), slice(80, None)
    ridge = RidgeCV(np.logspace(-3, 3, 13)).fit(rows[learnt], target[learnt])
    model = HopfieldRegressor().fit(rows[learnt], target[learnt])
    wanted = ridge.score(rows[asked], target[asked])
    assert model.score(rows[asked], target[asked]) > wanted - 0.01


@pytest.mark.parametrize("n_columns", [3, 100])
def test_noise_is_told_its_frequencies_with_a_warning(n_columns):
    rng = np.random.default_rng(n_columns)
    rows, labels = rng.normal(size=(400, n_columns)), (rng.random(400) < 0.3).astype(int)
    with pytest.warns(ConvergenceWarning, match="no better than an answer that reads no input"):
        model = HopfieldClassifier().fit(rows[:60], labels[:60])
    share = labels[:60].mean()
    wanted = log_loss(labels[60:], np.full(340, share))
    assert log_loss(labels[60:], model.predict_proba(rows[60:])) < wanted + 0.02
    with pytest.warns(ConvergenceWarning, match="no better than"):
        model = HopfieldRegressor().fit(rows[:60], rows[340:, 0])
    np.testing.assert_allclose(model.predict(rows[60:]), rows[340:, 0].mean(), atol=0.05)


@pytest.mark.filterwarnings("error")
def test_targets_that_are_all_the_same_are_no_reason_to_warn():
    rows = X[:20, :3]
    assert set(HopfieldClassifier("solved").fit(rows, ["a"] * 20).predict(rows)) == {"a"}
    np.testing.assert_allclose(HopfieldRegressor("solved").fit(rows, [7.0] * 20).predict(rows), 7)


@pytest.mark.parametrize("estimator", [HopfieldClassifier(), HopfieldRegressor()], ids=str)
def test_rows_of_later_calls_are_solved_for_with_the_first(estimator, tmp_path):
    rows, labels = load_wine(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(rows))
    rows, labels = rows[order], labels[order]
    model = clone(estimator).fit(rows[:60], labels[:60])
    before = model.predict(rows)
    io.save(model, tmp_path / "model.skdyn")
    np.testing.assert_array_equal(io.load(tmp_path / "model.skdyn").predict(rows), before)
    model.partial_fit(rows[60:], labels[60:])
    assert model.mode_ == "solved"
    assert len(model.patterns_) == len(rows)
    assert model.score(rows, labels) > 0.95


def test_indexed_memories_answer_as_exact_ones_do():
    pytest.importorskip("faiss")
    exact = HopfieldClassifier("solved", beta=64.0).fit(X[:100], y[:100])
    quick = HopfieldClassifier("solved", beta=64.0, index="faiss").fit(X[:100], y[:100])
    np.testing.assert_allclose(quick.predict_proba(X), exact.predict_proba(X), atol=0.02)


def test_prototypes_that_tell_far_less_than_the_rows_say_so():
    rows, labels = make_circles(100, noise=0.05, factor=0.5, random_state=0)
    model = HopfieldClassifier("stored", n_prototypes=7).fit(rows, labels)
    with pytest.warns(ConvergenceWarning, match="loss is 0.6 on .* or raise n_prototypes=7"):
        warn_where_rows_tell_more(model, 0.6)
    with warnings.catch_warnings(action="error"):
        warn_where_rows_tell_more(model, 0.3)
