import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skdyn import (
    AdaFNNRegressor,
    HopfieldClassifier,
    KANClassifier,
    KANRegressor,
    NeuralODERegressor,
    io,
)
from skdyn._validation import fit_context
from skdyn.base import TorchEstimator
from skdyn.testing import all_estimators, quick_instance
from skdyn.testing._probe import answer, sample_data
from skdyn.training import Stage, TrainingRecord

X = np.random.default_rng(0).normal(loc=[3.0, -2.0], size=(40, 2))

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Line(TorchEstimator):
    """The smallest estimator the base allows: the mean of each column, learned by descent."""

    def __init__(
        self, optimizer="adam", max_iter=50, learning_rate=0.1, learning_rate_schedule="constant",
        batch_size="auto", alpha=0.0, clip_norm=None, tol=1e-4, early_stopping=False,
        validation_fraction=0.1, n_iter_no_change=10, warm_start=False, random_state=None,
        device="auto", dtype="float32", verbose=0, fail=False,
    ):  # fmt: skip
        for name, value in locals().items():
            if name != "self":
                setattr(self, name, value)

    @staticmethod
    def _build_module(n_features):
        return torch.nn.Linear(1, n_features)

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]

        def objective(module, X):
            if self.fail:
                raise RuntimeError("deliberate")
            return (module(torch.ones_like(X[:, :1])) - X).square().mean()

        config = {"n_features": X.shape[1]}
        self._train(config, lambda g: [Stage(objective, (X,), self.max_iter)], X=X)
        return self

    def predict(self, X):
        return self._forward(np.ones_like(X[:, :1]))


def test_a_loss_that_rises_tenfold_is_told():
    line = Line(optimizer="sgd", max_iter=40, tol=0.0, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"diverged: its loss rose from .* to.*were kept"):
        line.set_params(learning_rate=2.5).fit(X)
    with warnings.catch_warnings(action="error"):
        line.set_params(learning_rate=0.1).fit(X)


def test_a_family_adds_only_its_module_and_its_stages():
    line = Line(max_iter=500, tol=0.0, n_iter_no_change=500, random_state=0).fit(X)
    np.testing.assert_allclose(line.predict(X[:1])[0], X.mean(axis=0), atol=0.02)


def test_a_failed_first_fit_leaves_nothing_behind():
    line = Line(fail=True)
    with pytest.raises(RuntimeError, match="deliberate"):
        line.fit(X)
    assert vars(line) == vars(Line(fail=True))


def test_a_failed_refit_leaves_the_earlier_model():
    line = Line(random_state=0, max_iter=20).fit(X)
    before = line.predict(X)
    line.set_params(fail=True)
    with pytest.raises(RuntimeError, match="deliberate"):
        line.fit(X[:, :1])
    assert line.n_features_in_ == 2
    np.testing.assert_array_equal(line.predict(X), before)


def test_the_answer_is_computed_in_the_precision_of_the_question():
    line = Line(max_iter=5).fit(X)
    assert line.predict(X).dtype == np.float64
    assert line.predict(X.astype(np.float32)).dtype == np.float32
    assert next(line.module_.parameters()).dtype == torch.float32


def test_answers_in_another_precision_leave_nothing_in_the_model():
    line = Line(random_state=0).fit(X)
    state, saved = dict(vars(line)), len(pickle.dumps(line))
    line.predict(X)
    assert line._module_for(X.dtype) is line._module_for(X.dtype) is not line.module_
    assert vars(line) == state
    assert len(pickle.dumps(line)) == saved


def test_more_training_is_seen_by_answers_in_another_precision():
    line = Line(max_iter=3, warm_start=True, random_state=0).fit(X)
    before = line.predict(X)
    after = line.fit(X).predict(X)
    assert (after != before).all()
    assert np.array_equal(after, pickle.loads(pickle.dumps(line)).predict(X))


@pytest.mark.parametrize("cls", [cls for _, cls in all_estimators() if hasattr(cls, "partial_fit")])
def test_partial_fit_is_seen_by_answers_in_another_precision(cls):
    learner = quick_instance(cls)
    rows, targets = sample_data(learner)
    for _ in range(2):  # the first asks for a copy, the second changes what was copied
        learner.partial_fit(rows, targets)
        answers = answer(learner, rows)
        np.testing.assert_array_equal(answers, answer(copy.deepcopy(learner), rows))


