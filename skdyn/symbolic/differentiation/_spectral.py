"""Derivatives of trigonometric series."""

from numbers import Real
from typing import Any

import numpy as np
from scipy.fft import dct, dst, irfft, rfft

from skdyn._validation import Interval
from skdyn.symbolic.differentiation._differentiator import (
    Differentiated,
    Differentiator,
    common_step,
)
from skdyn.symbolic.differentiation._finite_difference import FiniteDifference

__all__ = ["SpectralDerivative"]

_END_ORDER = 6  # of the differences that give the slopes at the ends


class SpectralDerivative(Differentiator):
    """Derivatives of a Fourier or cosine series, on regular grids.

    A periodic trajectory is a Fourier series, differentiated term by term: the error falls faster
    than any power of the step [1]_. Otherwise a cubic polynomial that takes over the values and
    slopes at the ends is subtracted, and the rest is a cosine series; its even continuation jumps
    in the third derivative, so that the error at the ends falls like the square of the step.

    Parameters
    ----------
    periodic : bool, default=False
        Whether the trajectory closes one step after its last point.
    cutoff : float, default=1.0
        Share of the frequencies, lowest first, that is kept; below 1 it removes noise.

    See Also
    --------
    SplineDerivative : Where the data are no period.
    SmoothedFiniteDifference : Cheap, and robust to some noise.

    References
    ----------
    .. [1] L. N. Trefethen, "Spectral Methods in MATLAB", SIAM, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.differentiation import SpectralDerivative
    >>> t = np.arange(20) * 2 * np.pi / 20
    >>> smooth, derivative = SpectralDerivative(periodic=True).differentiate(np.sin(t)[:, None], t)
    >>> np.allclose(derivative[:, 0], np.cos(t))
    True
    """

    _parameter_constraints = {
        "periodic": ["boolean"],
        "cutoff": [Interval(Real, 0, 1, closed="right")],
    }

    def __init__(self, *, periodic: bool = False, cutoff: float = 1.0) -> None:
        self.periodic = periodic
        self.cutoff = cutoff

    def _fewest(self):
        return 2 if self.periodic else _END_ORDER + 1

    def _differentiate(self, X, t):
        step = common_step(t)
        if step is None:
            raise ValueError(
                f"{self} needs times with a common step, but those of t range from "
                f"{np.diff(t).min():g} to {np.diff(t).max():g}. Use FiniteDifference, "
                "SplineDerivative or WeakForm, which take irregular times."
            )
        series = self._fourier if self.periodic else self._cosine
        return series(X, t, step)

    def _fourier(self, X, t, step):
        n = len(X)
        terms = self._cut(rfft(X, axis=0))
        frequency = 2j * np.pi * np.arange(len(terms))[:, None] / (n * step)
        slopes = frequency * terms
        if n % 2 == 0:
            slopes[-1] = 0.0  # the highest cosine has its extrema, hence no slope, at the points
        smooth: Any = irfft(terms, n, axis=0)
        derivative: Any = irfft(slopes, n, axis=0)
        return Differentiated(smooth, derivative)

    def _cosine(self, X, t, step):
        n = len(X)
        span = t[-1] - t[0]
        ends = FiniteDifference(_END_ORDER)._differentiate(X, t).derivative[[0, -1]] * span
        s = ((t - t[0]) / span)[:, None]
        # Hermite's cubic a + b s + c s^2 + d s^3 through the ends.
        a, b, rise = X[0], ends[0], X[-1] - X[0]
        c, d = 3 * rise - 2 * ends[0] - ends[1], ends[0] + ends[1] - 2 * rise
        trend = a + s * (b + s * (c + s * d))
        slope = (b + s * (2 * c + s * 3 * d)) / span
        terms = self._cut(dct(X - trend, 1, axis=0))
        waves: Any = dct(terms, 1, axis=0)
        slopes: Any = dst((np.pi / span * np.arange(n)[:, None] * terms)[1:-1], 1, axis=0)
        slope[1:-1] -= slopes / (2 * (n - 1))
        return Differentiated(trend + waves / (2 * (n - 1)), slope)

    def _cut(self, terms):
        terms[max(1, int(np.ceil(self.cutoff * len(terms)))) :] = 0.0
        return terms
