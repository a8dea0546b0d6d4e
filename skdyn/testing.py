"""Find every estimator, and hold it to more than scikit-learn's own checks.

The checks are plain functions of one unfitted estimator, usable by third parties::

    from skdyn.testing import contract_checks

    @pytest.mark.parametrize("check", contract_checks(), ids=lambda check: check.__name__)
    def test_my_estimator_keeps_the_contract(check):
        check(MyEstimator(max_iter=5))

A check returns when the promise holds and raises ``AssertionError`` when it is broken.
"""

import copy
import importlib
import inspect
import os
import pickle
import tempfile
import warnings
from collections.abc import Callable

import joblib
import numpy as np
import pandas as pd
import torch
from sklearn import config_context
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

import skdyn

__all__ = ["all_estimators", "contract_checks", "expected_failed_checks", "sample_data"]


def all_estimators() -> list[tuple[str, type[BaseEstimator]]]:
    """Find every public estimator by walking the package.

    Returns
    -------
    list of (str, type)
        Names and classes, sorted by name.

    Examples
    --------
    >>> from skdyn.testing import all_estimators
    >>> [name for name, cls in all_estimators() if name.endswith("ODEClassifier")]
    ['NeuralODEClassifier']
    """
    found = []
    for name in skdyn.__all__:
        thing = getattr(skdyn, name)
        if inspect.isclass(thing) and issubclass(thing, BaseEstimator):
            found.append((name, thing))
    return found


def contract_checks() -> list[Callable[[BaseEstimator], None]]:
    """List the checks of this module that every estimator must pass.

    Returns
    -------
    list of callable
        Functions ``check(estimator)``, in the order they are written.
    """
    here = importlib.import_module(__name__)
    return [value for name, value in vars(here).items() if name.startswith("check_") and
            getattr(value, "__module__", None) == __name__]  # fmt: skip


def expected_failed_checks(estimator: BaseEstimator) -> dict[str, str]:
    """Name scikit-learn's checks that an estimator cannot pass, each with its reason.

    Parameters
    ----------
    estimator : estimator
        An instance; what is expected may depend on its parameters.

    Returns
    -------
    dict of str to str
        For ``parametrize_with_checks(..., expected_failed_checks=expected_failed_checks)``.
    """
    return dict(getattr(estimator, "_expected_failed_checks", {}))


# -- data and answers ------------------------------------------------------------------------


