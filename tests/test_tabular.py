import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.utils.estimator_checks import check_sample_weight_equivalence_on_dense_data

from skdyn import (
    HopfieldClassifier,
    HopfieldPoolingClassifier,
    NeuralODEClassifier,
    NeuralODERegressor,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = X @ np.array([1.0, -2.0, 0.5]) + 4.0


def _regressor(**parameters):
    settings = {"max_iter": 20, "tol": 0.0, "random_state": 0, "solver": "rk4"} | parameters
    return NeuralODERegressor((8,), **settings)


def _classifier(**parameters):
    settings = {"max_iter": 20, "tol": 0.0, "random_state": 0, "solver": "rk4"} | parameters
    return NeuralODEClassifier((8,), **settings)


@pytest.mark.parametrize("model", [_regressor(), _classifier()], ids=["regressor", "classifier"])
def test_units_of_the_inputs_do_not_matter(model):
    y = Y if isinstance(model, NeuralODERegressor) else (Y > 4).astype(int)
    answer = "predict" if isinstance(model, NeuralODERegressor) else "predict_proba"
    other = X * np.array([1e6, 1e-6, 3.0]) + np.array([1e7, 0.0, -5.0])
    one = getattr(clone(model).fit(X, y), answer)(X)
    two = getattr(clone(model).fit(other, y), answer)(other)
    np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-4)


def test_units_of_the_target_come_back_in_the_prediction():
    model = _regressor(dtype="float64")
    one = clone(model).fit(X, Y).predict(X)
    two = clone(model).fit(X, 1e4 * Y - 7).predict(X)
    np.testing.assert_allclose(1e4 * one - 7, two, rtol=1e-6)


@pytest.mark.parametrize("make", [_regressor, _classifier])
@pytest.mark.parametrize("max_iter", [1, 20])
def test_weights_equal_repetition_where_the_arithmetic_is_exact(make, max_iter):
    model = make(dtype="float64", max_iter=max_iter)
    check_sample_weight_equivalence_on_dense_data(type(model).__name__, model)


def test_weight_zero_means_not_there():
    weight = np.r_[np.ones(40), np.zeros(20)]
    spoilt = Y.copy()
    spoilt[40:] = 1e6
    weighted = _regressor().fit(X, spoilt, sample_weight=weight).predict(X)
    without = _regressor().fit(X[:40], Y[:40]).predict(X)
    np.testing.assert_allclose(weighted, without, rtol=1e-4)


@pytest.mark.parametrize("step", ["fit", "partial_fit"])
def test_a_value_far_from_all_others_is_told_and_changes_little(step):
    far, y = X.copy(), Y.copy()
    far[7], y[9] = 1e6, -1e6
    weight = np.r_[0.0, np.ones(59)]  # a row that is not there counts in the places all the same
    model = _regressor(max_iter=60)
    with pytest.warns(UserWarning, match="X holds .*row 7 column 0, row 7 column 1") as told:
        getattr(model, step)(far, y, sample_weight=weight)
    messages = [str(warning.message) for warning in told]
    assert any("y holds values far from all others (row 9" in message for message in messages)
    plain = getattr(_regressor(max_iter=60), step)(X, Y, sample_weight=weight)
    others = np.delete(np.arange(60), [7, 9])
    assert model.score(X[others], Y[others]) > plain.score(X[others], Y[others]) - 0.1


def test_a_far_value_of_the_validation_data_is_told():
    with pytest.warns(UserWarning, match="y_val holds values far from all others .row 3"):
        _regressor(early_stopping=True, max_iter=1).fit(
            X, Y, X_val=X[:30], y_val=np.where(np.arange(30) == 3, 1e6, Y[:30])
        )


def test_a_linear_truth_is_found_as_well_as_ridge_finds_it():
    model = NeuralODERegressor((8,), random_state=0, max_iter=300, alpha=0.01).fit(X[:40], Y[:40])
    ridge = Ridge(0.01).fit(X[:40], Y[:40])
    assert model.score(X[40:], Y[40:]) > ridge.score(X[40:], Y[40:]) - 0.02


def test_several_targets_keep_their_columns_and_a_column_stays_a_column():
    both = _regressor().fit(X, np.stack([Y, -Y], axis=1))
    assert both.predict(X).shape == (60, 2)
    assert _regressor().fit(X, Y[:, None]).predict(X).shape == (60, 1)
    assert _regressor().fit(X, Y).predict(X).shape == (60,)


