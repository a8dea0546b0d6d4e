r"""A linear model of one step as a differential equation, for a network to correct.

From :math:`x_{k+1} = A x_k + b`, fitted by least squares, follows :math:`\dot x = G (x - m)` with
:math:`e^{G h} = A` and :math:`m = A m + b`, whose solutions are the forecasts of the step.
"""

from typing import Any, NamedTuple

import numpy as np
from torch import nn

__all__ = ["Line", "LinedField", "fit_line"]

# Penalty on A by the number of steps: delays of a smooth record are nearly dependent.
_RIDGE = 1e-4
# Modes of a step grow by no more, as records that go on do not, and fall by no more: a mode that
# changes its sign at every step has no rate, and falls as fast as it does in size.
_SMALLEST, _LARGEST = 1e-2, 0.999
_CONDITION = 1e8  # of the modes, beyond which rounding decides


class Line(NamedTuple):
    """A linear field, of standardized states in dimensionless time.

    Attributes
    ----------
    slope : ndarray of shape (n_states, n_states)
        The velocity is the product of the states' distance from ``middle`` with its transpose.
    middle : ndarray of shape (n_states,)
        Where it is zero.
    """

    slope: np.ndarray
    middle: np.ndarray


class LinedField(nn.Module):
    """A network beside a line.

    Parameters
    ----------
    network : MLPField
        What corrects the line.
    slope : Tensor of shape (d, d)
        Of the line.
    middle : Tensor of shape (d,)
        Where the line's velocity is zero.
    """

    def __init__(self, network, slope, middle):
        super().__init__()
        self.network, self.slope, self.middle = network, slope, middle

    def forward(self, t, y):
        """Return the derivatives (n, d) of states."""
        return self.network(t, y) + (y - self.middle) @ self.slope.T


def fit_line(states, gap):
    """Fit a line to the steps of trajectories at even times.

    Parameters
    ----------
    states : list of ndarray of shape (n_points_i, n_states)
        Complete states of each case.
    gap : float
        Time of a step.

    Returns
    -------
    Line
    """
    before = np.concatenate([row[:-1] for row in states])
    step, level = _least_squares(before, np.concatenate([row[1:] for row in states]))
    factors, modes = _eigen(step)
    reversing = (np.abs(factors.imag) < 1e-9) & (factors.real < 0)
    factors = np.where(reversing, np.abs(factors), factors)
    size = np.abs(factors)
    factors = factors * np.clip(size, _SMALLEST, _LARGEST) / np.maximum(size, 1e-300)
    factors = np.where(size > 0, factors, _SMALLEST).astype(complex)
    rest = step - np.eye(len(step))
    return _line(np.log(factors) / gap, modes, rest / gap, level / gap)


def _eigen(matrix) -> Any:  # complex or real, as it comes
    return np.linalg.eig(matrix)


def _least_squares(X, Y):
    """Return the matrix and the constant of Y = X slope' + level."""
    mean, target = X.mean(axis=0), Y.mean(axis=0)
    gram = (X - mean).T @ (X - mean) + _RIDGE * len(X) * np.eye(X.shape[1])
    slope = np.linalg.solve(gram, (X - mean).T @ (Y - target)).T
    return slope, target - slope @ mean


def _line(rates, modes, slope, level):
    """Build the line of modes; of ``slope`` where they nearly depend on each other."""
    middle = -np.linalg.lstsq(slope, level, rcond=_RIDGE)[0]
    if np.linalg.cond(modes) < _CONDITION:
        slope = (modes * rates @ np.linalg.inv(modes)).real
    return Line(slope, middle)
