"""The checks of labeled series bite."""

import numpy as np
import pytest

import skdyn.sequence
from skdyn import (
    AugmentedCovariance,
    HiPPOTransformer,
    NeuralCDEClassifier,
    SignatureTransformer,
    SSMClassifier,
)
from skdyn._series import reads_series
from skdyn.sequence import signature_kernel
from skdyn.testing import _series_times, all_estimators


class Deaf(SignatureTransformer):
    """Takes all questions to be at the times of the first fit."""

    def transform(self, X, *, t=None):
        return super().transform(X, t=_series_times._T)


class Padding(SignatureTransformer):
    """Takes padding for values."""

    def transform(self, X, *, t=None):
        if isinstance(X, np.ndarray):
            X = np.nan_to_num(X)
            t = None if t is None else np.where(np.isnan(t), 1.5, t)
        return super().transform(X, t=t)


class Trusting(SignatureTransformer):
    """Asks no questions about units."""

    def transform(self, X, *, t=None):
        self._duration = 0  # as after cases of a single point
        return super().transform(X, t=t)


class Lenient(SignatureTransformer):
    """Sorts times."""

    def fit(self, X, y=None, *, t=None):
        return super().fit(X, y, t=None if t is None else np.sort(t, axis=-1))


class Unrouted(SignatureTransformer):
    """Fits at times, and is asked without."""

    def fit_transform(self, X, y=None, *, t=None):
        return super().fit_transform(X, y)


@pytest.mark.parametrize(
    ("model", "check"),
    [
        (Deaf, _series_times.check_times_of_series_count),
        (Padding, _series_times.check_layouts_of_series_agree),
        (Trusting, _series_times.check_another_unit_of_time_is_told),
        (Lenient, _series_times.check_bad_series),
        (Unrouted, _series_times.check_times_of_series_are_routed),
    ],
    ids=lambda thing: thing.__name__,
)
def test_a_broken_promise_is_found(model, check):
    check(SignatureTransformer())
    with pytest.raises((AssertionError, ValueError)):
        check(model())


def test_every_estimator_of_series_is_asked():
    ours = {name for name in skdyn.sequence.__all__ if name[0].isupper()}
    assert ours <= {name for name, cls in all_estimators() if reads_series(cls)}


NETWORKS = {"max_iter": 2, "learning_rate": 0.1, "random_state": 0}
SMALL_SSM = {"n_layers": 1, "hidden_channels": 4, "state_size": 4, **NETWORKS}
SMALL_CDE = {"hidden_channels": 4, "hidden_layer_sizes": (5,), **NETWORKS}


@pytest.mark.parametrize(
    "model",
    [
        *(SSMClassifier(readout=readout, **SMALL_SSM) for readout in ("last", "attention")),
        SSMClassifier(selective=True, **SMALL_SSM),
        SSMClassifier(kernel="s4d_legs", **SMALL_SSM),
        *(
            NeuralCDEClassifier(interpolation=path, **SMALL_CDE)
            for path in ("hermite", "rectilinear", "natural_cubic")
        ),
        *(NeuralCDEClassifier(vector_field=kind, **SMALL_CDE) for kind in ("low_rank", "linear")),
        NeuralCDEClassifier(augment=("time",), solver="bosh3", **SMALL_CDE),
        NeuralCDEClassifier(readout="attention", **SMALL_CDE),
        SignatureTransformer(2, log=True, augment=("time",)),
        SignatureTransformer(2, augment=("basepoint",), window="dyadic"),
        HiPPOTransformer(measure="legt"),
        AugmentedCovariance(shrinkage=0.1),
    ],
    ids=str,
)
def test_times_count_in_every_variant(model):
    _series_times.check_times_of_series_count(model)


def test_times_count_in_the_kernel():
    X = np.random.default_rng(0).normal(size=(4, 2, len(_series_times._T)))
    grams = [
        signature_kernel(X, t=t, time_scale=0.1, scale=0.3)
        for t in (_series_times._T, _series_times._OTHER_T)
    ]
    assert not np.allclose(*grams)
