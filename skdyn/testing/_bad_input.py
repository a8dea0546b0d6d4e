"""Bad input: a clear error or a defined result, never a crash and never a silent NaN."""

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils import get_tags

from skdyn.testing._probe import answer, fit, fit_to_read, has_parameter, refuses, sample_data


def check_bad_data(estimator):
    """NaN, infinity, nothing, one row, wrong shapes and types: an error that says what is wrong."""
    X, y = sample_data(estimator)

    def with_value(value):
        spoilt = X.copy()
        spoilt[3, 1] = value
        return spoilt

    fitted = fit_to_read(estimator, X, y)
    allow_nan = get_tags(estimator).input_tags.allow_nan
    if not allow_nan:
        refuses(lambda: fit(estimator, with_value(np.nan), y), "nan")
    if allow_nan and hasattr(estimator, "transform"):  # it fills them
        assert np.isfinite(answer(fitted, with_value(np.nan))).all()
    else:
        refuses(lambda: answer(fitted, with_value(np.nan)), "nan", "missing")
    refuses(lambda: fit(estimator, with_value(np.inf), y), "inf")
    refuses(lambda: answer(fitted, with_value(np.inf)), "inf")
    refuses(lambda: fit(estimator, X[:0], None if y is None else y[:0]), "0 sample", "empty")
    refuses(lambda: fit(estimator, X[:, :0], y), "0 feature")
    refuses(lambda: answer(fitted, X[:, :2]), "features")
    refuses(lambda: answer(fitted, X[0]), "reshape")
    refuses(lambda: fit(estimator, X[0], y), "1d", "1-d", "2d", "axes", "reshape")
    refuses(lambda: fit(estimator, [["a", "b"], ["c", "d"]] * 30, y), "string", "float", "number")
    if y is not None:
        refuses(lambda: fit(estimator, X, y[:-1]), "inconsistent")
        refuses(lambda: fit(estimator, X, np.where(np.arange(len(y)) == 2, np.nan, y)), "nan")


def check_constant_columns_and_single_class(estimator):
    """Degenerate data have a defined result: finite, or an error that says why."""
    X, y = sample_data(estimator)
    X = X.copy()
    X[:, 0] = 7.0
    try:
        fitted = fit(estimator, X, y)
    except ValueError:
        refuses(lambda: fit(estimator, X, y), "constant")
        return
    assert np.isfinite(answer(fitted, X)).all()
    if is_classifier(estimator):
        one = np.full(len(X), 5)
        assert set(fit(estimator, X, one).predict(X)) == {5}
    if is_regressor(estimator):
        same = fit(estimator, X, np.full(len(X), 2.5))
        np.testing.assert_allclose(same.predict(X), 2.5, atol=0.5)


class _Nonsense:
    """A value that no parameter can mean."""


def check_bad_parameters_are_named(estimator):
    """A parameter of the wrong kind or out of range is named with what came."""
    X, y = sample_data(estimator)
    for name in estimator.get_params(deep=False):
        refuses(lambda name=name: fit(_with(estimator, name, _Nonsense()), X, y), name)
    bad = {
        "learning_rate": -1.0, "max_iter": 0, "optimizer": "adan", "dtype": "float16",
        "learning_rate_schedule": "wavy", "batch_size": 0, "solver": "rk5", "adjoint": "magic",
        "device": "tpu9", "rtol": 0.0, "hidden_layer_sizes": (0,), "activation": "step",
        "validation_fraction": 1.5, "tol": -1.0, "clip_norm": 0.0, "max_steps": 0,
    }  # fmt: skip
    for name in filter(lambda name: has_parameter(name)(estimator), bad):
        value = bad[name]
        spoilt = _with(estimator, name, value)
        refuses(lambda spoilt=spoilt: fit(spoilt, X, y), name)
        refuses(lambda spoilt=spoilt: fit(spoilt, X, y), repr(value), str(value))


def _with(estimator, name, value):
    return clone(estimator).set_params(**{name: value})
