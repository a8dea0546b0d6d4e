"""Finite differences of data smoothed by local polynomials."""

from numbers import Integral
from typing import Any

import numpy as np
from scipy.signal import savgol_filter

from skdyn._validation import Interval
from skdyn.symbolic.differentiation._differentiator import (
    Differentiated,
    Differentiator,
    common_step,
)
from skdyn.symbolic.differentiation._finite_difference import FiniteDifference

__all__ = ["SmoothedFiniteDifference"]


class SmoothedFiniteDifference(Differentiator):
    """Finite differences after a Savitzky-Golay filter.

    Each point is replaced by the value of a polynomial fitted to the points around it [1]_. Near
    the ends the polynomial is that of the outermost window. Irregular grids are smoothed by the
    same fits at the true times.

    Parameters
    ----------
    window_length : int, default=11
        Number of points a polynomial is fitted to.
    polyorder : int, default=3
        Degree of the polynomials, below ``window_length``.
    order : int, default=2
        Order of the finite differences, see :class:`FiniteDifference`.

    See Also
    --------
    SplineDerivative : Finds out by itself how much to smooth.

    References
    ----------
    .. [1] A. Savitzky, M. J. E. Golay, "Smoothing and differentiation of data by simplified least
       squares procedures", Analytical Chemistry 36(8), 1964.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.differentiation import SmoothedFiniteDifference
    >>> t = np.linspace(0, 6, 200)
    >>> noise = 0.01 * np.random.default_rng(0).standard_normal(200)
    >>> X = (np.sin(t) + noise)[:, None]
    >>> smooth, derivative = SmoothedFiniteDifference(window_length=41).differentiate(X, t)
    >>> bool(abs(derivative[:, 0] - np.cos(t)).mean() < 0.05)
    True
    """

    _parameter_constraints = {
        "window_length": [Interval(Integral, 1, None, closed="left")],
        "polyorder": [Interval(Integral, 0, None, closed="left")],
        "order": FiniteDifference._parameter_constraints["order"],
    }

    def __init__(self, window_length: int = 11, polyorder: int = 3, *, order: int = 2) -> None:
        self.window_length = window_length
        self.polyorder = polyorder
        self.order = order

    def _fewest(self):
        return max(self.window_length, self.order + 1)

    def _differentiate(self, X, t):
        if self.polyorder >= self.window_length:
            raise ValueError(
                f"polyorder={self.polyorder} must be below window_length={self.window_length}. "
                "Widen the window or lower the degree."
            )
        # For even lengths SciPy evaluates half a step beside the point.
        if self.window_length % 2 and common_step(t) is not None:
            smooth: Any = savgol_filter(X, self.window_length, self.polyorder, axis=0)
        else:
            smooth = _fit_locally(X, t, self.window_length, self.polyorder)
        derivative = FiniteDifference(self.order)._differentiate(smooth, t).derivative
        return Differentiated(smooth, derivative)


def _fit_locally(X, t, width, degree):
    """Return at each time the value of the polynomial fitted to the window around it."""
    first = np.clip(np.arange(len(t)) - width // 2, 0, len(t) - width)
    rows = first[:, None] + np.arange(width)
    away = t[rows] - t[:, None]
    away /= np.abs(away).max(axis=1, keepdims=True)
    # The value at the point itself is the constant coefficient: weights = P (P'P)^-1 e_0, and by
    # QR, P = QR, weights = Q R^-T e_0.
    q, r = np.linalg.qr(away[..., None] ** np.arange(degree + 1))
    unit = np.eye(degree + 1)[:, :1]
    weights = q @ np.linalg.solve(
        r.transpose(0, 2, 1), np.broadcast_to(unit, (len(t), *unit.shape))
    )
    return np.einsum("tw,twf->tf", weights[..., 0], X[rows])
