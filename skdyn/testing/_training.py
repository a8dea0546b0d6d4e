"""Training a torch module: what it tells, how it stops, goes on and fails."""

import pickle
import warnings
from typing import Any

import numpy as np
import torch
from scipy.special import softmax
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.validation import has_fit_parameter

import skdyn
from skdyn._validation import clone
from skdyn.testing._probe import (
    answer,
    fit,
    fit_to_read,
    meant_for,
    refuses,
    sample_data,
    seeded,
    sketched,
    trains_a_module,
    with_plain_steps,
)


@meant_for(trains_a_module)
def check_training_is_told(estimator):
    """What every trained estimator tells about its training."""
    X, y = sample_data(estimator)
    fitted = fit_to_read(estimator, X, y)
    assert fitted.n_iter_ == len(fitted.loss_curve_) >= 1
    assert np.isfinite(fitted.loss_curve_).all()
    assert np.isfinite(fitted.best_loss_)
    assert fitted.validation_scores_ is None
    assert isinstance(fitted.module_, torch.nn.Module)
    assert not fitted.module_.training
    assert torch.device(fitted.device_).type in ("cpu", "cuda")


@meant_for(trains_a_module)
def check_float64_training(estimator):
    """``dtype="float64"`` trains in float64 on the same footing."""
    X, y = sample_data(estimator)
    fitted = fit(sketched(estimator).set_params(dtype="float64"), X, y)
    floats = [w.dtype for w in fitted.module_.state_dict().values() if w.is_floating_point()]
    assert set(floats) == {torch.float64}
    assert np.isfinite(answer(fitted, X)).all()


@meant_for(trains_a_module)
def check_convergence_warning(estimator):
    """A fit cut short by ``max_iter`` says so, where there is a ``tol`` and no plan to its end."""
    X, y = sample_data(estimator)
    cut_short = clone(estimator).set_params(max_iter=1, tol=1e-4)
    cut_short.set_params(learning_rate_schedule="constant")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cut_short.fit(X, y)
    messages = [str(w.message) for w in caught if issubclass(w.category, ConvergenceWarning)]
    assert any("max_iter=1" in message for message in messages), messages


@meant_for(lambda estimator: trains_a_module(estimator) and has_fit_parameter(estimator, "y_val"))
def check_early_stopping(estimator):
    """``early_stopping`` watches a share of the data or ``X_val, y_val``, and keeps the best."""
    X, y = sample_data(estimator)
    stopping = clone(estimator).set_params(early_stopping=True, n_iter_no_change=2, max_iter=6)
    X_val, y_val = sample_data(estimator, random_state=0)
    for fit_params in ({}, {"X_val": X_val[:20], "y_val": y_val[:20]}):
        fitted = fit(stopping, X, y, **fit_params)
        assert len(fitted.validation_scores_) == fitted.n_iter_
        assert fitted.best_loss_ == -max(fitted.validation_scores_)
    refuses(lambda: fit(stopping, X, y, X_val=X_val), "y_val")
    refuses(lambda: fit(estimator, X, y, X_val=X_val, y_val=y_val), "early_stopping")


@meant_for(trains_a_module)
def check_partial_fit_and_warm_start(estimator):
    """Both continue from the present weights; partial_fit counts its epochs."""
    X, y = sample_data(estimator)
    if hasattr(estimator, "partial_fit"):
        learner = with_plain_steps(seeded(estimator))
        first = _weights(learner.partial_fit(X, y))
        second = _weights(learner.partial_fit(X, y))
        assert not torch.equal(first, second), "partial_fit taught nothing"
        again = pickle.loads(pickle.dumps(learner)).set_params(learning_rate=1e-9)
        again.partial_fit(X, y)
        assert again.n_iter_ == learner.n_iter_ + 1 == 3
        torch.testing.assert_close(_weights(again), second, rtol=1e-3, atol=1e-5)
        _refuses_another_size(learner, X, y)
    warm = fit_to_read(estimator, X, y).set_params(warm_start=True)
    first = warm.loss_curve_[0]
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        warm.fit(X, y)
    # Losses that are drawn at random hide small steps, not all that a training has taught.
    assert warm.loss_curve_[0] < first


def _refuses_another_size(learner, X, y):
    """Check that a size which is set between two calls of partial_fit is not ignored."""
    parameters = learner.get_params(deep=False)
    for name, value in learner._module_config.items():
        if type(value) is int and value > 0 and type(parameters.get(name)) is int:
            learner.set_params(**{name: parameters[name] + 1})
            refuses(lambda: learner.partial_fit(X, y), name)
            return


def _weights(fitted):
    return torch.nn.utils.parameters_to_vector(fitted.module_.parameters()).detach().clone()


@meant_for(trains_a_module)
def check_warm_start_goes_on_from_where_it_was(estimator):
    """One epoch of steps of no length on other rows moves no answer; other classes are refused.

    What stores the rows it is given, or measures on them how often its features are active,
    follows the new ones: there they are the same.
    """
    X, y = sample_data(estimator)
    warm = sketched(estimator).set_params(warm_start=True)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        before = answer(warm.fit(X, y), X)
        with_plain_steps(warm).set_params(learning_rate=1e-9, max_iter=1)
        follows = hasattr(warm, "pattern_rows_") or hasattr(warm, "feature_density_")
        n_rows = len(X) if follows else len(X) // 2
        warm.fit(X[:n_rows], None if y is None else y[:n_rows])
    np.testing.assert_allclose(answer(warm, X), before, atol=1e-4 * np.abs(before).max())
    if is_classifier(estimator):
        refuses(lambda: warm.fit(X, np.asarray(y) + 10), "classes")
        np.testing.assert_allclose(answer(warm, X), before, atol=1e-4)