def test_large_inputs_are_answered_in_parts():
    line = Line(max_iter=5).fit(X)
    many = np.zeros((20_000, 2))
    assert line.predict(many).shape == (20_000, 2)
    assert len(np.unique(line.predict(many), axis=0)) == 1


def test_the_pickle_is_rebuilt_from_the_config_of_the_fit():
    line = Line(max_iter=5).fit(X)
    state = line.__getstate__()
    assert "module_" not in state
    assert all(isinstance(array, np.ndarray) for array in state["_module_arrays"].values())
    assert state["_module_config"] == {"n_features": 2}
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(line)).predict(X), line.predict(X))


def test_unpickling_leaves_the_global_generator_alone():
    blob = pickle.dumps(Line(max_iter=2).fit(X))
    before = torch.get_rng_state()
    pickle.loads(blob)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_model_trained_on_an_absent_device_loads_on_the_cpu():
    line = Line(max_iter=2).fit(X)
    state = copy.deepcopy(line.__getstate__())
    state["device_"] = "cuda:7"
    again = Line()
    again.__setstate__(state)
    assert again.device_ == "cpu"
    np.testing.assert_array_equal(again.predict(X), line.predict(X))


def test_warm_start_continues_and_refuses_another_architecture():
    line = Line(warm_start=True, max_iter=30, random_state=0).fit(X)
    start, reached = line.loss_curve_[0], line.loss_curve_[-1]
    again = line.fit(X).loss_curve_[0]
    assert abs(again - reached) < 0.05 * (start - reached)
    with pytest.raises(ValueError, match=r"warm_start=True.*n_features"):
        line.fit(X[:, :1])


def test_the_penalty_counts_less_beside_more_data():
    X_small, X_large = X[:20], np.repeat(X[:20], 10, axis=0)
    settings = {
        "alpha": 30.0,
        "max_iter": 80,
        "augment_dim": 0,
        "random_state": 0,
        "solver": "rk4",
    }
    small = NeuralODERegressor((4,), **settings).fit(X_small, X_small[:, 0])
    large = NeuralODERegressor((4,), **settings).fit(X_large, X_large[:, 0])
    assert large.score(X_small, X_small[:, 0]) > small.score(X_small, X_small[:, 0]) + 0.1


def test_the_warning_of_a_fit_cut_short_names_the_parameters_to_change():
    with pytest.warns(ConvergenceWarning, match="max_iter=2 .*Raise max_iter or learning_rate"):
        Line(max_iter=2).fit(X)
    with warnings.catch_warnings(action="error"):  # a schedule that ran to its end is no failure
        Line(max_iter=2, learning_rate_schedule="cosine").fit(X)


def test_a_fit_that_runs_out_of_time_keeps_what_it_reached_and_says_so():
    model = NeuralODERegressor((4,), max_iter=7, max_time=1e-12, random_state=0)
    with pytest.warns(ConvergenceWarning, match="stopped in epoch 1, when max_time was over"):
        model.fit(X, X[:, 0])
    assert model.n_iter_ == 1
    once = clone(model).set_params(max_iter=1, max_time=None).fit(X, X[:, 0])
    np.testing.assert_array_equal(model.predict(X), once.predict(X))


def test_no_net_and_no_optimiser_stay_behind_after_fit():
    line = Line(max_iter=2).fit(X)
    assert not any("net" in name or "optim" in name for name in set(vars(line)) - {"optimizer"})
    assert not any(weight.requires_grad for weight in line.module_.parameters())
    assert clone(line).get_params() == line.get_params()


@pytest.mark.parametrize("estimator", [KANRegressor, KANClassifier])
def test_a_fit_worse_than_an_answer_without_inputs_says_so(estimator):
    y = X[:, 0] > 3 if estimator is KANClassifier else X[:, 0]
    poor = estimator((3,), optimizer="adam", max_iter=1, learning_rate=3.0, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"worse than that of an answer which reads no"):
        poor.fit(X, y)
    sound = estimator((3,), optimizer="adam", max_iter=40, tol=0.0, random_state=0)
    with warnings.catch_warnings(action="error"):
        sound.fit(X, y)


