"""Dynamics tested by smooth windows, so that no derivative of data is taken."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.interpolate import BSpline, make_interp_spline

from skdyn._validation import Interval, StrOptions
from skdyn.symbolic.differentiation._differentiator import Differentiator
from skdyn.symbolic.differentiation._spline import SplineDerivative
from skdyn.symbolic.differentiation._time_scale import check_width, time_scale

__all__ = ["WeakForm"]

_FEWEST_STEPS = 4  # in half a window, on average
_OVERLAP = 4  # windows in half a window
_PIECES = 6  # of half a window, for quadrature
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)


class WeakForm(Differentiator):
    """Weak form of the dynamics: derivatives are moved from the data to test functions.

    With test functions :math:`\\psi_k(t) = (1 - s^2)^p`, :math:`s = (t - c_k) / r`, that vanish
    outside of windows, :math:`\\dot x = \\Theta(x) \\xi` becomes [1]_ [2]_

    .. math:: -\\int \\dot\\psi_k \\, x \\, dt = \\int \\psi_k \\Theta(x) \\, dt \\; \\xi.

    Both sides are divided by the integral of the test function: they are averages of the
    derivative. The integrals are those of the cubic spline through the data, on irregular times
    too. The error is of fourth order in the step and far smaller on regular grids.

    Parameters
    ----------
    n_test_functions : int or "auto", default="auto"
        Number of windows, evenly spaced; those with a gap longer than half of them are left out.
        "auto" is four for each half-width, at least 100, and at most one for each point.
    width : float or "auto", default="auto"
        Length of the windows, in the units of ``t``. "auto" is about the shortest period that
        stands out in the spectrum of the data [1]_, and covers eight steps or more.
    degree : int, default=8
        Power :math:`p` of the test functions.

    See Also
    --------
    IntegralForm : Windows without weights.

    Notes
    -----
    ``differentiate`` cannot use windows; it answers with :class:`SplineDerivative`.

    References
    ----------
    .. [1] D. A. Messenger, D. M. Bortz, "Weak SINDy: Galerkin-based data-driven model selection",
       Multiscale Modeling and Simulation 19(3), 2021.
    .. [2] P. A. K. Reinbold, D. R. Gurevich, R. O. Grigoriev, "Using noisy or incomplete data to
       discover models of spatiotemporal dynamics", Physical Review E 101, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import PolynomialFeatures
    >>> from skdyn.symbolic.differentiation import WeakForm
    >>> t = np.linspace(0, 4, 200)
    >>> X = np.exp(-t)[:, None] + 0.01 * np.random.default_rng(0).standard_normal((200, 1))
    >>> A, B = WeakForm().system(PolynomialFeatures(1, include_bias=False).fit(X), X, t)
    >>> np.linalg.lstsq(A, B, rcond=None)[0].round(1)
    array([[-1.]])
    """

    _parameter_constraints = {
        "n_test_functions": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "width": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "degree": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self, n_test_functions: int | str = "auto", *, width: float | str = "auto", degree: int = 8
    ) -> None:
        self.n_test_functions = n_test_functions
        self.width = width
        self.degree = degree

    def _fewest(self):
        return 2 * _FEWEST_STEPS + 1

    def _differentiate(self, X, t):
        return SplineDerivative()._differentiate(X, t)

    def _system(self, terms, X, t):
        half = self._half_width(X, t)
        centers = np.linspace(t[0] + half, t[-1] - half, self._n_windows(t, half))
        library = terms(X)
        # Test functions do not see a constant; without it, neither does rounding.
        spline = make_interp_spline(t, np.hstack([library, X - X.mean(axis=0)]))
        nodes, weights = _quadrature(t, centers, half)
        gaps = np.diff(t)[np.searchsorted(t, nodes) - 1]
        basis = BSpline.design_matrix(nodes, spline.t, spline.k)
        values, places = (z.reshape(len(nodes), -1) for z in (basis.data, basis.indices))
        A, B = [], []
        for center in centers:
            inside = slice(*np.searchsorted(nodes, [center - half, center + half]))
            if not 0 < gaps[inside].max(initial=0.0) <= half:
                continue
            s = (nodes[inside] - center) / half
            slope = (1 - s**2) ** (self.degree - 1) * weights[inside]
            psi = slope * (1 - s**2)
            first, last = places[inside][[0, -1], [0, -1]]
            coefs = spline.c[first : last + 1]
            averages = [
                np.bincount((places[inside] - first).ravel(), (values[inside] * w[:, None]).ravel())
                for w in (psi / psi.sum(), 2 * self.degree / half * s * slope / psi.sum())
            ]
            A.append(averages[0] @ coefs[:, : library.shape[1]])
            B.append(averages[1] @ coefs[:, library.shape[1] :])
        if not A:
            raise ValueError(
                f"Every window of {self} has a gap longer than half of it, {half:g}. Pass a larger "
                "width, or split the trajectory at its gaps."
            )
        return np.array(A), np.array(B)

    def _half_width(self, X, t) -> Any:
        width: Any = self.width
        if width == "auto":
            return time_scale(t, X, _FEWEST_STEPS)
        check_width(width, t, _FEWEST_STEPS)
        return width / 2

    def _n_windows(self, t, half) -> Any:
        if self.n_test_functions != "auto":
            return self.n_test_functions
        return min(len(t), max(100, int(_OVERLAP * (t[-1] - t[0]) / half)))


def _quadrature(t, centers, half):
    """Return Gauss nodes and weights between the kinks: data and ends of windows."""
    # Test functions of high degree turn within fractions of a window.
    pieces = np.arange(t[0], t[-1], half / _PIECES)
    edges = np.unique(np.concatenate([t, pieces, centers - half, centers + half]))
    edges = edges[(edges >= t[0]) & (edges <= t[-1])]
    steps = np.diff(edges)[:, None]
    nodes = edges[:-1, None] + steps * (_NODES + 1) / 2
    return nodes.ravel(), (steps * _WEIGHTS / 2).ravel()
