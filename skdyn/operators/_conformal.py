"""Bands around predictions of any operator, with a coverage that is guaranteed."""

from __future__ import annotations

from functools import partial
from inspect import signature
from math import ceil
from numbers import Integral, Real
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_consistent_length, check_random_state, get_tags

from skdyn._progress import Progress
from skdyn._seeds import seed_within
from skdyn._state import OPTIONAL, PlainState, Shape, Since
from skdyn._validation import (
    Interval,
    StrOptions,
    check_array,
    check_is_fitted,
    check_sizes,
    clone,
    fit_context,
    validate_data,
)
from skdyn.datasets import FieldData
from skdyn.exceptions import warn_user
from skdyn.operators._clouds import read_places
from skdyn.operators._error_scales import NearErrors, learn_near_errors
from skdyn.operators._kernel_operator import KernelOperatorRegressor
from skdyn.operators._named_answers import answered, plain_inputs, plain_targets
from skdyn.operators._named_fields import Names, is_named, read_named

__all__ = ["ConformalOperatorRegressor"]

_DTYPES = [np.float64, np.float32]
_FEWEST = 4  # cases of a fit: two to learn from, one for each of the others
_LEAST_STD = 1e-6  # of the mean of the deviations that an estimator tells
_LEAST_WIDTH = 0.1  # of the mean predicted error: an error of zero, or below, means nothing


