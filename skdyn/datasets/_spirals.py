"""Generator of spirals that turn either way."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skdyn._typing import Series
from skdyn.datasets._fields import FIELDS
from skdyn.datasets._generate import check_number, count_cases, generate

__all__ = ["LabeledTrajectories", "make_spirals"]


class LabeledTrajectories(NamedTuple):
    """Trajectories, their times and one label for each.

    Parameters
    ----------
    X : ndarray of shape (n_cases, n_channels, n_timepoints)
        Trajectories.
    t : ndarray of shape (n_timepoints,) or (n_cases, n_timepoints)
        Observation times, one row for each case where they differ.
    y : ndarray of shape (n_cases,)
        Labels.
    """

    X: Series
    t: np.ndarray
    y: np.ndarray


def make_spirals(
    n_cases: int | None = None,
    n_timepoints: int = 100,
    *,
    growth: float = 0.3,
    omega: float = 1.0,
    t_span: tuple[float, float] = (0.0, 18.85),
    x0: ArrayLike | None = None,
    irregular: bool | Literal["shared", "per_case"] = False,
    noise: float = 0.0,
    missing: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
    return_y: bool = False,
) -> tuple[np.ndarray, ...]:
    r"""Sample spirals, half of which turn clockwise.

    In polar coordinates each spiral [1]_ winds outwards as

    .. math:: r' = b, \qquad \theta' = \pm \omega

    with growth b. With the direction as label it is a set for classifying series, on which the
    position at any one time says nothing [2]_.

    Parameters
    ----------
    n_cases : int, default=None
        Number of trajectories. None takes one for each row of `x0`, or 10 when `x0` is drawn.
    n_timepoints : int, default=100
        Number of observation times of each trajectory.
    growth : float, default=0.3
        Growth b of the radius, in length / time.
    omega : float, default=1.0
        Angular frequency of the turning.
    t_span : tuple of float, default=(0.0, 18.85)
        First and last observation time.
    x0 : array-like of shape (2,) or (n_cases, 2), default=None
        Initial states. None draws points at a distance of 0.5 to 2 from the origin, at any angle.
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
    return_y : bool, default=False
        Whether to return the direction of each spiral too.

    Returns
    -------
    X : ndarray of shape (n_cases, 2, n_timepoints)
        Coordinates x and y.
    t : ndarray of shape (n_timepoints,) or (n_cases, n_timepoints)
        Observation times, one row for each case where they differ.
    y : ndarray of shape (n_cases,)
        Direction: 0 for clockwise, 1 for counter-clockwise. Only if `return_y` is True.

    Raises
    ------
    ValueError
        If a parameter is out of its range or `x0` does not fit; the message names it.
    DivergenceError
        If a trajectory leaves the finite numbers.

    See Also
    --------
    make_trajectories : Trajectories of a system of your own.

    References
    ----------
    .. [1] R. T. Q. Chen et al. (2018). Neural ordinary differential equations. NeurIPS.
    .. [2] P. Kidger et al. (2020). Neural controlled differential equations for irregular time
           series. NeurIPS.

    Examples
    --------
    >>> from skdyn.datasets import make_spirals
    >>> X, t, y = make_spirals(n_cases=6, return_y=True, random_state=0)
    >>> X.shape, t.shape, sorted(y.tolist())
    ((6, 2, 100), (100,), [0, 0, 0, 1, 1, 1])
    """
    check_number("growth", growth, low=0)
    check_number("omega", omega, low=0, open_low=True)
    rng = check_random_state(random_state)
    y = rng.permutation(np.arange(count_cases(n_cases, x0)) % 2)
    X, t = generate(
        FIELDS["spiral"],
        [{"growth": growth, "omega": omega if turn else -omega} for turn in y],
        n_cases=n_cases,
        n_timepoints=n_timepoints,
        t_span=t_span,
        x0=x0,
        irregular=irregular,
        noise=noise,
        missing=missing,
        random_state=rng,
    )
    return LabeledTrajectories(X, t, y) if return_y else (X, t)