def test_partial_fit_must_keep_to_its_number_of_outputs():
    model = _regressor().partial_fit(X, Y)
    with pytest.raises(ValueError, match="y has 2 outputs, but the model was started with 1"):
        model.partial_fit(X, np.stack([Y, Y], axis=1))


def test_partial_fit_remembers_the_optimiser_but_a_copy_starts_it_afresh():
    at_one_rate = {"learning_rate_schedule": "constant"}
    model = _regressor(**at_one_rate)
    for _ in range(5):
        model.partial_fit(X, Y)
    whole = _regressor(max_iter=5, **at_one_rate).fit(X, Y)
    np.testing.assert_allclose(model.loss_curve_, whole.loss_curve_, rtol=1e-4)


@pytest.mark.parametrize(
    ("model", "changed"),
    [
        (HopfieldClassifier("prototypes"), {"n_prototypes": 3}),
        (HopfieldClassifier("stored"), {"mode": "projected"}),
        (HopfieldClassifier(), {"n_components": 1}),
        (HopfieldPoolingClassifier(), {"clip": 1.0}),
        (NeuralODEClassifier(), {"hidden_layer_sizes": (3,)}),
    ],
    ids=str,
)
def test_what_only_the_first_call_of_partial_fit_reads_is_refused_later(model, changed):
    rows = np.random.default_rng(0).normal(size=(12, 2))
    rows = rows[:, None] if isinstance(model, HopfieldPoolingClassifier) else rows
    labels, before = np.arange(12) % 2, {name: getattr(model, name) for name in changed}
    for _ in range(2):
        model.partial_fit(rows, labels)
    answers = model.predict_proba(rows)
    with pytest.raises(ValueError, match=next(iter(changed))):
        model.set_params(**changed).partial_fit(rows, labels)
    np.testing.assert_array_equal(model.set_params(**before).predict_proba(rows), answers)
    model.partial_fit(rows, labels)


def test_partial_fit_keeps_to_its_rate_and_says_so_where_a_schedule_was_asked_for():
    plain, model = _regressor(), _regressor(learning_rate_schedule="cosine")
    with pytest.warns(UserWarning, match="keeps to learning_rate=.*'cosine'.*'constant'"):
        model.partial_fit(X, Y)
    plain.partial_fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # once is enough
        model.partial_fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), plain.partial_fit(X, Y).predict(X))


def test_classes_announced_in_the_first_partial_fit_may_come_later():
    y = np.where(Y > 4, "up", "down")
    model = _classifier().partial_fit(X[:5], np.full(5, "up"), classes=["up", "down", "flat"])
    model.partial_fit(X, y)
    assert list(model.classes_) == ["down", "flat", "up"]
    assert model.predict_proba(X).shape == (60, 3)
    with pytest.raises(ValueError, match="sideways"):
        model.partial_fit(X, np.full(60, "sideways"))


def test_probabilities_are_probabilities():
    proba = _classifier().fit(X, np.digitize(Y, [3, 5])).predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    assert (proba >= 0).all()


def test_validation_labels_that_training_lacks_are_refused():
    model = _classifier(early_stopping=True)
    y = (Y > 4).astype(int)
    with pytest.raises(ValueError, match=r"labels \[2\] that are none of the classes"):
        model.fit(X, y, X_val=X[:3], y_val=[0, 1, 2])


def test_the_share_for_early_stopping_is_stratified_and_of_small_data_what_can_be():
    y = np.r_[np.zeros(54, int), np.ones(6, int)]
    model = _classifier(early_stopping=True, validation_fraction=0.2).fit(X, y)
    assert len(model.validation_scores_) == model.n_iter_
    with pytest.warns(UserWarning, match="early_stopping=True asks.*validation_fraction"):
        model.fit(X[:3], [0, 0, 1])
    assert len(model.validation_scores_) == model.n_iter_
    with pytest.warns(UserWarning, match="nothing is held out of 1"):
        model.fit(X[:1], [0])
    assert model.validation_scores_ is None


