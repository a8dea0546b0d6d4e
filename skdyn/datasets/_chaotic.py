"""Generators of chaotic systems."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from skdyn._typing import Series
from skdyn.datasets._fields import FIELDS
from skdyn.datasets._generate import check_integer, check_number, generate

__all__ = ["make_lorenz63", "make_lorenz96"]


def make_lorenz63(
    n_cases: int | None = None,
    n_timepoints: int = 1000,
    *,
    sigma: float = 10.0,
    rho: float = 28.0,
    beta: float = 8.0 / 3.0,
    t_span: tuple[float, float] = (0.0, 20.0),
    x0: ArrayLike | None = None,
    irregular: bool | Literal["shared", "per_case"] = False,
    noise: float = 0.0,
    missing: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[Series, np.ndarray]:
    r"""Sample trajectories of Lorenz's three convection modes.

    The state follows [1]_

    .. math:: x' = \sigma (y - x), \qquad y' = x (\rho - z) - y, \qquad z' = x y - \beta z,

    which is chaotic with the default parameters: the largest Lyapunov exponent is about 0.906.

    Parameters
    ----------
    n_cases : int, default=None
        Number of trajectories. None takes one for each row of `x0`, or 10 when `x0` is drawn.
    n_timepoints : int, default=1000
        Number of observation times of each trajectory.
    sigma : float, default=10.0
        Prandtl number.
    rho : float, default=28.0
        Rayleigh number over its critical value.
    beta : float, default=8.0 / 3.0
        Geometric factor.
    t_span : tuple of float, default=(0.0, 20.0)
        First and last observation time.
    x0 : array-like of shape (3,) or (n_cases, 3), default=None
        Initial states. None draws states on the attractor: random ones, followed for 10 units of
        time first.
    irregular : bool or {"shared", "per_case"}, default=False
        Whether the times between the first and the last are drawn at random instead of evenly
        spaced: `"shared"` draws one set of times for all cases, `"per_case"` or True one for each.
    noise : float, default=0.0
        Standard deviation of added Gaussian noise, as a fraction of each channel's own.
    missing : float, default=0.0
        Fraction of the time points of each series that are lost (NaN).
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the data reproducible. With one seed, `noise` and
        `missing` change the same underlying trajectories.

    Returns
    -------
    X : ndarray of shape (n_cases, 3, n_timepoints)
        The three modes x, y and z.
    t : ndarray of shape (n_timepoints,) or (n_cases, n_timepoints)
        Observation times, one row for each case where they differ.

    Raises
    ------
    ValueError
        If a parameter is out of its range or `x0` does not fit; the message names it.
    DivergenceError
        If a trajectory leaves the finite numbers.

    See Also
    --------
    make_lorenz96 : The same in any number of dimensions.

    References
    ----------
    .. [1] E. N. Lorenz (1963). Deterministic nonperiodic flow. J. Atmos. Sci. 20, 130-141.

    Examples
    --------
    >>> from skdyn.datasets import make_lorenz63
    >>> X, t = make_lorenz63(n_cases=2, random_state=0)
    >>> X.shape, t.shape
    ((2, 3, 1000), (1000,))
    """
    check_number("sigma", sigma)
    check_number("rho", rho)
    check_number("beta", beta)
    return generate(
        FIELDS["lorenz63"],
        {"sigma": sigma, "rho": rho, "beta": beta},
        n_cases=n_cases,
        n_timepoints=n_timepoints,
        t_span=t_span,
        x0=x0,
        irregular=irregular,
        noise=noise,
        missing=missing,
        random_state=random_state,
    )


def make_lorenz96(
    n_cases: int | None = None,
    n_timepoints: int = 1000,
    *,
    n_channels: int = 10,
    forcing: float = 8.0,
    t_span: tuple[float, float] = (0.0, 20.0),
    x0: ArrayLike | None = None,
    irregular: bool | Literal["shared", "per_case"] = False,
    noise: float = 0.0,
    missing: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[Series, np.ndarray]:
    r"""Sample trajectories of Lorenz's ring of atmospheric sites.

    Each site :math:`x_i` of the ring follows [1]_

    .. math:: x_i' = (x_{i+1} - x_{i-2})\, x_{i-1} - x_i + F,

    which is chaotic for a forcing F of 8.

    Parameters
    ----------
    n_cases : int, default=None
        Number of trajectories. None takes one for each row of `x0`, or 10 when `x0` is drawn.
    n_timepoints : int, default=1000
        Number of observation times of each trajectory.
    n_channels : int, default=10
        Number of sites, at least 4.
    forcing : float, default=8.0
        Forcing F.
    t_span : tuple of float, default=(0.0, 20.0)
        First and last observation time.
    x0 : array-like of shape (n_channels,) or (n_cases, n_channels), default=None
        Initial states. None draws states on the attractor: random ones, followed for 10 units of
        time first.
    irregular : bool or {"shared", "per_case"}, default=False
        Whether the times between the first and the last are drawn at random instead of evenly
        spaced: `"shared"` draws one set of times for all cases, `"per_case"` or True one for each.
    noise : float, default=0.0
        Standard deviation of added Gaussian noise, as a fraction of each channel's own.
    missing : float, default=0.0
        Fraction of the time points of each series that are lost (NaN).
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the data reproducible. With one seed, `noise` and
        `missing` change the same underlying trajectories.

    Returns
    -------
    X : ndarray of shape (n_cases, n_channels, n_timepoints)
        The sites, in the order of the ring.
    t : ndarray of shape (n_timepoints,) or (n_cases, n_timepoints)
        Observation times, one row for each case where they differ.

    Raises
    ------
    ValueError
        If a parameter is out of its range or `x0` does not fit; the message names it.
    DivergenceError
        If a trajectory leaves the finite numbers.

    See Also
    --------
    make_lorenz63 : The classic system of three variables.

    References
    ----------
    .. [1] E. N. Lorenz (1996). Predictability: a problem partly solved. Seminar on
           Predictability, ECMWF.

    Examples
    --------
    >>> from skdyn.datasets import make_lorenz96
    >>> X, t = make_lorenz96(n_cases=2, n_channels=5, random_state=0)
    >>> X.shape, t.shape
    ((2, 5, 1000), (1000,))
    """
    check_integer("n_channels", n_channels, low=4)
    check_number("forcing", forcing)
    return generate(
        FIELDS["lorenz96"],
        {"forcing": forcing},
        n_cases=n_cases,
        n_timepoints=n_timepoints,
        t_span=t_span,
        x0=x0,
        irregular=irregular,
        noise=noise,
        missing=missing,
        random_state=random_state,
        n_channels=n_channels,
    )
