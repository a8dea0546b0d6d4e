"""Dropping into scripts: what a scikit-learn user takes for granted."""

import warnings
from inspect import signature
from typing import Any

import joblib
import numpy as np
import pandas as pd
import torch
from sklearn import config_context
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from skdyn._series import reads_series
from skdyn.testing._probe import (
    answer,
    answers_rows,
    fit,
    fit_to_read,
    meant_for,
    refuses,
    sample_data,
    sample_to_sketch,
    sketched,
    trains_a_module,
    two_candidates,
)

_RAISE: Any = "raise"  # checkers see scikit-learn's default, a number


def check_pipeline_and_grid_search(estimator):
    """A pipeline around it is searched and predicts."""
    X, y = sample_to_sketch(estimator)
    steps = [StandardScaler(), sketched(estimator)]
    scoring = None
    if hasattr(estimator, "transform") and not hasattr(estimator, "score"):
        steps, y = [*steps, Ridge()], X.sum(axis=1)  # it works for a model behind it
    elif not hasattr(estimator, "score"):
        scoring = _mean_answer
    name = type(estimator).__name__.lower()
    grid = {f"{name}__{key}": values for key, values in two_candidates(estimator).items()}
    search = GridSearchCV(make_pipeline(*steps), grid, cv=2, scoring=scoring, error_score=_RAISE)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        search.fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(answer(search.best_estimator_, X)) == len(X) or not answers_rows(estimator)


def _mean_answer(estimator, X, y=None):
    return float(answer(estimator, X).mean())


def check_fitted_attributes(estimator):
    """What every fitted estimator tells."""
    X, y = sample_data(estimator)
    fitted = fit_to_read(estimator, X, y)
    assert fitted.n_features_in_ == X.shape[1]
    assert getattr(fitted, "n_iter_", 1) >= 1


def check_feature_names_are_remembered_and_compared(estimator):
    """pandas in; a frame with other names or another order is refused."""
    X, y = sample_to_sketch(estimator)
    names = list("abcd")[: X.shape[1]]
    frame = pd.DataFrame(X, columns=names)
    fitted = fit(sketched(estimator), frame, y)
    assert list(fitted.feature_names_in_) == names
    np.testing.assert_array_equal(answer(fitted, frame), answer(fitted, frame.copy()))
    refuses(lambda: answer(fitted, frame[names[::-1]]), "feature names")
    refuses(lambda: answer(fitted, frame.rename(columns={"a": "z"})), "feature names")


@meant_for(lambda estimator: hasattr(estimator, "transform"))
def check_transformers_set_output(estimator):
    """``set_output(transform="pandas")`` gives a frame with named columns."""
    X, y = sample_data(estimator)
    fitted = fit_to_read(estimator, X, y).set_output(transform="pandas")
    frame = fitted.transform(X)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(fitted.get_feature_names_out())


@meant_for(is_classifier)
def check_string_labels(estimator):
    """Labels come back as they went in, strings included."""
    X, y = sample_to_sketch(estimator)
    names = np.array(["ash", "birch", "cedar"], dtype=object)[y]
    fitted = fit(sketched(estimator), X, names)
    assert list(fitted.classes_) == ["ash", "birch", "cedar"]
    assert set(fitted.predict(X)) <= set(names)


@meant_for(is_regressor)
def check_regressors_return_float64(estimator):
    """float64 out, whatever went in; several targets keep their columns."""
    X, y = sample_to_sketch(estimator)
    if y is None:  # an option of those that find targets by themselves
        y = X[:, 0]
    quick = sketched(estimator)
    fitted = fit(quick, X.astype(np.float32), y.astype(np.float32))
    assert fitted.predict(X.astype(np.float32)).dtype == np.float64
    if get_tags(estimator).target_tags.multi_output:
        assert fit(quick, X, np.stack([y, -y], axis=1)).predict(X).shape == (len(X), 2)


