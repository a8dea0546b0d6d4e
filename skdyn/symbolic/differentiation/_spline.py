"""Derivatives of interpolating and smoothing splines."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy import sparse
from scipy.interpolate import BSpline, CubicSpline, make_interp_spline
from scipy.linalg.lapack import (
    dpbtrf,  # pyright: ignore[reportAttributeAccessIssue]: not among scipy's hints
    dpbtrs,  # pyright: ignore[reportAttributeAccessIssue]: the same
)

from skdyn._validation import Interval, StrOptions
from skdyn.symbolic.differentiation._differentiator import Differentiated, Differentiator

__all__ = ["SplineDerivative"]

_N_TRIED = 40  # penalties
_AT_ONCE = 2**20  # fitted values at a time
_BY = 0.05  # step of the logarithm of a penalty, for a derivative
_FEW_KNOTS = 50
_LEAST = {3: 1e-6, 5: 1e-8}  # penalty, in steps, that does less harm than interpolation
_DROWNING = 1e12  # penalized over other entries of the normal equations: the latter still count


class SplineDerivative(Differentiator):
    """Derivatives of a spline that smooths as much as the noise asks for.

    The spline minimizes, for ``degree=2 m - 1`` and a penalty :math:`\\lambda` for each feature,

    .. math:: \\sum_i (x_i - f(t_i))^2 + \\lambda \\int (f^{(m)})^2 dt.

    Parameters
    ----------
    smoothing : {"reml", "gcv"} or float, default="reml"
        How the penalty is chosen: by marginal likelihood [1]_ or by generalized cross-validation
        [2]_, which now and then takes noise for signal in short trajectories; a number is the
        penalty itself, and 0 interpolates.
    degree : {3, 5}, default=5
        Degree of the spline.

    See Also
    --------
    SpectralDerivative : For periods.
    SmoothedFiniteDifference : Cheap, and robust to some noise.

    Notes
    -----
    All penalties tried share one banded matrix, so that the cost grows with the number of points.
    The effective degrees of freedom, a trace, come from the derivative of the determinant.

    References
    ----------
    .. [1] S. N. Wood, "Fast stable restricted maximum likelihood and marginal likelihood estimation
       of semiparametric generalized linear models", Journal of the Royal Statistical Society B
       73(1), 2011.
    .. [2] P. Craven, G. Wahba, "Smoothing noisy data with spline functions", Numerische Mathematik
       31, 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.differentiation import SplineDerivative
    >>> t = np.sort(np.random.default_rng(0).uniform(0, 6, 200))
    >>> noise = 0.05 * np.random.default_rng(1).standard_normal(200)
    >>> X = (np.sin(t) + noise)[:, None]
    >>> smooth, derivative = SplineDerivative().differentiate(X, t)
    >>> bool(abs(derivative[:, 0] - np.cos(t)).mean() < 0.05)
    True
    """

    _parameter_constraints = {
        "smoothing": [StrOptions({"reml", "gcv"}), Interval(Real, 0, None, closed="left")],
        "degree": [Integral],
    }

    def __init__(self, smoothing: str | float = "reml", *, degree: int = 5) -> None:
        self.smoothing = smoothing
        self.degree = degree

    def _fewest(self):
        return self.degree + 1

    def _differentiate(self, X, t):
        if self.degree not in (3, 5):
            raise ValueError(f"degree must be 3 or 5, not {self.degree}.")
        if self.smoothing == 0:
            spline = make_interp_spline(t, X, k=self.degree)
            return Differentiated(X, spline(t, 1))
        unit = (t[-1] - t[0]) / (len(t) - 1)  # penalties in steps do not depend on units of time
        t = (t - t[0]) / unit
        if isinstance(self.smoothing, str):
            smooth, slope = _smooth(t, X, _apart(t), self.degree, self.smoothing)
        else:
            splines = _SmoothingSplines(t, X, t, self.degree)
            smooth, slope = splines.at(np.full(X.shape[1], self.smoothing / unit**self.degree))
        return Differentiated(smooth, slope / unit)


def _smooth(t, X, breaks, degree, criterion):
    """Return values and slopes of the best splines, with as few knots as they need."""
    splines = _SmoothingSplines(t, X, breaks, degree)
    penalties, stiff = splines.best_penalties(criterion)
    smooth, slope = splines.at(penalties)
    if stiff.any() and len(breaks) > _FEW_KNOTS:
        fewer = np.append(breaks[:-1:4], breaks[-1])
        smooth[:, stiff], slope[:, stiff] = _smooth(t, X[:, stiff], fewer, degree, criterion)
    return smooth, slope


def _apart(t):
    """Return the times, in mean steps, without those that almost repeat another.

    They would ask nothing more of a smooth curve, but the normal equations grow with the inverse
    cube of the closest gap.
    """
    end = t[-1]
    t = t[np.unique(t // 0.2, return_index=True)[1]]  # one a cell, of which two may still be close
    t = t[np.diff(t, prepend=-1.0) > 0.1]
    return np.append(t[t < end - 0.1], end)


def smoothing_spline(t, x, weights, degree=5, criterion="reml"):
    """Return the smoothing spline of one noisy series whose points differ in weight.

    Parameters
    ----------
    t : ndarray of shape (n_timepoints,)
        Times, strictly increasing, at least ``degree + 1``.
    x : ndarray of shape (n_timepoints,)
        Values.
    weights : ndarray of shape (n_timepoints,)
        Inverse variances of the values, up to a factor.
    degree : {3, 5}, default=5
        Degree.
    criterion : {"reml", "gcv"}, default="reml"
        How the penalty is chosen.

    Returns
    -------
    callable
        The spline as a function of times.
    """
    start, unit = t[0], (t[-1] - t[0]) / (len(t) - 1)
    t = (t - start) / unit
    breaks, root = _apart(t), np.sqrt(weights / weights.mean())[:, None]
    while True:
        splines = _SmoothingSplines(t, x[:, None], breaks, degree, root)
        penalties, stiff = splines.best_penalties(criterion)
        if not stiff[0] or len(breaks) <= _FEW_KNOTS:
            break
        breaks = np.append(breaks[:-1:4], breaks[-1])
    spline = BSpline(splines.knots, splines.solve(penalties[0])[0][:, 0], degree)
    return lambda at: spline((at - start) / unit)


class _SmoothingSplines:
    """Normal equations ``(gram + penalty * roughness) coefs = right``, banded."""

    def __init__(self, t, X, breaks, degree, root: Any = 1.0):
        self.t, self.X, self.breaks = t, root * X, breaks
        self.degree, self.order = degree, (degree + 1) // 2
        self.knots = np.r_[[t[0]] * degree, breaks, [t[-1]] * degree]
        self.design: Any = BSpline.design_matrix(t, self.knots, degree)
        self.design.data *= np.repeat(np.broadcast_to(np.ravel(root), len(t)), degree + 1)
        self.right = self.design.T @ self.X
        self.gram = self._gram(self.design)
        self.slopes = self._penalized_slopes()
        self.roughness = self._gram(self.slopes)

    def at(self, penalties):
        """Return values and slopes at the points, with one penalty a feature."""
        try:
            coefs = [self.solve(penalty)[0][:, i] for i, penalty in enumerate(penalties)]
        except np.linalg.LinAlgError:
            raise ValueError(
                "smoothing is too large for the closest points: rounding would leave nothing of "
                "the data. Pass a smaller penalty, merge close points or use smoothing='reml'."
            ) from None
        spline = BSpline(self.knots, np.stack(coefs, axis=1), self.degree)
        return spline(self.t), spline(self.t, 1)

    def best_penalties(self, criterion):
        """Return the best penalty of each feature, and where a larger one would be better still."""
        largest = _DROWNING / self.roughness.max()
        logs = np.linspace(np.log(_LEAST[self.degree]), np.log(largest), _N_TRIED)
        parts = np.array_split(np.exp(logs), 1 + self.X.size * _N_TRIED // _AT_ONCE)
        scores = CubicSpline(logs, np.concatenate([self._scores(p, criterion) for p in parts]))
        fine = np.linspace(logs[0], logs[-1], 20 * _N_TRIED)
        best = scores(fine).argmin(axis=0)
        return np.exp(fine[best]), best == len(fine) - 1

    def _scores(self, penalties, criterion):
        """Return the criterion, (n_penalties, n_features), for penalties on each feature."""
        n, n_coefs = self.design.shape
        solved = [self.solve(penalty) for penalty in penalties]
        coefs = np.stack([c for c, _ in solved], axis=1)  # (n_coefs, n_penalties, n_features)
        logdet = np.array([value for _, value in solved])[:, None]
        penalties = penalties[:, None]
        rss = ((self.X[:, None] - _times(self.design, coefs)) ** 2).sum(axis=0)
        rss += np.finfo(float).tiny
        if criterion == "gcv":
            # trace (G + p R)^-1 p R = d log det (G + p R) / d log p
            below, above = (
                np.array([self._factor(penalty * np.exp(by))[1] for penalty in penalties[:, 0]])
                for by in (-_BY, _BY)
            )
            residual_freedom = n - n_coefs + (above - below)[:, None] / (2 * _BY)
            return np.log(rss) - 2 * np.log(residual_freedom)
        rough = (_times(self.slopes, coefs) ** 2).sum(axis=0)
        free = self.order  # polynomials that the penalty does not see
        logdet_prior = (n_coefs - free) * np.log(penalties)
        return (n - free) * np.log(rss + penalties * rough) + logdet - logdet_prior

    def _factor(self, penalty):
        """Return the Cholesky factor of the normal equations and their log determinant."""
        # LAPACK itself: scipy's checks take longer than these small systems.
        factor, failed = dpbtrf(self.gram + penalty * self.roughness)
        if failed:
            raise np.linalg.LinAlgError("The penalty drowns the data.")
        return factor, 2 * np.log(factor[-1]).sum()

    def solve(self, penalty):
        """Return the coefficients and the log determinant."""
        factor, logdet = self._factor(penalty)
        return dpbtrs(factor, self.right)[0], logdet

    def _penalized_slopes(self):
        """Return the matrix of the penalized derivative at Gauss nodes, weighted by their roots."""
        nodes, weights = np.polynomial.legendre.leggauss(self.order)
        h = np.diff(self.breaks)[:, None]
        at = (self.breaks[:-1, None] + h * (nodes + 1) / 2).ravel()
        low = self.degree - self.order
        design = BSpline.design_matrix(at, self.knots[self.order : -self.order], low)
        values = design.data.reshape(len(at), -1) * np.sqrt(h * weights / 2).reshape(-1, 1)
        first = design.indices.reshape(len(at), -1)[:, :1]
        # A derivative's coefficients are differences of those of its integral.
        for degree in range(low + 1, self.degree + 1):
            knots = self.knots[self.degree - degree :]
            columns = first + np.arange(degree)
            differences = values * degree / (knots[columns + degree + 1] - knots[columns + 1])
            values = np.pad(differences, ((0, 0), (1, 0))) - np.pad(differences, ((0, 0), (0, 1)))
        columns = first + np.arange(self.degree + 1)
        rows = np.arange(len(at) + 1) * (self.degree + 1)
        shape = len(at), self.design.shape[1]
        return sparse.csr_array((values.ravel(), columns.ravel(), rows), shape=shape)

    def _gram(self, matrix):
        """Return the upper diagonals of ``matrix.T @ matrix`` as LAPACK stores them."""
        size, n = self.degree + 1, matrix.shape[1]
        values, columns = matrix.data.reshape(-1, size), matrix.indices.reshape(-1, size)
        bands = np.zeros((size, n))
        for k in range(size):
            products = values[:, : size - k] * values[:, k:]
            diagonal = np.bincount(columns[:, : size - k].ravel(), products.ravel(), n)
            bands[self.degree - k, k:] = diagonal[: n - k]
        return bands


def _times(matrix, coefs):
    """Multiply a sparse matrix by an array with more than one further axis."""
    return (matrix @ coefs.reshape(len(coefs), -1)).reshape(-1, *coefs.shape[1:])