@pytest.mark.parametrize(("last", "told"), [(9.0, False), (11.0, True)])
def test_a_rise_beyond_ten_times_the_loss_that_was_kept_is_called_diverged(last, told):
    curve = [50.0, 1.0, last]  # the first loss does not matter where a better one was kept
    record = TrainingRecord(curve, None, "tol", kept_loss=1.0, rise=last)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Line()._tell_how_it_ended(record)
    assert ["diverged: its loss rose from 1" in str(one.message) for one in caught] == [True] * told


@pytest.mark.parametrize(("tol", "told"), [(0.1, False), (0.01, True), (None, True)])
def test_a_fit_within_tol_of_a_trivial_answer_is_not_called_worse(tol, told):
    record = TrainingRecord([1.0, 1.05], None, "tol", kept_loss=1.05, trivial_loss=1.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Line(tol=tol)._tell_how_it_ended(record)
    assert [("1.05, worse than" in str(warning.message)) for warning in caught] == [True] * told


def test_the_trivial_loss_is_that_of_the_mean_and_of_the_class_frequencies():
    weight = np.array([1.0, 3.0])
    task = (np.zeros((2, 1)), np.array([[0.0], [4.0]]), weight)
    regressor = KANRegressor()
    regressor._loss_unit = np.ones(1)
    assert regressor._trivial_loss(task, None) == pytest.approx((9.0 + 3.0) / 2)
    classifier = KANClassifier()
    classifier.classes_ = np.array(["a", "b", "c"])
    labels = (np.zeros((4, 1)), np.array([0, 0, 1, 2]), np.ones(4))
    frequencies = np.array([0.5, 0.25, 0.25])
    entropy = -(frequencies * np.log(frequencies)).sum()
    assert classifier._trivial_loss(labels, None) == pytest.approx(entropy)
    watched = (np.zeros((1, 1)), np.array([1]), np.ones(1))
    assert classifier._trivial_loss(labels, watched) == pytest.approx(np.log(4))


def test_stages_are_told_and_calls_of_partial_fit_are_one():
    X, y = np.random.default_rng(0).normal(size=(2, 30, 1))
    model = KANRegressor((), grid_sizes=(3, 5), max_iter=2, tol=0).fit(X, y[:, 0])
    assert model.stages_ == [("grid 3", 2), ("grid 5", 2)]
    assert sum(n for _, n in model.stages_) == model.n_iter_
    for _ in range(3):
        model.partial_fit(X, y[:, 0])
    assert model.stages_[-1][1] > 2
    assert len(model.stages_) <= 3
    assert sum(n for _, n in model.stages_) == model.n_iter_


def test_a_state_from_before_stages_were_told_knows_none():
    X, y = np.random.default_rng(0).normal(size=(2, 30, 1))
    model = KANRegressor((), max_iter=1, tol=0).fit(X, y[:, 0])
    state = model.__getstate__()
    del state["stages_"]
    again = KANRegressor.__new__(KANRegressor)
    again.__setstate__(state)
    assert again.stages_ == []
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_what_was_given_other_parameters_is_loaded_as_it_is(tmp_path):
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    model = HopfieldClassifier(mode="prototypes", n_prototypes=3, max_iter=1, random_state=0)
    model.partial_fit(X, y, classes=[0, 1]).set_params(n_prototypes=5)
    io.save(model, tmp_path / "model.skdyn")
    again = io.load(tmp_path / "model.skdyn")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(("hidden", "device"), [((2,), "cpu"), ((3000, 3000), "cuda")])
def test_auto_looks_at_the_work_of_a_step_before_it_takes_cuda(hidden, device, monkeypatch):
    def moved(module, where, *_):
        raise RuntimeError(f"moved to {where}")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.nn.Module, "to", moved)
    with pytest.raises(RuntimeError, match=f"moved to {device}"):
        AdaFNNRegressor(grid_shape=8, hidden_layer_sizes=hidden).fit(np.eye(8), np.arange(8.0))
