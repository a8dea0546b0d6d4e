"""Bad input: a clear error or a defined result, never a crash and never a silent NaN."""

import warnings

import numpy as np
import torch
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import get_tags

from skdyn._tabular import TabularEstimator
from skdyn._validation import check_is_fitted, clone
from skdyn.testing._probe import (
    answer,
    fit,
    fit_to_read,
    has_parameter,
    reads_times,
    refuses,
    sample_data,
    sample_to_sketch,
    sketched,
)


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
    fills, reads_tables = hasattr(estimator, "transform"), isinstance(estimator, TabularEstimator)
    if allow_nan and (fills or reads_tables):  # of times, NaN in a history is no gap in the answer
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


def _data_that_may_fail(X, y):
    """Yield data that fits refuse early, in the middle, or late; some take some of them."""
    first = None if y is None else y[: len(X) // 2]
    yield np.where(np.arange(len(X))[:, None] == 3, np.inf, X), y
    yield np.ones((6, X.shape[1] - 1)) * np.arange(1, X.shape[1]), None if y is None else y[:6]
    yield X[: len(X) // 2, :2] * 1e200, first
    if y is not None:
        yield X[:, :2], np.where(np.arange(len(y)) == 3, np.inf, y.astype(float))


def check_failed_fits_change_nothing(estimator):
    """After a failed first fit it is not fitted; after a failed refit, what it was before."""
    X, y = sample_data(estimator)
    fitted = fit_to_read(estimator, X, y)
    before = answer(fitted, X)
    methods = [name for name in ("fit", "partial_fit") if hasattr(estimator, name)]
    for method in methods:
        for spoilt, targets in _data_that_may_fail(X, y):
            fresh = clone(estimator)
            if _fails(fresh, method, spoilt, targets):
                refuses(lambda fresh=fresh: check_is_fitted(fresh), "not fitted")
                if _fails(fitted, method, spoilt, targets):
                    np.testing.assert_array_equal(answer(fitted, X), before)
                else:
                    fitted = fit_to_read(estimator, X, y)


def _fails(estimator, method, X, y):
    try:
        with warnings.catch_warnings(action="ignore"):
            getattr(estimator, method)(X, y)
    except Exception:
        return True
    return False


def check_constant_columns_and_single_class(estimator):
    """Degenerate data have a defined result: finite, or an error that says why.

    With one constant column it is no worse than the mean, or the commonest class; or a warning,
    other than that ``max_iter`` came first, says that it may be.
    """
    X, y = sample_data(estimator)
    X = X.copy()
    X[:, 0] = 7.0
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitted = clone(estimator).fit(X, y)
    except ValueError:
        refuses(lambda: fit(estimator, X, y), "constant")
        return
    assert np.isfinite(answer(fitted, X)).all()
    if _is_scored_beside_a_trivial_answer(estimator):
        told = any("stopped at max_iter" not in str(warning.message) for warning in caught)
        trivial = np.bincount(y).max() / len(y) if is_classifier(estimator) else 0.0
        score = fitted.score(X, y)
        assert told or score >= trivial, f"score {score:.3g}, trivial {trivial:.3g}, no warning"
    if is_classifier(estimator):
        one = np.full(len(X), 5)
        assert set(fit(sketched(estimator), X, one).predict(X)) == {5}
    if is_regressor(estimator):
        same = fit(estimator, X, np.full(len(X), 2.5))
        np.testing.assert_allclose(same.predict(X), 2.5, atol=0.5)


def _is_scored_beside_a_trivial_answer(estimator):
    predicts = is_classifier(estimator) or is_regressor(estimator) or reads_times(estimator)
    return predicts and hasattr(estimator, "score")


# Powers of two lose no digit: standardized, small ones are the same numbers to the last bit.
_SIZES = (1e160, 1e300, 2.0**-660, 2.0**-990)
_MILD = 2.0**-66
# Rows stored in an order of their own, by a hash, are dealt anew in another unit; what is lost in
# a unit costs a tenth and more.
_SAME = 0.05


def _extremes(X, y):
    """Yield the name of what is extreme, such data, and the same in a milder unit, if it is one."""
    for size in _SIZES:
        milder = X * _MILD if size < 1 else None
        yield "X", X * size, y, milder
        one = np.array([1.0, size, *np.ones(X.shape[1] - 2)])
        yield "X", X * one, y, X * np.maximum(one, _MILD) if size < 1 else None
        if y is not None and y.dtype.kind == "f":
            yield "y", X, y * size, X if size < 1 else None
    for offset in (1e300, -1e160):
        yield "X", X + offset, y, None
        if y is not None and y.dtype.kind == "f":
            yield "y", X, y + offset, None


def check_extreme_values(estimator):
    """Values near the ends of float64: an error that names them, or the answers of other units."""
    X, y = sample_data(estimator)
    quick = sketched(estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        for name, far, targets, milder in _extremes(X, y):
            what = f"{name} of size {np.abs(np.asarray(far if name == 'X' else targets)).max():.0e}"
            try:
                found = answer(fit(quick, far, targets), far)
            except ValueError:
                refuses(lambda far=far, targets=targets: fit(quick, far, targets), f"of {name}")
                continue
            assert np.isfinite(found).all(), what
            assert milder is not None, f"{what} was taken"
            assert _difference(found, answer(fit(quick, milder, y), milder)) <= _SAME, what


def _difference(a, b):
    """Return the largest difference of answers, each column in a unit of its own."""
    sizes = [np.abs(values).max(axis=0) for values in (a, b)]
    a, b = (values / np.where(size > 0, size, 1) for values, size in zip((a, b), sizes))
    return np.abs(a - b).max()


def check_tensors_of_any_kind(estimator):
    """Tensors of half precision, and those that need gradients, count as the numbers they hold."""
    X, y = sample_to_sketch(estimator)
    half, targets = torch.tensor(X, dtype=torch.bfloat16), y
    if y is not None and y.dtype.kind == "f":
        targets, y = torch.tensor(y, dtype=torch.bfloat16), torch.tensor(y).bfloat16().double()
    known = fit(sketched(estimator), half.float().numpy(), None if y is None else np.asarray(y))
    found = fit(sketched(estimator), half, targets)
    for tensor in (half, half.half(), half.double().requires_grad_()):
        plain = tensor.detach()
        array = np.asarray(plain if tensor.requires_grad else plain.float())
        np.testing.assert_array_equal(answer(found, tensor), answer(known, array))
    if hasattr(estimator, "score"):
        score = known.score(half.float().numpy(), y)
        np.testing.assert_allclose(found.score(half, targets), score, rtol=1e-6)


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