@meant_for(lambda estimator: trains_a_module(estimator) and has_fit_parameter(estimator, "y_val"))
def check_early_stopping_with_few_rows(estimator):
    """A class of one row, or few rows: what can be held out is, and a warning says what."""
    X, y = sample_data(estimator)
    stopping = clone(estimator).set_params(early_stopping=True, max_iter=2)
    cases = [(X[:18], y[:18], not is_classifier(estimator)), (X[:1], y[:1], False)]
    if is_classifier(estimator):
        cases.append((X, np.where(np.arange(len(y)) == 3, 7, y), False))
    for rows, targets, enough in cases:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitted = stopping.fit(rows, targets)
        told = any("validation_fraction" in str(w.message) for w in caught)
        assert told != enough, [str(w.message) for w in caught]
        assert (fitted.validation_scores_ is None) == (len(rows) == 1)
        if is_classifier(estimator):
            assert set(fitted.classes_) == set(targets)


class _Interrupt:
    """A callback that acts as Ctrl-C after the first epoch."""

    def setup(self, estimator, context):
        """Nothing to prepare."""

    def teardown(self, estimator, context):
        """Nothing to clean up."""

    def on_fit_task_begin(self, estimator, context):
        """Nothing to do."""

    def on_fit_task_end(self, estimator, context) -> Any:
        """Interrupt."""
        raise KeyboardInterrupt


@meant_for(trains_a_module)
def check_interrupt_leaves_no_half_fitted_model(estimator):
    """Ctrl-C raises; a new estimator stays unfitted, a fitted one stays what it was."""
    X, y = sample_data(estimator)
    fresh = clone(estimator).set_callbacks(_Interrupt())
    _interrupted(fresh, X, y)
    try:
        answer(fresh, X)
    except NotFittedError:
        pass
    else:
        raise AssertionError("interrupted in its first fit, the estimator looks fitted")
    assert not hasattr(fresh, "n_features_in_")
    fitted = fit_to_read(sketched(estimator), X, y)
    before = answer(fitted, X)
    _interrupted(fitted.set_callbacks(_Interrupt()), X[::2], None if y is None else y[::2])
    np.testing.assert_array_equal(answer(fitted, X), before)
    if hasattr(estimator, "partial_fit"):
        learner = clone(estimator).partial_fit(X, y)
        before = answer(learner, X)
        _interrupted(learner.set_callbacks(_Interrupt()), X, y, "partial_fit")
        np.testing.assert_array_equal(answer(learner, X), before)


def _interrupted(estimator, X, y, method="fit"):
    try:
        getattr(estimator, method)(X, y)
    except KeyboardInterrupt:
        return
    raise AssertionError("the interrupt was swallowed")


class _Listener(_Interrupt):
    """A callback that counts epochs and scores the estimator as it is after each."""

    def __init__(self):
        self.epochs, self.weights = [], []

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        """Note the epoch; stop after three."""
        if context.task_name == "epoch":
            self.epochs.append(answer(fitted_estimator, X))
            self.weights.append(_weights(fitted_estimator))
        return len(self.epochs) == 3


def tempered_like(shares, other):
    """Return probabilities at the one temperature at which they come closest to others."""
    logs, others = (
        np.log(part) - np.log(part).mean(axis=1, keepdims=True)
        for part in (np.asarray(shares, dtype=float), np.asarray(other, dtype=float))
    )
    factor = (logs * others).sum() / np.square(logs).sum()
    assert factor > 0, f"the temperature would be {1 / factor}"
    return softmax(factor * logs, axis=1)


@meant_for(trains_a_module)
def check_callbacks(estimator):
    """scikit-learn's callbacks see every epoch, can look at the model so far and stop it."""
    X, y = sample_data(estimator)
    listener = _Listener()
    listening = clone(estimator).set_params(max_iter=5, tol=0.0).set_callbacks(listener)
    fitted = fit(listening, X, y)
    assert fitted.n_iter_ == len(listener.epochs) == 3
    if fitted.loss_curve_[-1] == min(fitted.loss_curve_):  # else earlier weights were put back
        last, final = listener.epochs[-1], answer(fitted, X)
        if hasattr(fitted, "predict_proba"):  # the end of fit may temper them, all rows alike
            share = getattr(fitted, "label_noise_", 0.0)  # of labels by chance, mixed in at the end
            final = (final - share / final.shape[1]) / (1 - share)
            last = tempered_like(last, final)
        np.testing.assert_allclose(last, final, rtol=1e-5, atol=1e-6)
    assert not torch.equal(listener.weights[0], listener.weights[-1])


@meant_for(trains_a_module)
def check_divergence_is_never_silent(estimator):
    """A hopeless learning rate ends in a typed error or in a finite model, never in NaN."""
    X, y = sample_data(estimator)
    wild = clone(estimator).set_params(learning_rate=1e18, max_iter=5, optimizer="sgd")
    failure = None
    with warnings.catch_warnings(action="ignore"):
        try:
            wild.fit(X, y)
        except (skdyn.exceptions.TrainingDivergedError, skdyn.exceptions.SolverError) as error:
            failure = str(error)
    if failure is None:
        outcome = _answer_unless_unsolvable(wild, X)
        assert outcome is None or np.isfinite(outcome).all()
    else:
        assert "learning_rate" in failure or "step" in failure, failure
        assert not hasattr(wild, "module_")


def _answer_unless_unsolvable(fitted, X):
    try:
        return answer(fitted, X)
    except skdyn.exceptions.SolverError:
        return None
