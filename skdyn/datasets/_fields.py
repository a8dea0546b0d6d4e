"""The vector fields behind the generators: equations, defaults and references, said once.

A right-hand side is a plain function ``f(t, y, *, parameters)``. Its first axis holds the state,
so that ``y`` may be one state ``(d,)`` or many ``(d, n)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from skdyn._typing import Table

__all__ = ["FIELDS", "Field"]


@dataclass(frozen=True)
class Field:
    """A named system of ordinary differential equations with what is needed to draw from it.

    Parameters
    ----------
    name : str
        Name, as in ``make_<name>``.
    rhs : callable
        Right-hand side ``f(t, y, *, parameters)``, ``y`` of shape ``(d, ...)``.
    channels : tuple of str
        Name of each state variable; one name with a ``*`` stands for any number of them.
    draw_x0 : callable or None
        ``draw_x0(rng, n, d)`` draws ``n`` initial states of shape ``(n, d)``; None where they are
        always given.
    params : mapping
        Default value of each parameter of ``rhs``.
    t_span : tuple of float
        Default first and last time.
    reference : str
        Where the equations come from.
    transient : float, default=0.0
        Time to integrate over and forget after drawing an initial state, so that the trajectory
        starts on the attractor.
    """

    name: str
    rhs: Callable[..., ArrayLike]
    channels: tuple[str, ...]
    draw_x0: Callable[[np.random.RandomState, int, int], Table] | None
    params: Mapping[str, float]
    t_span: tuple[float, float]
    reference: str
    transient: float = field(default=0.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))


def _box(low, high):
    """Draw uniformly from a box."""

    def draw(rng, n, d):
        return rng.uniform(low, high, size=(n, len(low)))

    return draw


def _near(state, spread):
    """Draw around one state, repeated over the channels when it is a number."""

    def draw(rng, n, d):
        return np.broadcast_to(state, (n, d)) + spread * rng.standard_normal((n, d))

    return draw


def _ring(low, high):
    """Draw points of the plane with a uniform angle and a uniform radius."""

    def draw(rng, n, d):
        radius, angle = rng.uniform(low, high, size=n), rng.uniform(-np.pi, np.pi, size=n)
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)

    return draw


def lotka_volterra(
    t: float, y: np.ndarray, *, alpha: float, beta: float, delta: float, gamma: float
) -> np.ndarray:
    """Prey grows and is eaten, predator eats and dies."""
    prey, predator = y
    return np.array(
        [alpha * prey - beta * prey * predator, delta * prey * predator - gamma * predator]
    )


def damped_oscillator(t: float, y: np.ndarray, *, omega: float, zeta: float) -> np.ndarray:
    """x'' + 2 zeta omega x' + omega^2 x = 0."""
    x, v = y
    return np.array([v, -2.0 * zeta * omega * v - omega**2 * x])


def van_der_pol(t: float, y: np.ndarray, *, mu: float) -> np.ndarray:
    """x'' - mu (1 - x^2) x' + x = 0."""
    x, v = y
    return np.array([v, mu * (1.0 - x**2) * v - x])


def pendulum(
    t: float, y: np.ndarray, *, gravity: float, length: float, damping: float
) -> np.ndarray:
    """theta'' + damping theta' + (gravity / length) sin(theta) = 0."""
    theta, omega = y
    return np.array([omega, -gravity / length * np.sin(theta) - damping * omega])


def lorenz63(t: float, y: np.ndarray, *, sigma: float, rho: float, beta: float) -> np.ndarray:
    """Rayleigh-Benard convection cut down to three modes."""
    x, y, z = y
    return np.array([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])


def lorenz96(t: float, y: np.ndarray, *, forcing: float) -> np.ndarray:
    """x_i' = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F on a ring."""
    # A wrapped take costs a fifth of np.roll on the few sites of a usual ring.
    sites = np.arange(len(y))
    ahead, behind, two_behind = (
        np.take(y, sites + shift, axis=0, mode="wrap") for shift in (1, -1, -2)
    )
    return (ahead - two_behind) * behind - y + forcing


def spiral(t: float, y: np.ndarray, *, growth: float, omega: float) -> np.ndarray:
    """r' = growth, theta' = omega: an Archimedean spiral, counter-clockwise for omega > 0."""
    x, y = y
    r = np.hypot(x, y)
    return np.array([growth * x / r - omega * y, growth * y / r + omega * x])


FIELDS = MappingProxyType(
    {
        record.name: record
        for record in (
            Field(
                "lotka_volterra",
                lotka_volterra,
                ("prey", "predator"),
                _box((1.0, 0.5), (5.0, 3.0)),
                {"alpha": 1.5, "beta": 1.0, "delta": 1.0, "gamma": 3.0},
                (0.0, 10.0),
                "A. J. Lotka (1925). Elements of Physical Biology. Williams and Wilkins.",
            ),
            Field(
                "damped_oscillator",
                damped_oscillator,
                ("position", "velocity"),
                _ring(0.5, 2.0),
                {"omega": 1.0, "zeta": 0.1},
                (0.0, 20.0),
                "L. D. Landau and E. M. Lifshitz (1976). Mechanics, section 25. Butterworth.",
            ),
            Field(
                "van_der_pol",
                van_der_pol,
                ("position", "velocity"),
                _box((-2.5, -2.5), (2.5, 2.5)),
                {"mu": 1.0},
                (0.0, 20.0),
                "B. van der Pol (1926). On relaxation-oscillations. Philosophical Magazine 2.",
            ),
            Field(
                "pendulum",
                pendulum,
                ("angle", "angular_velocity"),
                # No angular velocity here carries it over the top: theta stays within one turn.
                _box((-2.0, -1.5), (2.0, 1.5)),
                {"gravity": 9.81, "length": 1.0, "damping": 0.0},
                (0.0, 5.0),
                "S. Greydanus et al. (2019). Hamiltonian neural networks. NeurIPS.",
            ),
            Field(
                "lorenz63",
                lorenz63,
                ("x", "y", "z"),
                _near((0.0, 1.0, 20.0), 5.0),
                {"sigma": 10.0, "rho": 28.0, "beta": 8.0 / 3.0},
                (0.0, 20.0),
                "E. N. Lorenz (1963). Deterministic nonperiodic flow. J. Atmos. Sci. 20.",
                transient=10.0,
            ),
            Field(
                "lorenz96",
                lorenz96,
                ("x*",),
                _near(8.0, 1.0),
                {"forcing": 8.0},
                (0.0, 20.0),
                "E. N. Lorenz (1996). Predictability: a problem partly solved. Seminar, ECMWF.",
                transient=10.0,
            ),
            Field(
                "spiral",
                spiral,
                ("x", "y"),
                _ring(0.5, 2.0),
                {"growth": 0.3, "omega": 1.0},
                (0.0, 18.85),
                "R. T. Q. Chen et al. (2018). Neural ordinary differential equations. NeurIPS.",
            ),
        )
    }
)