@pytest.mark.parametrize("make", [_regressor, _classifier])
def test_the_seed_chooses_what_early_stopping_watches(make):
    y = Y if make is _regressor else (Y > 4).astype(int)

    def parts(seed):
        model = make(early_stopping=True, validation_fraction=0.2, random_state=seed)
        model._learn_scales(X, y, None, None)
        training, watched = model._split(X, y, None, None, None, incremental=False)
        return training[0], watched[0]

    (learnt, watched), (_, again), (_, other) = parts(0), parts(0), parts(1)
    assert len(watched) == 12
    together = np.concatenate([learnt, watched])
    scaled = (X - X.mean(0)) / X.std(0)
    np.testing.assert_allclose(np.sort(together[:, 0]), np.sort(scaled[:, 0]), rtol=1e-6)
    np.testing.assert_array_equal(watched, again)
    assert not np.isin(other[:, 0], watched[:, 0]).all()


def test_a_rare_class_is_watched_in_its_share_under_every_seed():
    y = np.r_[np.zeros(50, int), np.ones(10, int)]
    for seed in range(5):
        model = _classifier(early_stopping=True, validation_fraction=0.2, random_state=seed)
        model._learn_scales(X, y, None, None)
        (_, learnt, _), (_, watched, _) = model._split(X, y, None, None, None, incremental=False)
        assert (learnt.sum(), watched.sum()) == (8, 2)


@pytest.mark.parametrize("make", [_regressor, _classifier])
def test_a_unit_of_the_weights_changes_nothing(make):
    y = Y if make is _regressor else (Y > 4).astype(int)
    weight = RNG.uniform(0.5, 1.5, size=60)
    model = make(optimizer="sgd", learning_rate=0.01, dtype="float64", alpha=0.0, max_iter=4)
    one = clone(model).fit(X, y, sample_weight=weight).loss_curve_
    two = clone(model).fit(X, y, sample_weight=100 * weight).loss_curve_
    np.testing.assert_allclose(one, two, rtol=1e-9)


def test_the_penalty_is_divided_by_the_sum_of_the_weights():
    shown = {"optimizer": "sgd", "learning_rate": 0.01, "dtype": "float64", "max_iter": 4}
    ones = np.ones(60)
    weighted = _regressor(alpha=50.0, **shown).fit(X, Y, sample_weight=5 * ones).loss_curve_
    repeated = _regressor(alpha=10.0, **shown).fit(X, Y).loss_curve_
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9)


@pytest.mark.parametrize("make", [_regressor, _classifier])
def test_a_warm_start_goes_on_in_the_units_that_its_weights_were_learnt_in(make):
    answer = "predict" if make is _regressor else "predict_proba"
    y = Y if make is _regressor else (Y > 4).astype(int)
    model = make(warm_start=True).fit(X, y)
    before = getattr(model, answer)(X)
    model.set_params(max_iter=1, learning_rate=1e-30).fit(3 * X + 1, y[::-1])
    np.testing.assert_array_equal(getattr(model, answer)(X), before)


def test_a_partial_fit_holds_nothing_out():
    model = _regressor(early_stopping=True, max_iter=3).fit(X, Y)
    assert len(model.validation_scores_) == 3
    model.partial_fit(X, Y)
    assert (model.n_iter_, model.validation_scores_) == (4, None)


def test_classes_and_probabilities_are_in_the_order_of_their_labels():
    y = np.where(X[:, 0] > 0, "a", "b")  # the larger the feature, the earlier the label
    model = _classifier(learning_rate=0.05, max_iter=40).fit(X, y)
    assert list(model.classes_) == ["a", "b"]
    assert model.score(X, y) > 0.9
    proba = model.predict_proba(X)
    np.testing.assert_array_equal(model.classes_[proba.argmax(axis=1)], model.predict(X))
    assert np.corrcoef(proba[:, 0], X[:, 0])[0, 1] > 0.5


def test_rows_that_are_watched_keep_their_weights():
    weight = np.exp(X[:, 0])
    model = _regressor(early_stopping=True, validation_fraction=0.2)
    model._learn_scales(X, Y, weight, None)
    for rows, _, shares in model._split(X, Y, weight, None, None, incremental=False):
        own = np.exp(rows[:, 0] * model._x_scale[0] + model._x_offset[0])
        np.testing.assert_allclose(shares, own / own.mean())
