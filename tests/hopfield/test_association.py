"""What classifier and regressor share, asked of both."""

from functools import partial

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_classification, make_friedman1
from sklearn.utils.estimator_checks import estimator_checks_generator

from skdyn import HopfieldClassifier, HopfieldRegressor, TopKSeparation
from skdyn.hopfield import EntmaxSeparation, _calibration
from skdyn.hopfield._retrieval import SIMILARITIES
from skdyn.hopfield._separations import SEPARATIONS
from skdyn.testing import contract_checks
from skdyn.testing._probe import as_long_as_asked, shared_fits
from skdyn.testing._scripts import check_same_model_in_another_process

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
MODES = ["stored", "projected", "prototypes"]
ALL = [*MODES, "solved"]
BOTH = [HopfieldClassifier(), HopfieldRegressor()]
TWO = ["softmax", "topk"]  # with a closed form for all betas, and without
QUICK = {"max_iter": 5, "random_state": 0}
DATA = {
    HopfieldClassifier: make_classification(
        60, 4, n_informative=3, n_redundant=0, n_classes=3, n_clusters_per_class=1, random_state=0
    ),
    HopfieldRegressor: make_friedman1(60, 5, random_state=0),
}
OTHERS = [
    HopfieldClassifier("projected", max_iter=5),
    HopfieldRegressor("stored"),
    HopfieldClassifier("prototypes", n_prototypes=2, max_iter=5),
    HopfieldRegressor("prototypes", n_prototypes=30, max_iter=15),
]
# Each mode and each kind of estimator is asked the contract once, and once scikit-learn's checks.
CONTRACT, SCIKIT_LEARN = (OTHERS[0], OTHERS[3]), (OTHERS[1], OTHERS[2])


@pytest.fixture(autouse=True, scope="module")
def each_fit_that_is_only_read_is_made_once():
    with shared_fits():
        yield


@pytest.mark.slow
@pytest.mark.parametrize("estimator", SCIKIT_LEARN, ids=str)
def test_scikit_learns_checks_pass_in_the_modes_that_are_not_the_default(estimator, ask_all):
    # What is not asked of regressors alone, the classifier is asked.
    ask_all(
        (check.func.__name__, partial(check, as_long_as_asked(estimator, check)))
        for _, check in estimator_checks_generator(estimator)
        if is_classifier(estimator) or "regress" in str(check.func)
    )


@pytest.mark.slow
@pytest.mark.parametrize("estimator", CONTRACT, ids=str)
def test_the_contract_is_kept_in_the_modes_that_are_not_the_default(estimator, ask_all):
    ask_all(
        (check.__name__, partial(check, estimator))
        for check in contract_checks(estimator)
        if check is not check_same_model_in_another_process  # it starts two; the default was asked
    )


def both(**parameters):
    """Models with their data."""
    return [(clone(model).set_params(**QUICK | parameters), *DATA[type(model)]) for model in BOTH]