def sample_data(
    estimator: BaseEstimator, random_state: int = 0
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return data of a kind this estimator can learn in few epochs.

    Parameters
    ----------
    estimator : estimator
        Its tags decide.
    random_state : int, default=0
        Another number gives other data of the same kind.

    Returns
    -------
    X : ndarray of shape (60, 4)
        A table; rows are time points for estimators that are neither classifier nor regressor.
    y : ndarray of shape (60,) or None
        Targets, where the estimator takes any.
    """
    if is_classifier(estimator):
        return make_classification(
            60, 4, n_informative=3, n_redundant=0, n_classes=3, n_clusters_per_class=1,
            random_state=random_state,
        )  # fmt: skip
    if is_regressor(estimator):
        return make_regression(60, 4, noise=0.1, random_state=random_state)
    # Anything else must read rows as time points too: a slow rotation with a second harmonic.
    angle = np.linspace(0.0, 6.0, 60) + random_state
    X = np.stack([np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)], axis=1)
    return X, None


def _fit(estimator, X, y, **fit_params):
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return clone(estimator).fit(X, y, **fit_params)


def _answer(fitted, X):
    for method in ("predict_proba", "predict", "transform"):
        if hasattr(fitted, method):
            return np.asarray(getattr(fitted, method)(X))
    raise AssertionError(f"{fitted} has neither predict nor transform.")


def _refuses(call, *words):
    """Assert that the call raises a ValueError or TypeError that uses one of the words."""
    message = None
    try:
        call()
    except (ValueError, TypeError) as error:
        message = str(error).lower()
    assert message is not None, f"bad input was accepted; expected an error naming one of {words}"
    assert any(word.lower() in message for word in words), f"{message!r} names none of {words}"


def _supports(estimator, parameter):
    return parameter in estimator.get_params()


# -- dropping into scripts -------------------------------------------------------------------


def check_pipeline_and_grid_search(estimator: BaseEstimator) -> None:
    """A pipeline around it is searched in two processes and predicts."""
    X, y = sample_data(estimator)
    pipeline = make_pipeline(StandardScaler(), clone(estimator))
    if _supports(estimator, "random_state"):
        pipeline[-1].set_params(random_state=0)
    grid = {f"{type(estimator).__name__.lower()}__tol": [1e-4, 1e-3]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise")
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        search.fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(_answer(search.best_estimator_, X)) == len(X)


def check_feature_names_are_remembered_and_compared(estimator: BaseEstimator) -> None:
    """pandas in; a frame with other names or another order is refused."""
    X, y = sample_data(estimator)
    frame = pd.DataFrame(X, columns=list("abcd"))
    fitted = _fit(estimator, frame, y)
    assert list(fitted.feature_names_in_) == list("abcd")
    np.testing.assert_array_equal(_answer(fitted, frame), _answer(fitted, frame.copy()))
    _refuses(lambda: _answer(fitted, frame[list("dcba")]), "feature names")
    _refuses(lambda: _answer(fitted, frame.rename(columns={"a": "z"})), "feature names")


def check_transformers_set_output(estimator: BaseEstimator) -> None:
    """``set_output(transform="pandas")`` gives a frame with named columns."""
    if not hasattr(estimator, "transform"):
        return
    X, y = sample_data(estimator)
    fitted = _fit(estimator, X, y).set_output(transform="pandas")
    frame = fitted.transform(X)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(fitted.get_feature_names_out())


def check_string_labels(estimator: BaseEstimator) -> None:
    """Labels come back as they went in, strings included."""
    if not is_classifier(estimator):
        return
    X, y = sample_data(estimator)
    names = np.array(["ash", "birch", "cedar"], dtype=object)[y]
    fitted = _fit(estimator, X, names)
    assert list(fitted.classes_) == ["ash", "birch", "cedar"]
    assert set(fitted.predict(X)) <= set(names)


def check_regressors_return_float64(estimator: BaseEstimator) -> None:
    """float64 out, whatever went in; several targets keep their columns."""
    if not is_regressor(estimator):
        return
    X, y = sample_data(estimator)
    fitted = _fit(estimator, X.astype(np.float32), y.astype(np.float32))
    assert fitted.predict(X.astype(np.float32)).dtype == np.float64
    if get_tags(estimator).target_tags.multi_output:
        assert _fit(estimator, X, np.stack([y, -y], axis=1)).predict(X).shape == (len(X), 2)


def check_float64_training(estimator: BaseEstimator) -> None:
    """``dtype="float64"`` trains in float64 on the same footing."""
    X, y = sample_data(estimator)
    fitted = _fit(clone(estimator).set_params(dtype="float64"), X, y)
    floats = [w.dtype for w in fitted.module_.state_dict().values() if w.is_floating_point()]
    assert set(floats) == {torch.float64}
    assert np.isfinite(_answer(fitted, X)).all()


def check_metadata_routing(estimator: BaseEstimator) -> None:
    """Keyword data of ``fit`` are routed through a pipeline when asked for."""
    if not has_fit_parameter(estimator, "sample_weight"):
        return
    X, y = sample_data(estimator)
    weight = np.linspace(0.1, 2.0, len(X))
    seeded = clone(estimator).set_params(random_state=0)
    direct = _fit(seeded, X, y, sample_weight=weight)
    with (
        config_context(enable_metadata_routing=True),
        warnings.catch_warnings(action="ignore", category=ConvergenceWarning),
    ):
        routed = make_pipeline(clone(seeded).set_fit_request(sample_weight=True))
        routed.fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(_answer(routed, X), _answer(direct, X))
    assert not np.array_equal(_answer(_fit(seeded, X, y), X), _answer(direct, X))


# -- randomness and the process around it ----------------------------------------------------


def check_same_seed_same_model(estimator: BaseEstimator) -> None:
    """The same ``random_state`` gives the same model bit for bit, in threads and processes."""
    X, y = sample_data(estimator)
    seeded = clone(estimator).set_params(random_state=3)
    once = _answer(_fit(seeded, X, y), X)
    np.testing.assert_array_equal(once, _answer(_fit(seeded, X, y), X))
    other = _answer(_fit(clone(seeded).set_params(random_state=4), X, y), X)
    assert not np.array_equal(once, other), "random_state changes nothing"
    for backend in ("threading", "loky"):
        with joblib.parallel_config(backend, n_jobs=2):
            many = joblib.Parallel()(joblib.delayed(_fit)(seeded, X, y) for _ in range(3))
        for fitted in many:
            np.testing.assert_array_equal(once, _answer(fitted, X), err_msg=backend)


def check_global_state_is_left_alone(estimator: BaseEstimator) -> None:
    """Global random states, default dtype, threads and grad mode are as found after ``fit``."""
    X, y = sample_data(estimator)

    def state():
        numpy_state = np.random.get_state()  # noqa: NPY002  (the global state is the subject)
        return (
            torch.get_rng_state().tolist(), numpy_state[1].tolist(), numpy_state[2],
            torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled(),
        )  # fmt: skip

    before = state()
    fitted = _fit(clone(estimator).set_params(random_state=0), X, y)
    _answer(fitted, X)
    assert state() == before


# -- persistence -----------------------------------------------------------------------------


class _RecordingUnpickler(pickle.Unpickler):
    def __init__(self, file):
        super().__init__(file)
        self.globals = set()

    def find_class(self, module, name):
        self.globals.add(f"{module}.{name}")
        return super().find_class(module, name)


def check_round_trips(estimator: BaseEstimator) -> None:
    """pickle, joblib, deepcopy and ``skdyn.io`` give equal predictions."""
    X, y = sample_data(estimator)
    fitted = _fit(estimator, X, y)
    expected = _answer(fitted, X)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        joblib.dump(fitted, path)
        copies = [pickle.loads(pickle.dumps(fitted)), joblib.load(path), copy.deepcopy(fitted)]
        if type(estimator).__name__ in skdyn.__all__:
            skdyn.io.save(fitted, path + ".safetensors")
            copies.append(skdyn.io.load(path + ".safetensors"))
    for other in copies:
        np.testing.assert_array_equal(_answer(other, X), expected)
        assert str(other.get_params()) == str(fitted.get_params())


def check_pickle_is_arrays_and_config(estimator: BaseEstimator) -> None:
    """The pickle names nothing of torch: no optimiser, no module; parameters changed later do not
    disturb the rebuild."""
    X, y = sample_data(estimator)
    fitted = _fit(estimator, X, y)
    expected = _answer(fitted, X)
    if _supports(estimator, "hidden_layer_sizes"):
        fitted.set_params(hidden_layer_sizes=(3,))
    with tempfile.TemporaryFile() as file:
        pickle.dump(fitted, file)
        file.seek(0)
        unpickler = _RecordingUnpickler(file)
        again = unpickler.load()
    named = {name for name in unpickler.globals if name.startswith(("torch.", "skorch."))}
    assert not named, f"the pickle names {sorted(named)}"
    np.testing.assert_array_equal(_answer(again, X), expected)


# -- training --------------------------------------------------------------------------------


def check_fitted_attributes(estimator: BaseEstimator) -> None:
    """What every trained estimator tells about its training."""
    X, y = sample_data(estimator)
    fitted = _fit(estimator, X, y)
    assert fitted.n_features_in_ == X.shape[1]
    assert fitted.n_iter_ == len(fitted.loss_curve_) >= 1
    assert np.isfinite(fitted.loss_curve_).all()
    assert np.isfinite(fitted.best_loss_)
    assert fitted.validation_scores_ is None
    assert isinstance(fitted.module_, torch.nn.Module)
    assert not fitted.module_.training
    assert torch.device(fitted.device_).type in ("cpu", "cuda")


def check_convergence_warning(estimator: BaseEstimator) -> None:
    """A fit cut short by ``max_iter`` says so."""
    X, y = sample_data(estimator)
    cut_short = clone(estimator).set_params(max_iter=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cut_short.fit(X, y)
    messages = [str(w.message) for w in caught if issubclass(w.category, ConvergenceWarning)]
    assert any("max_iter=1" in message for message in messages), messages


def check_early_stopping(estimator: BaseEstimator) -> None:
    """``early_stopping`` watches a share of the data or ``X_val, y_val``, and keeps the best."""
    X, y = sample_data(estimator)
    if not has_fit_parameter(estimator, "X_val") or y is None:
        return
    stopping = clone(estimator).set_params(early_stopping=True, n_iter_no_change=2, max_iter=30)
    X_val, y_val = sample_data(estimator, random_state=0)
    for fit_params in ({}, {"X_val": X_val[:20], "y_val": y_val[:20]}):
        fitted = _fit(stopping, X, y, **fit_params)
        assert len(fitted.validation_scores_) == fitted.n_iter_
        assert fitted.best_loss_ == -max(fitted.validation_scores_)
    _refuses(lambda: _fit(stopping, X, y, X_val=X_val), "y_val")
    _refuses(lambda: _fit(estimator, X, y, X_val=X_val, y_val=y_val), "early_stopping")


def check_partial_fit_and_warm_start(estimator: BaseEstimator) -> None:
    """Both continue from the present weights and count their epochs."""
    X, y = sample_data(estimator)
    seeded = clone(estimator).set_params(random_state=0)
    if hasattr(estimator, "partial_fit"):
        learner = clone(seeded)
        for _ in range(3):
            learner.partial_fit(X, y)
        assert learner.n_iter_ == 3
        assert learner.loss_curve_[-1] < learner.loss_curve_[0]
        np.testing.assert_array_equal(
            _answer(pickle.loads(pickle.dumps(learner)).partial_fit(X, y), X).shape,
            _answer(learner, X).shape,
        )
    warm = clone(seeded).set_params(warm_start=True)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        first = warm.fit(X, y).loss_curve_[-1]
        again = warm.fit(X, y).loss_curve_[0]
    assert again < _fit(seeded, X, y).loss_curve_[0]
    assert np.isfinite(first)


class _Interrupt:
    """A callback that acts as Ctrl-C after the first epoch."""

    def setup(self, estimator, context):
        """Nothing to prepare."""

    def teardown(self, estimator, context):
        """Nothing to clean up."""

    def on_fit_task_begin(self, estimator, context):
        """Nothing to do."""

    def on_fit_task_end(self, estimator, context):
        """Interrupt."""
        raise KeyboardInterrupt


def check_interrupt_leaves_no_half_fitted_model(estimator: BaseEstimator) -> None:
    """Ctrl-C raises; a new estimator stays unfitted, a fitted one stays what it was."""
    X, y = sample_data(estimator)
    fresh = clone(estimator).set_callbacks(_Interrupt())
    _interrupted(fresh, X, y)
    try:
        check_is_fitted(fresh)
    except NotFittedError:
        pass
    else:
        raise AssertionError("interrupted in its first fit, the estimator looks fitted")
    assert not hasattr(fresh, "n_features_in_")
    fitted = _fit(estimator, X, y)
    before = _answer(fitted, X)
    _interrupted(fitted.set_callbacks(_Interrupt()), X[::2], None if y is None else y[::2])
    np.testing.assert_array_equal(_answer(fitted, X), before)
    if hasattr(estimator, "partial_fit"):
        learner = clone(estimator).partial_fit(X, y)
        before = _answer(learner, X)
        _interrupted(learner.set_callbacks(_Interrupt()), X, y, "partial_fit")
        np.testing.assert_array_equal(_answer(learner, X), before)


def _interrupted(estimator, X, y, method="fit"):
    try:
        getattr(estimator, method)(X, y)
    except KeyboardInterrupt:
        return
    raise AssertionError("the interrupt was swallowed")


class _Listener(_Interrupt):
    """A callback that counts epochs and scores the estimator as it is after each."""

    def __init__(self):
        self.epochs = []

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        """Note the epoch; stop after three."""
        if context.task_name == "epoch":
            self.epochs.append(_answer(fitted_estimator, X))
        return len(self.epochs) == 3


def check_callbacks(estimator: BaseEstimator) -> None:
    """scikit-learn's callbacks see every epoch, can look at the model so far and stop it."""
    X, y = sample_data(estimator)
    listener = _Listener()
    listening = clone(estimator).set_params(max_iter=5, tol=0.0).set_callbacks(listener)
    fitted = _fit(listening, X, y)
    assert fitted.n_iter_ == len(listener.epochs) == 3
    np.testing.assert_allclose(listener.epochs[-1], _answer(fitted, X), rtol=1e-5, atol=1e-6)
    assert not np.array_equal(listener.epochs[0], listener.epochs[-1])


# -- bad input -------------------------------------------------------------------------------


def check_bad_data(estimator: BaseEstimator) -> None:
    """NaN, infinity, nothing, one row, wrong shapes and types: an error that says what is wrong."""
    X, y = sample_data(estimator)

    def with_value(value):
        spoilt = X.copy()
        spoilt[3, 1] = value
        return spoilt

    fitted = _fit(estimator, X, y)
    if not get_tags(estimator).input_tags.allow_nan:
        _refuses(lambda: _fit(estimator, with_value(np.nan), y), "nan")
    _refuses(lambda: _answer(fitted, with_value(np.nan)), "nan", "missing")
    _refuses(lambda: _fit(estimator, with_value(np.inf), y), "inf")
    _refuses(lambda: _answer(fitted, with_value(np.inf)), "inf")
    _refuses(lambda: _fit(estimator, X[:0], None if y is None else y[:0]), "0 sample", "empty")
    _refuses(lambda: _fit(estimator, X[:, :0], y), "0 feature")
    _refuses(lambda: _answer(fitted, X[:, :2]), "features")
    _refuses(lambda: _answer(fitted, X[0]), "reshape")
    _refuses(lambda: _fit(estimator, X[0], y), "1d", "1-d", "2d", "axes", "reshape")
    _refuses(lambda: _fit(estimator, [["a", "b"], ["c", "d"]] * 30, y), "string", "float", "number")
    if y is not None:
        _refuses(lambda: _fit(estimator, X, y[:-1]), "inconsistent")
        _refuses(lambda: _fit(estimator, X, np.where(np.arange(len(y)) == 2, np.nan, y)), "nan")


def check_constant_columns_and_single_class(estimator: BaseEstimator) -> None:
    """Degenerate data have a defined result: finite, or an error that says why."""
    X, y = sample_data(estimator)
    X = X.copy()
    X[:, 0] = 7.0
    assert np.isfinite(_answer(_fit(estimator, X, y), X)).all()
    if is_classifier(estimator):
        one = np.full(len(X), 5)
        assert set(_fit(estimator, X, one).predict(X)) == {5}
    if is_regressor(estimator):
        np.testing.assert_allclose(
            _fit(estimator, X, np.full(len(X), 2.5)).predict(X), 2.5, atol=0.5
        )


def check_bad_parameters_are_named(estimator: BaseEstimator) -> None:
    """A parameter out of range is named with what came, before anything is fitted."""
    X, y = sample_data(estimator)
    bad = {
        "learning_rate": -1.0, "max_iter": 0, "optimizer": "adan", "dtype": "float16",
        "learning_rate_schedule": "wavy", "batch_size": 0, "solver": "rk5", "adjoint": "magic",
        "device": "tpu9", "rtol": 0.0, "hidden_layer_sizes": (0,), "activation": "step",
        "validation_fraction": 1.5, "tol": -1.0, "clip_norm": 0.0, "max_steps": 0,
    }  # fmt: skip
    for name, value in bad.items():
        if _supports(estimator, name):
            spoilt = clone(estimator).set_params(**{name: value})
            _refuses(lambda spoilt=spoilt: _fit(spoilt, X, y), name)
            _refuses(lambda spoilt=spoilt: _fit(spoilt, X, y), repr(value), str(value))


def check_divergence_is_never_silent(estimator: BaseEstimator) -> None:
    """A hopeless learning rate ends in a typed error or in a finite model, never in NaN."""
    X, y = sample_data(estimator)
    descent = "optimizer" if _supports(estimator, "optimizer") else "solver"
    wild = clone(estimator).set_params(learning_rate=1e18, max_iter=5, **{descent: "sgd"})
    failure = None
    with warnings.catch_warnings(action="ignore"):
        try:
            wild.fit(X, y)
        except (skdyn.exceptions.TrainingDivergedError, skdyn.exceptions.SolverError) as error:
            failure = str(error)
    if failure is None:
        answer = _answer_or_error(wild, X)
        assert answer is None or np.isfinite(answer).all()
    else:
        assert "learning_rate" in failure or "step" in failure, failure
        assert not hasattr(wild, "module_")


def _answer_or_error(fitted, X):
    try:
        return _answer(fitted, X)
    except skdyn.exceptions.SolverError:
        return None
