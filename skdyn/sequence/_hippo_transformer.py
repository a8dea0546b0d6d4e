"""Coefficients of Legendre polynomials as features of series."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from numpy.polynomial.legendre import leggauss, legvander

from skdyn._validation import Interval, StrOptions
from skdyn.sequence._series_transformer import SeriesTransformer

__all__ = ["HiPPOTransformer"]

_MOST = 256  # coefficients: more have no digits left in what is between them


class HiPPOTransformer(SeriesTransformer):
    """Legendre coefficients of series: their shape in few numbers, whatever their times.

    The history of a channel is projected on Legendre polynomials, as the states of HiPPO are [1]_:

    .. math:: c_n = \\sqrt{2n+1} \\int_0^1 x(T - w + w u) \\, P_n(2u - 1) \\, du

    with T the last time. The first is the mean, the second the trend, and so on. With the whole
    history, w from the first time on, these are the states of HiPPO-LegS at T, with a window w of
    fixed length those that HiPPO-LegT comes near. Here they are not stepped through a differential
    equation but integrated, exactly for the path of straight lines through the points.

    Parameters
    ----------
    n_coefficients : int, default=8
        Number of coefficients of each channel.
    measure : {"legs", "legt"}, default="legs"
        What they describe: the whole series, brought to one length, or a window at its end.
    window : float or "auto", default="auto"
        Length of the window of "legt", in the unit of the times. "auto" is half of the longest
        series of the training data. Before its first point a series stands at its first value.
    time_channel : int or None, default=None
        Channel of ``X`` that holds the times, instead of ``t``.

    Attributes
    ----------
    window_ : float or None
        Length of the window; None for the whole series.
    n_channels_ : int
        Number of channels of the series.
    n_features_in_ : int
        Number of columns of a table, else of channels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, when all are strings.

    See Also
    --------
    SignatureTransformer : What happened in which order among the channels.
    LagTransformer : Values at equal steps of time.

    Notes
    -----
    With "legs" a series that runs at twice the speed has the same features.

    References
    ----------
    .. [1] A. Gu, T. Dao, S. Ermon, A. Rudra, C. Ré, "HiPPO: Recurrent Memory with Optimal
       Polynomial Projections", NeurIPS 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn import HiPPOTransformer
    >>> t = np.array([0.0, 0.1, 0.5, 2.0])
    >>> X = np.stack([1 + t, 3 - t])
    >>> HiPPOTransformer(3).fit_transform(X, t=t).round(3) + 0.0
    array([[ 2.   ,  0.577,  0.   ],
           [ 2.   , -0.577,  0.   ]])
    """

    window_: float | None

    _parameter_constraints = {
        "n_coefficients": [Interval(Integral, 1, _MOST, closed="both")],
        "measure": [StrOptions({"legs", "legt"})],
        "window": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "time_channel": [Integral, None],
    }

    def __init__(
        self,
        n_coefficients: int = 8,
        *,
        measure: str = "legs",
        window: float | str = "auto",
        time_channel: int | None = None,
    ) -> None:
        self.n_coefficients = n_coefficients
        self.measure = measure
        self.window = window
        self.time_channel = time_channel

    def _learn(self, paths):
        half = self._duration / 2 or 1.0
        length = half if isinstance(self.window, str) else float(self.window)
        self.window_ = length if self.measure == "legt" else None

    def _features(self, paths):
        values = paths.values.transpose(0, 2, 1)
        ago = paths.times[:, -1:] - paths.times
        if (ago == ago[:1]).all():  # one grid for all
            found = values @ self._weights(ago[:1])
        else:
            found = np.stack([
                x @ self._weights(row[None])[0] for x, row in zip(values, ago, strict=True)
            ])  # fmt: skip
        return found.reshape(len(values), -1)

    def _weights(self, ago):
        """Return what maps points (n, n_timepoints), some time ago, to their coefficients."""
        length = ago[:, :1] if self.window_ is None else self.window_
        place = 1 - ago / np.where(length > 0, length, 1.0)  # a single point has no history
        start, end = place[:, :-1], place[:, 1:]
        low, high = np.maximum(start, 0), np.maximum(end, 0)
        nodes, shares = leggauss(self.n_coefficients // 2 + 1)  # exact: degree n_coefficients
        middle = (low + high)[:, :, None] / 2 + (high - low)[:, :, None] / 2 * nodes
        moments = legvander(2 * middle - 1, self.n_coefficients - 1)
        moments *= ((high - low)[:, :, None] / 2 * shares)[..., None]
        width = np.where(end > start, end - start, 1.0)[:, :, None]
        later = (middle - start[:, :, None]) / width  # the share of a line's second point
        weights = np.zeros((*ago.shape, self.n_coefficients))
        weights[:, :-1] += ((1 - later)[..., None] * moments).sum(axis=2)
        weights[:, 1:] += (later[..., None] * moments).sum(axis=2)
        weights[:, 0] += _held(np.clip(place[:, 0], 0, 1), self.n_coefficients)
        return weights * np.sqrt(2 * np.arange(self.n_coefficients) + 1)

    def _names(self, channels):
        return [f"c{k}({channel})" for channel in channels for k in range(self.n_coefficients)]


def _held(until, n_coefficients):
    """Return the integrals of the polynomials from 0 on, shape (n, n_coefficients)."""
    nodes, shares = leggauss(n_coefficients // 2 + 1)
    at = until[:, None] * (nodes + 1) / 2
    values = legvander(2 * at - 1, n_coefficients - 1)
    return (values * (until[:, None] / 2 * shares)[..., None]).sum(axis=1)