def answers(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


# -- laws ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ALL)
def test_the_order_of_the_rows_changes_nothing(mode):
    for model, X, y in both(mode=mode):
        order = np.random.default_rng(0).permutation(len(X))
        one = answers(clone(model).fit(X, y), X)
        np.testing.assert_array_equal(one, answers(model.fit(X[order], y[order]), X))


@pytest.mark.parametrize(
    ("mode", "separation"),
    [
        *(("stored", name) for name in SEPARATIONS),
        *((m, s) for m in MODES[1:] for s in TWO),
        ("solved", "softmax"),
    ],
)
def test_a_weight_of_k_equals_k_rows(mode, separation):
    for model, X, y in both(mode=mode, separation=separation):
        weight = np.random.default_rng(0).integers(0, 4, size=len(X))
        one = answers(clone(model).fit(X, y, sample_weight=weight), X)
        repeated = model.fit(X.repeat(weight, axis=0), y.repeat(weight))
        np.testing.assert_array_equal(one, answers(repeated, X))


def test_units_and_repeated_features_do_not_change_what_beta_means():
    for model, X, y in both(mode="stored", beta=20.0):
        wanted = answers(clone(model).fit(X, y), X)
        other = X * 10.0 ** np.arange(X.shape[1]) - 3
        np.testing.assert_allclose(answers(clone(model).fit(other, y), other), wanted)
        twice = np.column_stack([X, X])
        np.testing.assert_allclose(answers(model.fit(twice, y), twice), wanted)


@pytest.mark.parametrize(
    ("mode", "similarity"),
    [*((mode, name) for mode in MODES for name in SIMILARITIES), ("solved", "euclidean")],
)
@pytest.mark.parametrize("beta", [1e-300, 1e300])
def test_no_beta_overflows(mode, similarity, beta):
    for model, X, y in both(mode=mode, similarity=similarity, beta=beta):
        assert np.isfinite(answers(model.fit(X, y), X)).all()
        assert np.isfinite(answers(model, 1e6 * X.astype(np.float32))).all()


@pytest.mark.parametrize("mode", MODES)
def test_every_similarity_and_separation_learns(mode):
    separations = [*SEPARATIONS]
    if mode == "stored":
        separations += [TopKSeparation(3), EntmaxSeparation(1.2)]
    kinds = [{"similarity": name} for name in SIMILARITIES]
    for kind in [*kinds, *({"separation": each} for each in separations)]:
        for model, X, y in both(mode=mode, n_prototypes=5, max_iter=2, **kind):
            assert model.fit(X, y).score(X, y) > 0.2


# -- what predictions rest on -------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["stored", "projected", "solved"])
def test_retrieved_patterns_are_rows_of_the_training_data_by_falling_weight(mode):
    for model, X, y in both(mode=mode, beta=1e6):
        rows, weights = model.fit(X, y).retrieved_patterns(X, n_patterns=3)
        np.testing.assert_array_equal(rows[:, 0], np.arange(len(X)))
        assert (np.diff(weights, axis=1) <= 0).all()
        np.testing.assert_array_equal(model.patterns_, X[model.pattern_rows_])


def test_predictions_are_means_by_the_weights_that_are_told():
    for model, X, y in both(mode="stored"):
        rows, weights = model.fit(X, y).retrieved_patterns(X, n_patterns=len(X))
        assert rows.shape == (len(X), len(X))
        np.testing.assert_allclose(weights.sum(axis=1), 1)
        if isinstance(model, HopfieldRegressor):
            wanted = (weights * y[rows]).sum(axis=1)
        else:
            share = np.stack([(weights * (y[rows] == c)).sum(axis=1) for c in (0, 1, 2)], axis=1)
            prior = np.bincount(y) / len(y)
            wanted = (1 - model._smoothing) * share + model._smoothing * prior
        np.testing.assert_allclose(answers(model, X), wanted)


def test_rows_are_told_as_they_were_passed_though_some_weigh_nothing():
    for model, X, y in both(mode="stored", beta=1e6):
        weight = np.r_[np.zeros(20), np.ones(len(X) - 20)]
        rows, _ = model.fit(X, y, sample_weight=weight).retrieved_patterns(X[20:], 1)
        np.testing.assert_array_equal(rows[:, 0], np.arange(20, len(X)))


def test_no_patterns_cannot_be_asked_for():
    model = HopfieldRegressor("stored").fit(*DATA[HopfieldRegressor])
    with pytest.raises(ValueError, match="n_patterns must be at least 1; got 0"):
        model.retrieved_patterns(np.zeros((1, 5)), n_patterns=0)


def test_prototypes_stand_in_the_units_of_the_rows():
    for model, X, y in both(mode="prototypes", n_prototypes=2):
        model.fit(1000 + 50 * X, y)
        assert model.patterns_.shape[1] == X.shape[1]
        assert (abs(model.patterns_ - 1000 - 50 * X.mean(axis=0)) < 50 * 3 * X.std(axis=0)).all()
        rows, _ = model.retrieved_patterns(1000 + 50 * X, n_patterns=1)
        assert rows.max() < len(model.patterns_)


# -- more data ----------------------------------------------------------------------------------


def test_partial_fit_adds_patterns():
    for model, X, y in both(mode="stored", beta=1e6):
        model.partial_fit(X[:40], y[:40]).partial_fit(X[40:], y[40:])
        np.testing.assert_allclose(model.predict(X), y)
        rows, _ = model.retrieved_patterns(X, n_patterns=1)
        np.testing.assert_array_equal(rows[:, 0], np.arange(len(X)))
        model.partial_fit(X, y)  # known already
        assert len(model.patterns_) == len(X)
        assert model._n_rows_seen == 2 * len(X)
        assert (model._mass == 2).all()


def test_partial_fit_goes_on_training_and_remembers_in_a_projection():
    for model, X, y in both(mode="projected"):
        model.partial_fit(X[:40], y[:40])
        before = model.module_.turn.clone()
        model.partial_fit(X[40:], y[40:])
        assert len(model.patterns_) == len(X)
        assert not (model.module_.turn == before).all()
        assert model.n_iter_ == 2


def test_fit_forgets():
    for model, X, y in both(mode="stored"):
        assert len(model.fit(X, y).fit(X[:20], y[:20]).patterns_) == 20


def test_rows_held_out_for_early_stopping_are_remembered_all_the_same():
    for model, X, y in both(early_stopping=True):
        model.fit(X, y)
        assert len(model.validation_scores_) == model.n_iter_
        assert len(model.patterns_) == len(X)


# -- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ALL)
def test_duplicates_and_constant_features_have_defined_answers(mode):
    for model, X, y in both(mode=mode):
        alike = np.ones_like(X)
        wanted = answers(model.fit(alike, y), alike)
        if isinstance(model, HopfieldRegressor):
            np.testing.assert_allclose(wanted, y.mean(), atol=0.5)
        else:
            np.testing.assert_allclose(wanted[0], np.bincount(y) / len(y), atol=0.15)
        flat = np.column_stack([X, np.full(len(X), 7.0)])
        assert model.fit(flat, y).score(flat, y) > 0.2


def test_more_components_than_features_are_refused():
    for model, X, y in both(n_components=20):
        with pytest.raises(ValueError, match="n_components=20 is more than the"):
            model.fit(X, y)


def test_fewer_components_than_features_project():
    for model, X, y in both(n_components=2):
        assert model.fit(X, y)._keys.shape == (len(X), 2)
        assert clone(model).set_params(mode="prototypes").fit(X, y)._keys.shape[1] == 2


def test_validation_data_without_a_training_are_refused():
    for model, X, y in both(mode="stored", early_stopping=True):
        with pytest.raises(ValueError, match="mode='stored' trains nothing that could stop early"):
            model.fit(X, y, X_val=X, y_val=y)


@pytest.mark.parametrize("estimator", BOTH, ids=lambda model: type(model).__name__)
def test_the_seed_chooses_the_stored_rows_that_early_stopping_watches(estimator):
    X, y = DATA[type(estimator)]

    def watched(seed):
        model = clone(estimator).set_params(early_stopping=True, max_iter=1, random_state=seed)
        seen = []
        model._arrays = lambda *parts: seen.append(parts[-1]) or type(model)._arrays(model, *parts)
        model.fit(X, y)
        rows, learnt = map(np.sort, seen[:2])
        np.testing.assert_array_equal(np.sort([*rows, *learnt]), np.arange(60))
        return rows.tolist()

    assert watched(0) == watched(0)
    assert watched(0) != watched(1)


@pytest.mark.parametrize(("mode", "is_short"), [("projected", True), ("prototypes", False)])
def test_maps_that_only_judge_wait_less_for_improvements_than_the_one_that_answers(
    monkeypatch, mode, is_short
):
    lengths, run = [], _calibration.LeanNet.run

    def counted(net, stages, *arguments):
        record = run(net, stages, *arguments)
        lengths.append(len(record.loss_curve))
        return record

    monkeypatch.setattr(_calibration.LeanNet, "run", counted)
    X, y = make_classification(60, random_state=0)
    settings = {"tol": 10.0, "n_iter_no_change": 8, "max_iter": 50, "random_state": 0}
    HopfieldClassifier(mode, **settings).fit(X, y)
    *apart, main = lengths
    assert [length < main for length in apart] == [is_short] * 3
