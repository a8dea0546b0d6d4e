"""Dynamics integrated over windows, so that no derivative of data is taken."""

from numbers import Real
from typing import Any

import numpy as np
from scipy.interpolate import make_interp_spline

from skdyn._validation import Interval, StrOptions
from skdyn.symbolic.differentiation._differentiator import Differentiator
from skdyn.symbolic.differentiation._spline import SplineDerivative
from skdyn.symbolic.differentiation._time_scale import check_width, time_scale

__all__ = ["IntegralForm"]

_FEWEST_STEPS = 2  # in a window, on average


class IntegralForm(Differentiator):
    """Integral form of the dynamics: increments of the data instead of derivatives.

    Over windows :math:`[t_i, t_j]`, one from each point, :math:`\\dot x = \\Theta(x) \\xi`
    becomes [1]_

    .. math:: \\frac{x(t_j) - x(t_i)}{t_j - t_i}
              = \\frac{1}{t_j - t_i} \\int_{t_i}^{t_j} \\Theta(x) \\, dt \\; \\xi.

    Without windows, the data are regressed on the integrals from the first time, with a free
    starting value for each state: the residuals are then the noise of the measurements. The terms
    on the right are those of smoothed states, the increments on the left those of the data.

    Parameters
    ----------
    width : float, "auto" or None, default="auto"
        Length of the windows, in the units of ``t``. "auto" is about half the shortest period that
        stands out in the spectrum of the data, and two steps or more; None has no windows.

    See Also
    --------
    WeakForm : Smooth windows, which weigh down both ends.

    Notes
    -----
    :class:`SplineDerivative` smooths the states and answers ``differentiate``. Integrals are those
    of the cubic spline through the terms.

    References
    ----------
    .. [1] H. Schaeffer, S. G. McCalla, "Sparse model selection via integral terms", Physical Review
       E 96, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import PolynomialFeatures
    >>> from skdyn.symbolic.differentiation import IntegralForm
    >>> t = np.linspace(0, 4, 50)
    >>> X = np.exp(-t)[:, None]
    >>> A, B = IntegralForm().system(PolynomialFeatures(1, include_bias=False).fit(X), X, t)
    >>> np.allclose(B, -A, atol=1e-5)
    True
    """

    _parameter_constraints = {
        "width": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"}), None]
    }

    def __init__(self, width: float | str | None = "auto") -> None:
        self.width = width

    def _fewest(self):
        return 4

    def _differentiate(self, X, t):
        return SplineDerivative()._differentiate(X, t)

    def _system(self, terms, X, t):
        smooth = self._differentiate(X, t).smooth
        integrals = make_interp_spline(t, terms(smooth)).antiderivative()(t)
        if self.width is None:
            return integrals - integrals.mean(axis=0), X - X.mean(axis=0)
        if self.width == "auto":
            width: Any = time_scale(t, X, _FEWEST_STEPS)
        else:
            check_width(self.width, t, 1)
            width = self.width
        end = np.searchsorted(t, t + width * (1 - 1e-9))  # rounding does not add a step
        start = np.flatnonzero(end < len(t))
        end = end[start]
        length = (t[end] - t[start])[:, None]
        return (integrals[end] - integrals[start]) / length, (X[end] - X[start]) / length
