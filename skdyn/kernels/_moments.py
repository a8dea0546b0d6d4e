"""Means of an activation over two Gaussian variables, in closed form, with their derivatives.

Two nodes of a wide layer that see two rows are Gaussian variables u and v with mean zero. What is
asked is :math:`E[\\phi(u)\\phi(v)]` and :math:`E[\\phi'(u)\\phi'(v)]`. All is written in the
variances of u and v and in the gap :math:`E[(u - v)^2]` in place of the covariance: equal rows then
have a gap of exactly zero, and the angle between rows that are nearly equal keeps its digits.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["ACTIVATIONS", "Activation"]


class Activation(NamedTuple):
    """An activation, by what the kernels need of it: functions of both variances and the gap.

    Attributes
    ----------
    means : callable
        Returns :math:`E[\\phi(u)\\phi(v)]` and :math:`E[\\phi'(u)\\phi'(v)]`.
    mean_slopes : callable
        Returns the derivatives of the first mean by either variance. That by the gap is minus half
        the second mean, for every activation.
    prime_slopes : callable
        Returns the derivatives of the second mean by either variance and by the gap.
    """

    means: Callable[..., tuple[np.ndarray, np.ndarray]]
    mean_slopes: Callable[..., tuple[np.ndarray, np.ndarray]]
    prime_slopes: Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]


# -- relu: Cho and Saul, 2009 ------------------------------------------------------------------


def _inverse(values):
    """Return 1 / values, and zero at zero: a node that is always zero contributes nothing."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)


def _angle(u, v, gap):
    """Return the angle between u and v, and the product of their standard deviations.

    By its half's sine, for the arc cosine loses half of the digits of small angles.
    """
    size = np.sqrt(u * v)
    square = (gap - np.square(np.sqrt(u) - np.sqrt(v))) * _inverse(4 * size)
    return 2 * np.arcsin(np.sqrt(np.clip(square, 0.0, 1.0))), size


def _relu_means(u, v, gap):
    t, size = _angle(u, v, gap)
    rest = np.pi - t
    return size * (np.sin(t) + rest * np.cos(t)) / (2 * np.pi), rest / (2 * np.pi)


def _relu_mean_slopes(u, v, gap):
    t, size = _angle(u, v, gap)
    turned, half = size * np.sin(t) / (4 * np.pi), (np.pi - t) / (4 * np.pi)
    return turned * _inverse(u) + half, turned * _inverse(v) + half


def _relu_prime_slopes(u, v, gap):
    # At an angle of zero the slope is infinite, but what moves equal rows moves them alike and
    # leaves the angle zero: zero is the limit of rows that come together.
    t, size = _angle(u, v, gap)
    steep = _inverse(4 * np.pi * size * np.sin(t))
    by_u, by_v = (gap + u - v) * _inverse(2 * u), (gap + v - u) * _inverse(2 * v)
    return steep * by_u, steep * by_v, -steep


# -- erf: Williams, 1997 -----------------------------------------------------------------------


def _erf_parts(u, v, gap):
    """Return p = 1 + 2u, q = 1 + 2v, c, twice the covariance, and pq - c^2."""
    total = u + v
    rest = 1 + 2 * total + (2 * total - gap) * gap - np.square(u - v)
    return 1 + 2 * u, 1 + 2 * v, total - gap, np.maximum(rest, 1 + 2 * total)  # for 4uv >= c^2


def _erf_means(u, v, gap):
    p, q, c, rest = _erf_parts(u, v, gap)
    sine = np.clip(c / np.sqrt(p * q), -1.0, 1.0)
    return 2 / np.pi * np.arcsin(sine), 4 / np.pi / np.sqrt(rest)


def _erf_mean_slopes(u, v, gap):
    p, q, c, rest = _erf_parts(u, v, gap)
    once = 2 / np.pi / np.sqrt(rest)
    return once * (1 - c / p), once * (1 - c / q)


def _erf_prime_slopes(u, v, gap):
    p, q, c, rest = _erf_parts(u, v, gap)
    cubed = 4 / np.pi / (rest * np.sqrt(rest))
    return cubed * (c - q), cubed * (c - p), -cubed * c


# -- sin: from the characteristic function of u + v and u - v -----------------------------------


def _sin_parts(u, v, gap):
    """Return E[cos(u - v)] and E[cos(u + v)]."""
    return np.exp(-gap / 2), np.exp(np.minimum(gap / 2 - (u + v), 0.0))


def _sin_means(u, v, gap):
    minus, plus = _sin_parts(u, v, gap)
    return (minus - plus) / 2, (minus + plus) / 2


def _sin_mean_slopes(u, v, gap):
    _, plus = _sin_parts(u, v, gap)
    return plus / 2, plus / 2


def _sin_prime_slopes(u, v, gap):
    minus, plus = _sin_parts(u, v, gap)
    return -plus / 2, -plus / 2, (plus - minus) / 4


ACTIVATIONS = {
    "erf": Activation(_erf_means, _erf_mean_slopes, _erf_prime_slopes),
    "relu": Activation(_relu_means, _relu_mean_slopes, _relu_prime_slopes),
    "sin": Activation(_sin_means, _sin_mean_slopes, _sin_prime_slopes),
}
