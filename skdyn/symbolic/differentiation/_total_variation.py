"""Derivatives that may jump but not waver."""

from numbers import Integral, Real

import numpy as np
from scipy.linalg import solve_banded
from sklearn.exceptions import ConvergenceWarning

from skdyn._validation import Interval, StrOptions
from skdyn.exceptions import warn_user
from skdyn.symbolic.differentiation._differentiator import Differentiated, Differentiator

__all__ = ["TotalVariation"]

_WINDOW = 5  # points whose divided difference measures the noise
_CORNER = 1e-3  # where |c| becomes sqrt(c^2 + e^2), in changes of slope that a smooth curve makes


class TotalVariation(Differentiator):
    """Derivatives of least total variation that integrate to the data.

    A piecewise constant derivative :math:`v` on the intervals between the times, with integral
    :math:`x` through a free starting value, minimizes [1]_

    .. math:: \\frac{1}{2 n} \\sum_i \\left(\\frac{x_i - x^{data}_i}{s}\\right)^2
              + \\alpha \\frac{T}{s} \\sum_i |v_{i+1} - v_i|

    where :math:`s` is the standard deviation of the feature and :math:`T` the length of the
    trajectory, so that :math:`\\alpha` has no units. It is found by lagged diffusivity [2]_: each
    step solves one banded system. The derivative at a point is that of the parabola through its
    neighbors.

    Parameters
    ----------
    smoothing : "auto" or float, default="auto"
        Weight of the total variation, :math:`\\alpha` above. "auto" lets the data be missed by as
        much as their noise, which is read from the differences of neighboring points.
    max_iter : int, default=1000
        Number of iterations at most.
    tol : float, default=1e-05
        Change of the integral, in standard deviations of the feature, that ends them.

    See Also
    --------
    SplineDerivative : For derivatives that do not jump.

    References
    ----------
    .. [1] R. Chartrand, "Numerical differentiation of noisy, nonsmooth data", ISRN Applied
       Mathematics, 2011.
    .. [2] C. R. Vogel, M. E. Oman, "Iterative methods for total variation denoising", SIAM Journal
       on Scientific Computing 17(1), 1996.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.differentiation import TotalVariation
    >>> t = np.linspace(-1, 1, 101)
    >>> noise = 0.02 * np.random.default_rng(0).standard_normal(101)
    >>> smooth, derivative = TotalVariation().differentiate((abs(t) + noise)[:, None], t)
    >>> bool(np.median(abs(derivative[:, 0] - np.sign(t))) < 0.1)
    True
    """

    _old_names = {"alpha": "smoothing"}
    _parameter_constraints = {
        "smoothing": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self, smoothing: str | float = "auto", *, max_iter: int = 1000, tol: float = 1e-5
    ) -> None:
        self.smoothing = smoothing
        self.max_iter = max_iter
        self.tol = tol

    def _fewest(self):
        return _WINDOW if self.smoothing == "auto" else 3

    def _differentiate(self, X, t):
        n = len(t)
        steps = (t - t[0]) * (n - 1) / (t[-1] - t[0])
        noise = _noise(steps, X) if self.smoothing == "auto" else np.full(X.shape[1], np.nan)
        curves = [self._smooth(x, steps, sd) for x, sd in zip(X.T, noise)]
        smooth = np.stack(curves, axis=1)
        return Differentiated(smooth, np.gradient(smooth, t, axis=0))

    def _smooth(self, x, steps, noise):
        """Return the minimiser; where its weight is "auto", it misses the data by the noise."""
        n, scale = len(x), x.std()
        auto = self.smoothing == "auto"
        weight = noise if auto else self.smoothing * n * (n - 1) * scale
        if weight <= 4 * np.finfo(float).eps * np.abs(x).max():
            return x  # nothing but rounding
        change = _SlopeChange(steps)
        corner = _CORNER * scale / n**2
        curve, curvature, moved = x, change.of(x), np.inf
        for _ in range(self.max_iter):
            previous = curve
            tension = change.solve(np.hypot(curvature, corner) / weight, change.of(x))
            curve = x - change.transposed(tension)
            curvature = change.of(curve)
            moved = np.abs(curve - previous).max()
            if auto:
                missed = np.sqrt(np.mean((curve - x) ** 2))
                weight *= np.clip(noise / max(missed, 0.1 * noise), 0.1, 10.0)
            if moved <= self.tol * scale:
                return curve
        warn_user(
            f"{self} stopped after {self.max_iter} iterations, the last of which still moved the "
            f"curve by {moved / scale:.1g} standard deviations. Increase max_iter or tol.",
            ConvergenceWarning,
        )
        return curve


class _SlopeChange:
    """The operator from a curve to the changes of its slope, three entries a row."""

    def __init__(self, t):
        h = np.diff(t)
        self.rows = np.stack([1 / h[:-1], -1 / h[:-1] - 1 / h[1:], 1 / h[1:]])
        a, b, c = self.rows
        self.gram = np.zeros((5, len(a)))  # diagonals of the operator times its transpose
        self.gram[0, 2:] = self.gram[4, :-2] = c[:-2] * a[2:]
        self.gram[1, 1:] = self.gram[3, :-1] = b[:-1] * a[1:] + c[:-1] * b[1:]
        self.gram[2] = a**2 + b**2 + c**2

    def of(self, x):
        a, b, c = self.rows
        return a * x[:-2] + b * x[1:-1] + c * x[2:]

    def transposed(self, y):
        a, b, c = self.rows
        x = np.zeros(len(y) + 2)
        x[:-2] += a * y
        x[1:-1] += b * y
        x[2:] += c * y
        return x

    def solve(self, diagonal, right):
        bands = self.gram.copy()
        bands[2] += diagonal
        # Pivoting instead of Cholesky: rounding costs definiteness where points all but coincide.
        return solve_banded((2, 2), bands, right)


def _noise(t, X):
    """Return the noise of each feature: what neighboring points leave of a cubic polynomial."""
    nodes = np.stack([t[j : len(t) - _WINDOW + 1 + j] for j in range(_WINDOW)])
    gaps = nodes[:, None] - nodes[None] + np.eye(_WINDOW)[..., None]
    weights = 1 / gaps.prod(axis=1)  # of a divided difference
    weights /= np.linalg.norm(weights, axis=0)
    left = sum(w[:, None] * X[j : j + len(w)] for j, w in enumerate(weights))
    return np.median(np.abs(left), axis=0) / 0.6745  # of a normal distribution
