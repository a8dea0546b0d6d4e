"""Generators of oscillating systems of two state variables."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from skdyn._typing import Series
from skdyn.datasets._fields import FIELDS
from skdyn.datasets._generate import check_number, generate

__all__ = ["make_damped_oscillator", "make_lotka_volterra", "make_pendulum", "make_van_der_pol"]

# Here DOP853 begins to be held back by stability instead of accuracy.
_STIFF_MU = 10.0


def make_lotka_volterra(
    n_cases: int | None = None,
    n_timepoints: int = 100,
    *,
    alpha: float = 1.5,
    beta: float = 1.0,
    delta: float = 1.0,
    gamma: float = 3.0,
    t_span: tuple[float, float] = (0.0, 10.0),
    x0: ArrayLike | None = None,
    irregular: bool | Literal["shared", "per_case"] = False,
    noise: float = 0.0,
    missing: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[Series, np.ndarray]:
    r"""Sample trajectories of Lotka and Volterra's predator and prey.

    Prey x and predator y follow [1]_

    .. math:: x' = \alpha x - \beta x y, \qquad y' = \delta x y - \gamma y

    and conserve :math:`\delta x - \gamma \ln x + \beta y - \alpha \ln y`.

    Parameters
    ----------
    n_cases : int, default=None
        Number of trajectories. None takes one for each row of `x0`, or 10 when `x0` is drawn.
    n_timepoints : int, default=100
        Number of observation times of each trajectory.
    alpha : float, default=1.5
        Birth rate of the prey.
    beta : float, default=1.0
        Rate at which a predator eats prey.
    delta : float, default=1.0
        Rate at which eaten prey becomes predators.
    gamma : float, default=3.0
        Death rate of the predators.
    t_span : tuple of float, default=(0.0, 10.0)
        First and last observation time.
    x0 : array-like of shape (2,) or (n_cases, 2), default=None
        Initial states. None draws prey from [1, 5] and predators from [0.5, 3] uniformly.
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
    X : ndarray of shape (n_cases, 2, n_timepoints)
        Prey and predators.
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
    load_lynx_hare : The record of a real predator and its prey.

    References
    ----------
    .. [1] A. J. Lotka (1925). Elements of Physical Biology. Williams and Wilkins.

    Examples
    --------
    >>> from skdyn.datasets import make_lotka_volterra
    >>> X, t = make_lotka_volterra(n_cases=4, random_state=0)
    >>> X.shape, t.shape
    ((4, 2, 100), (100,))
    """
    check_number("alpha", alpha, low=0, open_low=True)
    check_number("beta", beta, low=0, open_low=True)
    check_number("delta", delta, low=0, open_low=True)
    check_number("gamma", gamma, low=0, open_low=True)
    return generate(
        FIELDS["lotka_volterra"],
        {"alpha": alpha, "beta": beta, "delta": delta, "gamma": gamma},
        n_cases=n_cases,
        n_timepoints=n_timepoints,
        t_span=t_span,
        x0=x0,
        irregular=irregular,
        noise=noise,
        missing=missing,
        random_state=random_state,
    )


def make_damped_oscillator(
    n_cases: int | None = None,
    n_timepoints: int = 100,
    *,
    omega: float = 1.0,
    zeta: float = 0.1,
    t_span: tuple[float, float] = (0.0, 20.0),
    x0: ArrayLike | None = None,
    irregular: bool | Literal["shared", "per_case"] = False,
    noise: float = 0.0,
    missing: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[Series, np.ndarray]:
    r"""Sample trajectories of a damped linear oscillator.

    The position x follows [1]_

    .. math:: x'' + 2 \zeta \omega x' + \omega^2 x = 0.

    Parameters
    ----------
    n_cases : int, default=None
        Number of trajectories. None takes one for each row of `x0`, or 10 when `x0` is drawn.
    n_timepoints : int, default=100
        Number of observation times of each trajectory.
    omega : float, default=1.0
        Angular frequency without damping.
    zeta : float, default=0.1
        Damping ratio: 0 conserves the energy, below 1 the oscillator still swings.
    t_span : tuple of float, default=(0.0, 20.0)
        First and last observation time.
    x0 : array-like of shape (2,) or (n_cases, 2), default=None
        Initial states. None draws states at a distance of 0.5 to 2 from rest.
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
    X : ndarray of shape (n_cases, 2, n_timepoints)
        Position and velocity.
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
    make_pendulum : The oscillator whose period depends on its amplitude.

    References
    ----------
    .. [1] L. D. Landau and E. M. Lifshitz (1976). Mechanics, section 25. Butterworth.

    Examples
    --------
    >>> from skdyn.datasets import make_damped_oscillator
    >>> X, t = make_damped_oscillator(n_cases=4, random_state=0)
    >>> X.shape, t.shape
    ((4, 2, 100), (100,))
    """
    check_number("omega", omega, low=0, open_low=True)
    check_number("zeta", zeta, low=0)
    return generate(
        FIELDS["damped_oscillator"],
        {"omega": omega, "zeta": zeta},
        n_cases=n_cases,
        n_timepoints=n_timepoints,
        t_span=t_span,
        x0=x0,
        irregular=irregular,
        noise=noise,
        missing=missing,
        random_state=random_state,
    )


def make_van_der_pol(
    n_cases: int | None = None,
    n_timepoints: int = 100,
    *,
    mu: float = 1.0,
    t_span: tuple[float, float] = (0.0, 20.0),
    x0: ArrayLike | None = None,
    irregular: bool | Literal["shared", "per_case"] = False,
    noise: float = 0.0,
    missing: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[Series, np.ndarray]:
    r"""Sample trajectories of van der Pol's self-sustained oscillator.

    The position x follows [1]_

    .. math:: x'' - \mu (1 - x^2) x' + x = 0

    and is drawn to one limit cycle from everywhere. Above a `mu` of about 10 the equation is stiff,
    and an implicit method integrates it.

    Parameters
    ----------
    n_cases : int, default=None
        Number of trajectories. None takes one for each row of `x0`, or 10 when `x0` is drawn.
    n_timepoints : int, default=100
        Number of observation times of each trajectory.
    mu : float, default=1.0
        Strength of the non-linear damping.
    t_span : tuple of float, default=(0.0, 20.0)
        First and last observation time.
    x0 : array-like of shape (2,) or (n_cases, 2), default=None
        Initial states. None draws position and velocity uniformly from [-2.5, 2.5].
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
    X : ndarray of shape (n_cases, 2, n_timepoints)
        Position and velocity.
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
    make_damped_oscillator : The linear oscillator, which comes to rest.

    References
    ----------
    .. [1] B. van der Pol (1926). On relaxation-oscillations. Philosophical Magazine 2, 978-992.

    Examples
    --------
    >>> from skdyn.datasets import make_van_der_pol
    >>> X, t = make_van_der_pol(n_cases=4, random_state=0)
    >>> X.shape, t.shape
    ((4, 2, 100), (100,))
    """
    check_number("mu", mu, low=0)
    return generate(
        FIELDS["van_der_pol"],
        {"mu": mu},
        n_cases=n_cases,
        n_timepoints=n_timepoints,
        t_span=t_span,
        x0=x0,
        irregular=irregular,
        noise=noise,
        missing=missing,
        random_state=random_state,
        method="LSODA" if mu > _STIFF_MU else "DOP853",
    )


def make_pendulum(
    n_cases: int | None = None,
    n_timepoints: int = 100,
    *,
    gravity: float = 9.81,
    length: float = 1.0,
    damping: float = 0.0,
    t_span: tuple[float, float] = (0.0, 5.0),
    x0: ArrayLike | None = None,
    irregular: bool | Literal["shared", "per_case"] = False,
    noise: float = 0.0,
    missing: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[Series, np.ndarray]:
    r"""Sample trajectories of a pendulum.

    The angle theta, 0 when it hangs at rest, follows [1]_

    .. math:: \theta'' + c\, \theta' + \frac{g}{l} \sin\theta = 0

    with gravity g, length l and damping c. Without damping it conserves the energy
    :math:`\theta'^2 / 2 - (g / l) \cos\theta`.

    Parameters
    ----------
    n_cases : int, default=None
        Number of trajectories. None takes one for each row of `x0`, or 10 when `x0` is drawn.
    n_timepoints : int, default=100
        Number of observation times of each trajectory.
    gravity : float, default=9.81
        Acceleration of gravity.
    length : float, default=1.0
        Length of the pendulum.
    damping : float, default=0.0
        Damping rate, in 1 / time.
    t_span : tuple of float, default=(0.0, 5.0)
        First and last observation time.
    x0 : array-like of shape (2,) or (n_cases, 2), default=None
        Initial states. None draws angles uniformly from [-2, 2] and velocities from [-1.5, 1.5].
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
    X : ndarray of shape (n_cases, 2, n_timepoints)
        Angle (radians) and angular velocity (radians / time).
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
    make_damped_oscillator : The limit of small angles.

    References
    ----------
    .. [1] S. Greydanus, M. Dzamba and J. Yosinski (2019). Hamiltonian neural networks. NeurIPS.

    Examples
    --------
    >>> from skdyn.datasets import make_pendulum
    >>> X, t = make_pendulum(n_cases=4, random_state=0)
    >>> X.shape, t.shape
    ((4, 2, 100), (100,))
    """
    check_number("gravity", gravity, low=0, open_low=True)
    check_number("length", length, low=0, open_low=True)
    check_number("damping", damping, low=0)
    return generate(
        FIELDS["pendulum"],
        {"gravity": gravity, "length": length, "damping": damping},
        n_cases=n_cases,
        n_timepoints=n_timepoints,
        t_span=t_span,
        x0=x0,
        irregular=irregular,
        noise=noise,
        missing=missing,
        random_state=random_state,
    )
