"""Classifiers and regressors of labeled series, over those of tables: a series is a row.

A subclass writes ``__init__``, the static ``_build_module``, ``_config(n_channels, n_outputs)``,
the arguments of the former, and ``_network_inputs(series)``, the arrays that its network reads of
series in deviations of the training data, NaN where nothing was seen. The network takes a generator
behind them, None where nothing is to be left out by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import accuracy_score
from sklearn.utils import Tags

from skdyn import _series_rows
from skdyn._scoring import r2
from skdyn._series_rows import TimedSeries
from skdyn._state import Shape
from skdyn._tabular import TabularClassifier, TabularRegressor
from skdyn._validation import fit_context

__all__ = ["SeriesClassifier", "SeriesRegressor"]

Cases = ArrayLike | Sequence[ArrayLike]


def _validation_series(X_val, y_val, t_val):
    """Return the series to watch with their times; None where there are none."""
    if X_val is None and t_val is not None:
        raise ValueError("t_val was passed to fit without X_val and y_val; pass all or none.")
    return None if X_val is None else TimedSeries(X_val, t_val)


def _seeing(tags):
    """Say that values may be missing, and that there may be three axes."""
    tags.input_tags.allow_nan = True
    tags.input_tags.three_d_array = True
    return tags


class SeriesClassifier(TabularClassifier):
    """Base of classifiers of series: cross-entropy of one score a class."""

    n_channels_: int
    _x_offset: Annotated[np.ndarray, Shape("n_channels_")]
    _x_scale: Annotated[np.ndarray, Shape("n_channels_")]
    _duration: float  # the longest
    _step: float  # the median
    _counts_times: bool
    _even_times: bool
    _has_gaps: bool
    if TYPE_CHECKING:  # of the families
        _network_inputs: Any

    _reads_series = True

    @fit_context(prefer_skip_nested_validation=True)
    def fit(  # pyright: ignore[reportIncompatibleMethodOverride]: times by name
        self,
        X: Cases,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        t: Cases | None = None,
        X_val: Cases | None = None,
        y_val: ArrayLike | None = None,
        t_val: Cases | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
            Series, or a table of series of one channel; or a list of
            ``(n_channels, n_timepoints_i)`` for unequal lengths. NaN marks missing values.
        y : array-like of shape (n_cases,)
            Class labels, of any type.
        sample_weight : array-like of shape (n_cases,), default=None
            Weight of each series in the loss.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Times, strictly increasing: one row for all cases or one row per case, or a list for
            unequal lengths. None counts 0, 1, 2, ...
        X_val : array-like, default=None
            Series to watch for early stopping, instead of a fraction of the training set.
        y_val : array-like of shape (n_val,), default=None
            Labels of ``X_val``.
        t_val : array-like, default=None
            Times of ``X_val``.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        watched: Any = _validation_series(X_val, y_val, t_val)
        return self._fit(TimedSeries(X, t), y, sample_weight, watched, y_val)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(  # pyright: ignore[reportIncompatibleMethodOverride]: times by name
        self,
        X: Cases,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        t: Cases | None = None,
    ) -> Self:
        """Learn from one more batch of data: one epoch, with the optimizer's state kept.

        It keeps to ``learning_rate``: a schedule would need to know the last epoch.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
            Series, as in ``fit``; the first call's also set their scales.
        y : array-like of shape (n_cases,)
            Class labels.
        classes : array-like of shape (n_classes,), default=None
            Every label that will ever come; needed in the first call if its ``y`` lacks some.
        sample_weight : array-like of shape (n_cases,), default=None
            Weight of each series in the loss.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Their times, as in ``fit``.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        timed = TimedSeries(X, t)
        return self._fit(timed, y, sample_weight, incremental=True, classes=classes)

    def predict_proba(self, X: Cases, *, t: Cases | None = None) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
            Series, in any layout that ``fit`` takes.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Their times, in the unit of ``fit``.

        Returns
        -------
        ndarray of shape (n_cases, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        timed: Any = TimedSeries(X, t)
        return super().predict_proba(timed)

    def predict(self, X: Cases, *, t: Cases | None = None) -> np.ndarray:
        """Predict class labels.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
            Series, in any layout that ``fit`` takes.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Their times, in the unit of ``fit``.

        Returns
        -------
        ndarray of shape (n_cases,)
            Labels.
        """
        timed: Any = TimedSeries(X, t)
        return super().predict(timed)

    def score(  # pyright: ignore[reportIncompatibleMethodOverride]: times by name
        self,
        X: Cases,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        t: Cases | None = None,
    ) -> float:
        """Return the accuracy of the predictions.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
            Series, in any layout that ``fit`` takes.
        y : array-like of shape (n_cases,)
            True labels.
        sample_weight : array-like of shape (n_cases,), default=None
            Weight of each series.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Their times, in the unit of ``fit``.

        Returns
        -------
        float
            Share of right labels.
        """
        return float(accuracy_score(y, self.predict(X, t=t), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Tags:
        """Say that values may be missing, and that there may be three axes."""
        return _seeing(super().__sklearn_tags__())

    # -- hooks of the base -------------------------------------------------------------------

    _told = staticmethod(_series_rows.told)

    def _encode(self, X, y, weight) -> Any:
        return _series_rows.encode(self, X, y, weight)

    def _outputs(self, X):
        return _series_rows.answers(self, X)

    def _objective(self, generator) -> Any:
        return _series_rows.objective_of(self, generator)

    def _validate(self, X, y, reset) -> Any:
        return _series_rows.validate(self, X, y, reset)

    def _held(self, X, y, weight, which="") -> Any:
        return _series_rows.hold_inputs(X, weight, which), y

    def _learn_scales(self, X, y, weight, classes):
        _series_rows.learn_scales(self, X, weight)
        self._learn_targets(y, weight, classes)


class SeriesRegressor(TabularRegressor):
    """Base of regressors of series: squared error on standardized targets."""

    n_channels_: int
    _x_offset: Annotated[np.ndarray, Shape("n_channels_")]
    _x_scale: Annotated[np.ndarray, Shape("n_channels_")]
    _duration: float  # the longest
    _step: float  # the median
    _counts_times: bool
    _even_times: bool
    _has_gaps: bool
    if TYPE_CHECKING:  # of the families
        _network_inputs: Any

    _reads_series = True

    @fit_context(prefer_skip_nested_validation=True)
    def fit(  # pyright: ignore[reportIncompatibleMethodOverride]: times by name
        self,
        X: Cases,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        t: Cases | None = None,
        X_val: Cases | None = None,
        y_val: ArrayLike | None = None,
        t_val: Cases | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
            Series, or a table of series of one channel; or a list of
            ``(n_channels, n_timepoints_i)`` for unequal lengths. NaN marks missing values.
        y : array-like of shape (n_cases,) or (n_cases, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_cases,), default=None
            Weight of each series in the loss.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Times, strictly increasing: one row for all cases or one row per case, or a list for
            unequal lengths. None counts 0, 1, 2, ...
        X_val : array-like, default=None
            Series to watch for early stopping, instead of a fraction of the training set.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Targets of ``X_val``.
        t_val : array-like, default=None
            Times of ``X_val``.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        watched: Any = _validation_series(X_val, y_val, t_val)
        return self._fit(TimedSeries(X, t), y, sample_weight, watched, y_val)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(  # pyright: ignore[reportIncompatibleMethodOverride]: times by name
        self,
        X: Cases,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        t: Cases | None = None,
    ) -> Self:
        """Learn from one more batch of data: one epoch, with the optimizer's state kept.

        It keeps to ``learning_rate``: a schedule would need to know the last epoch.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
            Series, as in ``fit``; the first call's also set the scales of inputs and targets.
        y : array-like of shape (n_cases,) or (n_cases, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_cases,), default=None
            Weight of each series in the loss.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Their times, as in ``fit``.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(TimedSeries(X, t), y, sample_weight, incremental=True)

    def predict(self, X: Cases, *, t: Cases | None = None) -> np.ndarray:
        """Predict targets.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
            Series, in any layout that ``fit`` takes.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Their times, in the unit of ``fit``.

        Returns
        -------
        ndarray of shape (n_cases,) or (n_cases, n_outputs)
            Predictions, float64.
        """
        timed: Any = TimedSeries(X, t)
        return super().predict(timed)

    def score(  # pyright: ignore[reportIncompatibleMethodOverride]: times by name
        self,
        X: Cases,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        t: Cases | None = None,
    ) -> float:
        """Return the coefficient of determination of the predictions.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
            Series, in any layout that ``fit`` takes.
        y : array-like of shape (n_cases,) or (n_cases, n_outputs)
            True targets.
        sample_weight : array-like of shape (n_cases,), default=None
            Weight of each series.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Their times, in the unit of ``fit``.

        Returns
        -------
        float
            :math:`R^2`, the mean over the outputs.
        """
        return r2(y, self.predict(X, t=t), sample_weight)

    def __sklearn_tags__(self) -> Tags:
        """Say that values may be missing, and that there may be three axes."""
        return _seeing(super().__sklearn_tags__())

    # -- hooks of the base -------------------------------------------------------------------

    _told = staticmethod(_series_rows.told)

    def _encode(self, X, y, weight) -> Any:
        return _series_rows.encode(self, X, y, weight)

    def _outputs(self, X):
        return _series_rows.answers(self, X)

    def _objective(self, generator) -> Any:
        return _series_rows.objective_of(self, generator)

    def _validate(self, X, y, reset) -> Any:
        return _series_rows.validate(self, X, y, reset)

    def _held(self, X, y, weight, which="") -> Any:
        X, y = super()._held(X, y, weight, which)  # of three axes: only targets
        return _series_rows.hold_inputs(X, weight, which), y

    def _learn_scales(self, X, y, weight, classes):
        _series_rows.learn_scales(self, X, weight)
        self._learn_targets(y, weight, classes)
