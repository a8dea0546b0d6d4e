r"""Exponential time differencing with a Runge-Kutta method of order four.

Equations :math:`v_t = L v + N(v)` with a diagonal linear part, however stiff, are stepped by the
method of Cox and Matthews [1]_; the coefficients, which cancel near ``L = 0``, are means over a
circle in the complex plane [2]_. Spectra of real fields, all samples at once, are the use made of
it here.

References
----------
.. [1] Steven Cox, Paul Matthews, "Exponential Time Differencing for Stiff Systems", Journal of
   Computational Physics 176, 2002.
.. [2] Aly-Khan Kassam, Lloyd Trefethen, "Fourth-Order Time-Stepping for Stiff PDEs", SIAM Journal
   on Scientific Computing 26, 2005.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from skdyn.exceptions import DivergenceError, MaxStepsError

# The explicit part is stable for |N'| h below 2.8 on the imaginary axis. At half of that the
# solutions of the generators are converged to 1e-6 and better.
_STEP_NUMBER = 1.4
# A step is a binary fraction of the time between two looks, so that steps end where they must.
_MOST_HALVINGS = 24
_CIRCLE_POINTS = 32


class Coefficients(NamedTuple):
    """What one step needs, for each component: propagators and weights of the stages."""

    whole: np.ndarray
    half: np.ndarray
    inner: np.ndarray
    first: np.ndarray
    middle: np.ndarray
    last: np.ndarray


def coefficients(linear: np.ndarray, step: float) -> Coefficients:
    """Coefficients of steps of size ``step`` for the real diagonal ``linear``."""
    z = step * linear
    angles = np.pi * (np.arange(_CIRCLE_POINTS) + 0.5) / _CIRCLE_POINTS  # half: z is real
    r = z[..., None] + np.exp(1j * angles)

    def mean(values):
        return step * values.real.mean(axis=-1)

    return Coefficients(
        whole=np.exp(z),
        half=np.exp(z / 2),
        inner=mean((np.exp(r / 2) - 1) / r),
        first=mean((-4 - r + np.exp(r) * (4 - 3 * r + r**2)) / r**3),
        middle=mean((2 + r + np.exp(r) * (r - 2)) / r**3),
        last=mean((-4 - 3 * r - r**2 + np.exp(r) * (4 - r)) / r**3),
    )


def take_step(v: np.ndarray, nonlinear: Callable, c: Coefficients) -> np.ndarray:
    """Advance ``v`` by one step."""
    n_0 = nonlinear(v)
    start = c.half * v
    a = start + c.inner * n_0
    n_a = nonlinear(a)
    n_b = nonlinear(start + c.inner * n_a)
    n_c = nonlinear(c.half * a + c.inner * (2 * n_b - n_0))
    return c.whole * v + c.first * n_0 + 2 * c.middle * (n_a + n_b) + c.last * n_c


def march(
    v: np.ndarray,
    linear: np.ndarray,
    nonlinear: Callable[[np.ndarray], np.ndarray],
    rate: Callable[[np.ndarray], float],
    times: np.ndarray,
) -> list[np.ndarray]:
    """Solve from time zero and return the state at each of ``times``.

    ``rate(v)`` bounds the frequencies of the nonlinear part, by which the step is chosen.
    """
    states, now = [], 0.0
    for time in times:
        prepare = lru_cache(maxsize=4)(lambda step: coefficients(linear, step))
        v = _advance(v, nonlinear, rate, now, time - now, prepare)
        states.append(v)
        now = time
    return states


def _advance(v, nonlinear, rate, start, span, prepare):
    """Solve over ``span`` by steps of its binary fractions, counted in the smallest of them."""
    n_ticks, done = 1 << _MOST_HALVINGS, 0
    while done < n_ticks:
        wanted = span * rate(v) / _STEP_NUMBER
        time = start + span * done / n_ticks
        if not np.isfinite(wanted):
            raise DivergenceError(
                f"The solution left the finite numbers at t={time:.6g}. Raise n_points, or ask "
                "for earlier times.",
                t=time,
            )
        halvings = max(0, int(np.ceil(np.log2(max(wanted, 1.0)))))
        if halvings > _MOST_HALVINGS:
            raise MaxStepsError(
                f"At t={time:.6g} {wanted:.3g} steps would be needed. Ask for earlier times, or "
                "draw smaller fields.",
                t=time,
            )
        ticks = n_ticks >> halvings
        while done % ticks:  # a longer step must wait until it ends on time
            ticks >>= 1
        v = take_step(v, nonlinear, prepare(span * ticks / n_ticks))
        done += ticks
    return v
