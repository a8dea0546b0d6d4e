"""Derivatives of the polynomial through neighboring points."""

from numbers import Integral

import numpy as np

from skdyn._validation import Interval
from skdyn.symbolic.differentiation._differentiator import (
    Differentiated,
    Differentiator,
    common_step,
)

__all__ = ["FiniteDifference"]


class FiniteDifference(Differentiator):
    """Finite differences of any order on any grid.

    The derivative at a point is that of the polynomial through ``order + 1`` neighboring points
    [1]_: as many on each side, one more to the right where the order is odd, and the outermost
    points at the ends. The error shrinks like the step to the power ``order``.

    Parameters
    ----------
    order : int, default=2
        Order of accuracy, and degree of the polynomials that are differentiated exactly.
    drop_endpoints : bool, default=False
        Whether points with a one-sided stencil get no derivative: NaN, and no row in ``system``.
    periodic : bool, default=False
        Whether the trajectory closes one (first) step after its last point, so that no stencil is
        one-sided.

    See Also
    --------
    SmoothedFiniteDifference : The same after smoothing, for noisy data.

    References
    ----------
    .. [1] B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids",
       Mathematics of Computation 51(184), 1988.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.differentiation import FiniteDifference
    >>> t = np.array([0.0, 0.1, 0.3, 0.4, 0.7])
    >>> smooth, derivative = FiniteDifference(order=2).differentiate(t[:, None] ** 2, t)
    >>> np.allclose(derivative[:, 0], 2 * t)
    True
    """

    _parameter_constraints = {
        "order": [Interval(Integral, 1, None, closed="left")],
        "drop_endpoints": ["boolean"],
        "periodic": ["boolean"],
    }

    def __init__(
        self, order: int = 2, *, drop_endpoints: bool = False, periodic: bool = False
    ) -> None:
        self.order = order
        self.drop_endpoints = drop_endpoints
        self.periodic = periodic

    def _fewest(self):
        return self.order + 1

    def _differentiate(self, X, t):
        n, left = len(X), self.order // 2
        right = self.order - left
        if self.periodic:
            period = t[-1] - t[0] + t[1] - t[0]
            around = np.concatenate([X[n - left :], X, X[:right]])
            times = np.concatenate([t[n - left :] - period, t, t[:right] + period])
            return Differentiated(X, _interior(around, times, self.order, left))
        derivative = np.full_like(X, np.nan)
        derivative[left : n - right] = _interior(X, t, self.order, left)
        if not self.drop_endpoints:
            width = self.order + 1
            derivative[:left] = _at_nodes(t[:width], range(left)) @ X[:width]
            derivative[n - right :] = _at_nodes(t[-width:], range(left + 1, width)) @ X[-width:]
        return Differentiated(X, derivative)


def _interior(X, t, order, left):
    """Differentiate where there are ``left`` points before and ``order - left`` after."""
    m = len(X) - order
    step = common_step(t)
    if step is not None:
        weights = _at_nodes(step * np.arange(order + 1), [left])[0]
    else:
        weights = _at_nodes(np.stack([t[j : j + m] for j in range(order + 1)]), [left])[0][
            ..., None
        ]
    out = weights[0] * X[:m]
    for j in range(1, order + 1):
        out += weights[j] * X[j : j + m]
    return out


def _at_nodes(nodes, at):
    """Return weights of the derivative at some nodes of the interpolating polynomial.

    Parameters
    ----------
    nodes : ndarray of shape (n_nodes, ...)
        Times; further axes are further stencils.
    at : sequence of int
        Nodes to differentiate at.

    Returns
    -------
    ndarray of shape (len(at), n_nodes, ...)
        Weights of the values at the nodes.
    """
    gaps = nodes[:, None] - nodes[None]
    itself = np.arange(len(nodes))
    gaps[itself, itself] = 1.0
    # Barycentric form: w_j = 1 / prod (t_j - t_k), and D_ij = (w_j / w_i) / (t_i - t_j).
    barycentric = 1.0 / gaps.prod(axis=1)
    at = list(at)
    weights = barycentric[None] / barycentric[at, None] / gaps[at]
    row = np.arange(len(at))
    weights[row, at] = 0.0
    weights[row, at] = -weights.sum(axis=1)
    return weights
