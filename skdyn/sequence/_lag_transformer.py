"""Values at equal steps of time as features of series."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Annotated

import numpy as np

from skdyn._series import values_at
from skdyn._state import Shape
from skdyn._validation import Interval, StrOptions
from skdyn.sequence._series_transformer import SeriesTransformer

__all__ = ["LagTransformer"]


class LagTransformer(SeriesTransformer):
    """Values of series at equal steps of time, counted back from their end.

    The features of a channel are :math:`x(T), x(T - h), x(T - 2h), \\dots` with T the last time
    of a series and h a step, read off the straight lines between its points. This makes rows of one
    length of series that are irregular, incomplete and unequal, for whatever reads tables.

    Parameters
    ----------
    n_lags : int, default=10
        Number of values of each channel, the last one included.
    step : float or "auto", default="auto"
        Time between them. "auto" spreads them over the longest series of the training data. Before
        its first point a series stands at its first value.
    time_channel : int or None, default=None
        Channel of ``X`` that holds the times, instead of ``t``.

    Attributes
    ----------
    lags_ : ndarray of shape (n_lags,)
        How long before the end the values are read.
    n_channels_ : int
        Number of channels of the series.
    n_features_in_ : int
        Number of columns of a table, else of channels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, when all are strings.

    See Also
    --------
    HiPPOTransformer : Fewer numbers that tell more of a smooth series.

    Examples
    --------
    >>> from skdyn import LagTransformer
    >>> X = [[[0.0, 2.0, 8.0]], [[5.0, 6.0]]]
    >>> t = [[0.0, 1.0, 4.0], [0.0, 2.0]]
    >>> LagTransformer(3, step=1.5).fit_transform(X, t=t)
    array([[8.  , 5.  , 2.  ],
           [6.  , 5.25, 5.  ]])
    """

    _n_lags: int
    lags_: Annotated[np.ndarray, Shape("_n_lags")]

    _parameter_constraints = {
        "n_lags": [Interval(Integral, 1, None, closed="left")],
        "step": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "time_channel": [Integral, None],
    }

    def __init__(
        self,
        n_lags: int = 10,
        *,
        step: float | str = "auto",
        time_channel: int | None = None,
    ) -> None:
        self.n_lags = n_lags
        self.step = step
        self.time_channel = time_channel

    def _learn(self, paths):
        whole = self._duration / max(self.n_lags - 1, 1)
        step = whole if isinstance(self.step, str) else float(self.step)
        self._n_lags = int(self.n_lags)
        self.lags_ = step * np.arange(self.n_lags)

    def _features(self, paths):
        when = paths.times[:, -1:] - self.lags_
        return values_at(paths, when).transpose(0, 2, 1).reshape(len(when), -1)

    def _names(self, channels):
        return [f"{channel}_lag{lag}" for channel in channels for lag in range(len(self.lags_))]