class ConformalOperatorRegressor(
    PlainState, CallbackSupportMixin, MetaEstimatorMixin, RegressorMixin, BaseEstimator
):
    """Regressor of functions around another one, with bands that hold as often as they say.

    Cases are dealt into three shares. The model learns from the first. How large its errors are,
    where and in which cases, is learned from the second, :math:`\\sigma(a, x)`; and errors
    of the third, in these units, say how wide a band must be [1]_ [2]_:

    .. math:: s_i = \\max_x \\frac{\\lvert u_i(x) - \\hat u(a_i)(x) \\rvert}{\\sigma(a_i, x)},
        \\qquad \\hat u(a)(x) \\pm q\\, \\sigma(a, x),

    where q is the :math:`\\lceil (n + 1) c \\rceil`-th smallest of the n scores. A new case of the
    same kind lies within with a probability of at least c, whatever the model and however wrong
    the sigma: a better one only makes bands narrower.

    Parameters
    ----------
    estimator : estimator or None, default=None
        Regressor of functions, of numbers, or on :class:`~skdyn.datasets.FieldData`; None is
        :class:`KernelOperatorRegressor`.
    scale : {"knn", "residual", "std"} or None, default="knn"
        What the widths are: errors of the cases of the second share that are nearest to the input,
        each at its place (on clouds of points one width a case); absolute errors as a clone of the
        estimator learns to predict them; the standard deviations that an estimator such as
        :class:`KernelOperatorRegressor` tells itself, which needs no second share; or one width
        for all.
    confidence : float, default=0.9
        Share c of the cases that lie within.
    band : {"simultaneous", "pointwise"}, default="simultaneous"
        Whether a case counts as within with all of its points, or with ``point_share`` of them,
        which makes bands narrower.
    point_share : float, default=0.9
        Share of the points of a case that must lie within a pointwise band.
    scale_fraction : float, default=0.2
        Second share, where `scale` needs one.
    calibration_fraction : float, default=0.2
        Third share. Where it has fewer cases than `confidence` needs, it is raised to these, up to
        half of all.
    n_neighbors : int, default=10
        Cases that "knn" looks at.
    random_state : int, RandomState instance or None, default=None
        Source of the shares, and of the seeds of `estimator`. Pass an int for the same model every
        time.

    Attributes
    ----------
    estimator_ : estimator
        The regressor, fitted on the first share.
    scale_estimator_ : estimator
        That of absolute errors, with ``scale="residual"``.
    calibration_scores_ : ndarray of shape (n_calibration,)
        Scores of the third share, sorted.
    n_features_in_ : int
        Number of columns of a table, else of channels; on clouds also of parameters.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.

    See Also
    --------
    KernelOperatorRegressor : Standard deviations without a share of their own, and no guarantee.

    Notes
    -----
    The guarantee is on average over cases and over draws of the third share, and for new cases of
    the same kind as those of ``fit``: it says nothing of one input, nor of others than it has seen.

    References
    ----------
    .. [1] Jing Lei, Max G'Sell, Alessandro Rinaldo, Ryan Tibshirani, Larry Wasserman,
       "Distribution-Free Predictive Inference for Regression", Journal of the American Statistical
       Association 113, 2018.
    .. [2] Ziqi Ma, Kamyar Azizzadenesheli, Anima Anandkumar, "Calibrated Uncertainty
       Quantification for Operator Learning via Conformal Prediction", Transactions on Machine
       Learning Research, 2024.

    Examples
    --------
    >>> from skdyn import ConformalOperatorRegressor, KernelOperatorRegressor
    >>> from skdyn.datasets import make_darcy
    >>> X, y = make_darcy(150, 9, random_state=0)
    >>> kernels = KernelOperatorRegressor(n_corrections=0, random_state=0)
    >>> model = ConformalOperatorRegressor(kernels, random_state=0)
    >>> model = model.fit(X[:100], y[:100])
    >>> low, high = model.predict_interval(X[100:])
    >>> within = ((low <= y[100:]) & (y[100:] <= high)).all(axis=(1, 2, 3))
    >>> bool(within.mean() > 0.8)
    True
    """

    estimator_: BaseEstimator
    scale_estimator_: Annotated[BaseEstimator, OPTIONAL]
    calibration_scores_: Annotated[np.ndarray, Shape("calibration")]
    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    _near: Annotated[NearErrors, OPTIONAL]
    _least: Annotated[float, OPTIONAL]
    _tells_std: bool
    _names: Annotated[Names, Since(lambda state: Names())]

    _parameter_constraints = {
        "estimator": [BaseEstimator, None],
        "scale": [StrOptions({"knn", "residual", "std"}), None],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "band": [StrOptions({"simultaneous", "pointwise"})],
        "point_share": [Interval(Real, 0, 1, closed="right")],
        "scale_fraction": [Interval(Real, 0, 0.5, closed="neither")],
        "calibration_fraction": [Interval(Real, 0, 0.5, closed="neither")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }
    _exponents = None, 250
    _quick_parameters = {"estimator": KernelOperatorRegressor(n_corrections=0)}
    _sketch_parameters = {
        "estimator": KernelOperatorRegressor(length_scale=1.0, emphasis=0.0, n_corrections=0)
    }

    def __init__(
        self,
        estimator: BaseEstimator | None = None,
        *,
        scale: str | None = "knn",
        confidence: float = 0.9,
        band: str = "simultaneous",
        point_share: float = 0.9,
        scale_fraction: float = 0.2,
        calibration_fraction: float = 0.2,
        n_neighbors: int = 10,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.scale = scale
        self.confidence = confidence
        self.band = band
        self.point_share = point_share
        self.scale_fraction = scale_fraction
        self.calibration_fraction = calibration_fraction
        self.n_neighbors = n_neighbors
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = KernelOperatorRegressor() if self.estimator is None else self.estimator
        tags.input_tags.three_d_array = get_tags(inner).input_tags.three_d_array
        tags.target_tags.multi_output = get_tags(inner).target_tags.multi_output
        return tags

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> Self:
        """Fit the model, the scale of its errors, and the width of the band.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_channels, \\*grid), \
                FieldData, DataArray or Dataset
            Inputs.
        y : array-like of shape (n_samples,), (n_samples, width) or (n_samples, n_channels, \
                \\*grid), FieldData, DataArray or Dataset
            Targets.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        learns_scale = self.scale in ("knn", "residual")
        progress = Progress(self, 1 + (self.scale == "residual"), X=X, y=y)
        X = self._read(X, reset=True)
        y = self._read_targets(X, y)
        rng = check_random_state(self.random_state)
        first, second, third = self._deal(len(X), learns_scale, rng)
        seeds = None if self.random_state is None else rng
        self.estimator_ = self._fit_clone(X[first], y[first], seeds, progress, "model")
        self._check_scale()
        if self._tells_std:
            model: Any = self.estimator_
            told = model.predict(X[third], return_std=True)[1]
            self._least = _LEAST_STD * float(np.mean(told)) or 1.0
        if learns_scale:
            self._learn_scale(X[second], y[second], seeds, progress)
        at = y[third] if isinstance(y, FieldData) else None
        ratios = self._errors(X[third], y[third]) / self._widths(X[third], at)
        self.calibration_scores_ = np.sort(self._scores(ratios, at))
        progress.end()
        needed = _needed(self.confidence)
        if len(third) < needed:
            warn_user(
                f"The {len(third)} cases of the calibration are less than the {needed} that "
                f"confidence={self.confidence} needs: predict_interval will refuse. Pass "
                f"{2 * needed} cases or more, or lower confidence to "
                f"{len(third) / (len(third) + 1):.3g}."
            )
        return self

    def predict(self, X: Any) -> Any:
        """Predict functions, or numbers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_channels, \\*grid), \
                FieldData, DataArray or Dataset
            Inputs.

        Returns
        -------
        ndarray, FieldData or DataArray
            Predictions of the estimator.
        """
        check_is_fitted(self)
        if is_named(X) and self._names.y is not None:
            return answered(self, X, None, self.predict)
        model: Any = self.estimator_
        return model.predict(self._read(X, reset=False))

    def predict_interval(
        self, X: Any, confidence: float | None = None, at: Any = None
    ) -> tuple[Any, Any]:
        """Predict bands that a share of the cases lies in.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_channels, \\*grid), \
                FieldData, DataArray or Dataset
            Inputs.
        confidence : float or None, default=None
            The share; None is that of the constructor.
        at : FieldData or array-like of shape (n_places, n_axes), default=None
            Where to answer, on clouds of points; None answers at those of X.

        Returns
        -------
        low, high : ndarray, FieldData or DataArray
            Ends of the band, in the layout of the predictions.

        Raises
        ------
        ValueError
            If the calibration has too few cases for such a share; it names how many are needed.
        """
        check_is_fitted(self)
        if is_named(X) and self._names.y is not None:
            return answered(self, X, None, partial(self.predict_interval, confidence=confidence))
        factor = self._factor(self.confidence if confidence is None else confidence)
        X = self._read(X, reset=False)
        if isinstance(X, FieldData):
            at = X if at is None else read_places(X, at)
        predicted = self._ask(self.estimator_, X, at)
        reach = factor * self._widths(X, at)
        low, high = predicted - reach, predicted + reach
        return (low, high) if at is None else (at.with_values(low), at.with_values(high))

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return the score of the estimator.

        Parameters
        ----------
        X : array-like, FieldData, DataArray or Dataset
            Inputs.
        y : array-like, FieldData, DataArray or Dataset
            True targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        float
        """
        check_is_fitted(self)
        model: Any = self.estimator_
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return model.score(self._read(X, reset=False), plain_targets(self, y), **weights)

    # -- data ----------------------------------------------------------------------------------

    def _read(self, X, reset):
        if reset:
            self._names = Names()
        if is_named(X) and reset:
            X, named = read_named(X, "X")
            self._names = Names(named)
        X = plain_inputs(self, X)
        if not isinstance(X, FieldData):
            return validate_data(self, X, reset=reset, dtype=_DTYPES, allow_nd=True)
        n_features = X.values.shape[1] + X.parameters.shape[1]
        if reset:
            vars(self).pop("feature_names_in_", None)
            self.n_features_in_ = n_features
        elif n_features != self.n_features_in_:
            raise ValueError(
                f"X has {n_features} channels and parameters, but {type(self).__name__} is "
                f"expecting {self.n_features_in_} features as input."
            )
        return X

    def _read_targets(self, X, y):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        if is_named(y):
            x = self._names.x
            y, named = read_named(y, "y", order=[axis.name for axis in x.axes] if x else ())
            self._names = self._names._replace(y=named)
        if not isinstance(y, FieldData):
            y = check_array(
                y, dtype="numeric", ensure_2d=False, allow_nd=True, input_name="y", estimator=self
            )
            y = y if y.dtype == np.float32 else y.astype(np.float64, copy=False)
            check_sizes(y, "y", self._exponents)
        check_consistent_length(X, y)
        return y

    def _deal(self, n, learns_scale, rng):
        """Deal the cases into the three shares."""
        if n < _FEWEST:
            raise ValueError(
                f"{type(self).__name__} deals its cases into three shares and needs {_FEWEST} or "
                f"more; got n_samples={n}."
            )
        n_third = min(_needed(self.confidence), n // 2)
        n_third = max(1, round(self.calibration_fraction * n), n_third)
        n_second = max(1, round(self.scale_fraction * n)) if learns_scale else 0
        n_second = min(n_second, n - n_third - 1)
        return np.split(rng.permutation(n), [n - n_second - n_third, n - n_third])

    # -- the model and its errors --------------------------------------------------------------

    def _fit_clone(self, X, y, seeds, progress, name):
        model: Any = KernelOperatorRegressor() if self.estimator is None else clone(self.estimator)
        seed_within(model, seeds)
        with progress.part(name, inside=model):
            return model.fit(X, y)

    @staticmethod
    def _ask(model: Any, X, at):
        """Return predictions as an array, on clouds those at places."""
        if at is None:
            return np.asarray(model.predict(X))
        return (model.predict(X) if at.has_points_of(X) else model.predict(X, at=at)).values

    def _errors(self, X, y):
        """Return absolute errors; on clouds one row a place."""
        if isinstance(y, FieldData):
            return abs(y.values - self._ask(self.estimator_, X, y))
        return abs(y - self._ask(self.estimator_, X, None).reshape(y.shape))

    def _learn_scale(self, X, y, seeds, progress):
        errors, places = self._errors(X, y), y if isinstance(y, FieldData) else None
        if self.scale == "knn":
            self._near = learn_near_errors(X, errors, self.n_neighbors, places)
            return
        self._least = _LEAST_WIDTH * float(errors.mean()) or 1.0
        targets = errors if places is None else places.with_values(errors)
        self.scale_estimator_ = self._fit_clone(X, targets, seeds, progress, "errors")

    def _widths(self, X, at):
        """Return sigma, of the shape of predictions or one number for all."""
        if hasattr(self, "_near"):
            found = self._near.widths(X)
            return found if at is None else found.repeat(at.sizes)[:, None]
        if hasattr(self, "scale_estimator_"):
            return np.maximum(self._ask(self.scale_estimator_, X, at), self._least)
        if not self._tells_std:
            return np.ones(1)
        model: Any = self.estimator_
        return np.maximum(model.predict(X, return_std=True)[1], self._least)

    def _check_scale(self):
        model: Any = self.estimator_
        self._tells_std = self.scale == "std"
        if self._tells_std and "return_std" not in signature(model.predict).parameters:
            raise ValueError(
                f"scale='std' asks predict(X, return_std=True) of {type(model).__name__}, which "
                "tells none. Choose scale='knn' or 'residual'."
            )
        for name in ("_near", "scale_estimator_"):  # of an earlier fit
            vars(self).pop(name, None)

    # -- the width of the band -----------------------------------------------------------------

    def _scores(self, ratios, at):
        """Return for each case the factor of sigma at which it lies within."""
        share = 1.0 if self.band == "simultaneous" else self.point_share
        cases = ratios.reshape(len(ratios), -1) if at is None else at.split(ratios)
        return np.array([np.quantile(case, share, method="inverted_cdf") for case in cases])

    def _factor(self, confidence: Any):
        if not isinstance(confidence, Real) or not 0 < float(confidence) < 1:
            raise ValueError(f"confidence must be a number between 0 and 1; got {confidence!r}.")
        n = len(self.calibration_scores_)
        rank = _rank(n, confidence)
        if rank > n:
            raise ValueError(
                f"confidence={confidence} needs {_needed(confidence)} cases of the calibration; "
                f"there are {n}. Pass more cases to fit, raise calibration_fraction, or lower "
                f"confidence to {n / (n + 1):.3g}."
            )
        return self.calibration_scores_[rank - 1]


def _rank(n, confidence):
    """Return which of n sorted scores to take; rounding must not make it one more."""
    return ceil((n + 1) * confidence * (1 - 4 * np.finfo(float).eps))


def _needed(confidence):
    """Return how many scores there must be for the largest to be enough."""
    n = max(1, ceil(confidence / (1 - confidence)) - 2)
    while _rank(n, confidence) > n:
        n += 1
    return n