def _metadata(estimator, n_samples):
    """Return what ``fit`` takes beside the data and the checks know how to make."""
    known = {
        "t": np.linspace(0.0, 0.5 * n_samples, n_samples),
        "sample_weight": np.linspace(0.1, 2.0, n_samples),
    }
    if reads_series(estimator):  # whose times are asked about in checks of their own
        del known["t"]
    return {name: value for name, value in known.items() if has_fit_parameter(estimator, name)}


@meant_for(lambda estimator: bool(_metadata(estimator, 1)))
def check_metadata_routing(estimator):
    """Keyword data of ``fit`` are routed through a pipeline when asked for, and count."""
    X, y = sample_to_sketch(estimator)
    plain = sketched(estimator)
    for name, value in _metadata(estimator, len(X)).items():
        if y is None and name == "sample_weight":  # weights are those of targets
            y = np.sin(np.arange(len(X)))  # no function of the columns, or all weights fit it
        direct = fit(plain, X, y, **{name: value})
        with (
            config_context(enable_metadata_routing=True),
            warnings.catch_warnings(action="ignore", category=ConvergenceWarning),
        ):
            routed = make_pipeline(sketched(estimator).set_fit_request(**{name: True}))
            routed.fit(X, y, **{name: value})
        np.testing.assert_array_equal(answer(routed, X), answer(direct, X))
        if name == "t" and hasattr(estimator, "rollout"):
            continue  # steps that are all alike, as these, are no news to a learned step
        without = fit_to_read(plain, X, y)
        assert not np.array_equal(answer(without, X), answer(direct, X)), name


@meant_for(lambda estimator: hasattr(estimator, "score"))
def check_score_is_routed(estimator):
    """A routed pipeline scores it as it scores itself; times are routed where it takes them."""
    X, y = sample_to_sketch(estimator)
    timed = "t" in signature(estimator.score).parameters and not reads_series(estimator)
    data = {"t": _metadata(estimator, len(X))["t"]} if timed else {}
    with (
        config_context(enable_metadata_routing=True),
        warnings.catch_warnings(action="ignore", category=ConvergenceWarning),
    ):
        plain = sketched(estimator)
        if timed:
            plain.set_fit_request(t=True).set_score_request(t=True)
        routed = make_pipeline(plain).fit(X, y, **data)
        assert routed.score(X, y, **data) == plain.score(X, y, **data)
        folds = cross_val_score(routed, X, y, cv=KFold(2), params=data, error_score=_RAISE)
    assert np.isfinite(folds).all()


# -- randomness and the process around it ----------------------------------------------------


def check_same_seed_same_model(estimator):
    """The same ``random_state`` gives the same model bit for bit, in threads too."""
    X, y = sample_to_sketch(estimator)
    model = sketched(estimator, 3)
    once = answer(fit(model, X, y), X)
    if trains_a_module(estimator):  # whose first weights are drawn, whatever the options
        other = answer(fit(sketched(estimator, 4), X, y), X)
        assert not np.array_equal(once, other), "random_state changes nothing"
    with joblib.parallel_config("threading", n_jobs=2):  # they could be in each other's way
        many = joblib.Parallel()(joblib.delayed(fit)(model, X, y) for _ in range(2))
    for fitted in many:
        np.testing.assert_array_equal(once, answer(fitted, X))


def check_same_model_in_another_process(estimator):
    """The same ``random_state`` gives the same model bit for bit in a process of its own."""
    X, y = sample_to_sketch(estimator)
    model = sketched(estimator, 3)
    with joblib.parallel_config("loky", n_jobs=2):
        (fitted,) = joblib.Parallel()([joblib.delayed(fit)(model, X, y)])
    np.testing.assert_array_equal(answer(fit(model, X, y), X), answer(fitted, X))


def check_global_state_is_left_alone(estimator):
    """Global random states, default dtype, threads and grad mode are as found after ``fit``."""
    X, y = sample_to_sketch(estimator)

    def state():
        numpy_state: Any = np.random.get_state()  # noqa: NPY002  (the global state is the subject)
        return (
            torch.get_rng_state().tolist(), numpy_state[1].tolist(), numpy_state[2], np.geterr(),
            torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled(),
        )  # fmt: skip

    before = state()
    answer(fit(sketched(estimator), X, y), X)
    assert state() == before
