"""What transformers from series to tables share: reading, times, and names of what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags

from skdyn._scales import learn_column_scales
from skdyn._series import Paths, check_series, laid_paths
from skdyn._series_units import (
    doubt_unit,
    learn_unit,
    refuse_lost_times,
    refuse_other_lengths,
)
from skdyn._state import OPTIONAL, PlainState, Shape
from skdyn._validation import (
    check_feature_names_in,
    check_is_fitted,
    check_parameters,
    check_sizes,
    fit_context,
)

__all__ = ["SeriesTransformer"]

Cases = ArrayLike | Sequence[ArrayLike]


class SeriesTransformer(PlainState, TransformerMixin, BaseEstimator):
    """Base of the transformers that make a row of features of each series.

    A sibling says what it learns (``_learn``), what a block of paths becomes (``_features``), and
    the names of it (``_names``).
    """

    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    n_channels_: int
    _mean: Annotated[np.ndarray, Shape("n_channels_")]  # of the channels
    _scale: Annotated[np.ndarray, Shape("n_channels_")]
    _duration: float  # the longest
    _step: float  # the median
    _counts_times: bool

    _parameter_constraints: dict[str, list] = {}
    _reads_series = True
    _exponents = None, 250  # what is computed is computed from standardized channels

    def __init__(self, *, time_channel: int | None = None) -> None:
        self.time_channel = time_channel

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Cases, y: Any = None, *, t: Cases | None = None) -> Self:
        """Learn what the features need: units of channels and times.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
            Series, or a table of series of one channel; or a list of
            ``(n_channels, n_timepoints_i)`` for unequal lengths. NaN marks missing values.
        y : Ignored
            Not used, present for API consistency by convention.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Times, strictly increasing: one row for all cases or one row a case, or a list for
            unequal lengths. None counts 0, 1, 2, ...

        Returns
        -------
        self : object
            The fitted transformer.
        """
        self._fit(X, y, t)
        return self

    def transform(self, X: Cases, *, t: Cases | None = None) -> np.ndarray:
        """Make a row of features of each series.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
            Series, in any layout that ``fit`` takes.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Their times, in the unit of ``fit``.

        Returns
        -------
        ndarray of shape (n_cases, n_features_out)
            The features.
        """
        check_is_fitted(self)
        refuse_lost_times(self, t)
        series = check_series(self, X, t, time_channel=self.time_channel, reset=False)
        doubt_unit(self, series)
        return self._transformed(series)

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(  # pyright: ignore[reportIncompatibleMethodOverride]: times by name
        self, X: Cases, y: Any = None, *, t: Cases | None = None
    ) -> np.ndarray:
        """Learn what the features need, and make a row of features of each series.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
            Series, as in ``fit``.
        y : Ignored
            Not used, present for API consistency by convention.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Their times.

        Returns
        -------
        ndarray of shape (n_cases, n_features_out)
            The features.
        """
        return self._transformed(self._fit(X, y, t))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the features.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of what goes in, compared with those seen in ``fit``. Features are named by
            channels, x0, x1, ...

        Returns
        -------
        ndarray of str
            Names.
        """
        check_is_fitted(self)
        check_feature_names_in(self, input_features)
        numbers = np.arange(self.n_channels_ + (self.time_channel is not None))
        if self.time_channel is not None:
            numbers = np.delete(numbers, self.time_channel)
        return np.asarray(self._names([f"x{number}" for number in numbers]), dtype=object)

    def __sklearn_tags__(self) -> Tags:
        """Say that values may be missing, and that there may be three axes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        return tags

    @classmethod
    def _check_state(cls, state):
        """Refuse parameters of a fitted transformer that no fit would have taken."""
        if "n_channels_" in state:
            parameters = {name: state[name] for name in cls._parameter_constraints}
            check_parameters(cls.__name__, cls._parameter_constraints, parameters)

    # -- hooks -------------------------------------------------------------------------------

    def _learn(self, paths: Paths) -> None:
        """Learn from paths, in the units of the data."""

    def _features(self, paths: Paths) -> np.ndarray:
        """Return features (n_cases, n_features_out) of paths, in the units of the data."""
        raise NotImplementedError

    def _names(self, channels: list[str]) -> list[str]:
        """Return the names of the features."""
        raise NotImplementedError

    # -- how ---------------------------------------------------------------------------------

    def _fit(self, X, y, t):
        series = check_series(self, X, t, time_channel=self.time_channel, reset=True)
        refuse_other_lengths(y, len(series.values))
        self.n_channels_ = series.values.shape[2]
        scales = learn_column_scales(series.values.reshape(-1, self.n_channels_), None)
        self._mean, self._scale = scales.mean, scales.scale
        learn_unit(self, series, t)
        self._learn(laid_paths(series, self._mean))
        return series

    def _standardized(self, paths):
        """Return paths in units of deviations."""
        with np.errstate(over="ignore"):
            values = (paths.values - self._mean) / self._scale
        check_sizes(values.reshape(-1, self.n_channels_), "X, in deviations of the data of fit,")
        return paths._replace(values=values)

    def _transformed(self, series):
        with np.errstate(over="ignore", invalid="ignore"):
            features = self._features(laid_paths(series, self._mean))
        if not np.isfinite(features).all():
            case = np.flatnonzero(~np.isfinite(features).all(axis=1))[0]
            raise ValueError(
                f"The features of case {case} are beyond the range of numbers: the values of X, or "
                "its times, are too far from those of fit. Are they in the units of the fit?"
            )
        return features
