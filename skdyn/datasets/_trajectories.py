"""Generator of trajectories of any system."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from skdyn._typing import Series
from skdyn.datasets._fields import Field
from skdyn.datasets._generate import generate

__all__ = ["make_trajectories"]


def make_trajectories(
    rhs: Callable[[float, np.ndarray], ArrayLike],
    x0: ArrayLike,
    n_timepoints: int = 100,
    *,
    t_span: tuple[float, float] = (0.0, 10.0),
    irregular: bool | Literal["shared", "per_case"] = False,
    noise: float = 0.0,
    missing: float = 0.0,
    method: Literal["DOP853", "LSODA", "Radau"] = "DOP853",
    random_state: int | np.random.RandomState | None = None,
) -> tuple[Series, np.ndarray]:
    """Sample trajectories of a system of your own.

    The equations are integrated by :func:`scipy.integrate.solve_ivp` to a relative tolerance of
    1e-10, one initial state at a time.

    Parameters
    ----------
    rhs : callable
        Right-hand side ``rhs(t, y)`` of ``y' = rhs(t, y)``: takes a float and a state of shape
        ``(n_channels,)``, returns its derivative in the same shape.
    x0 : array-like of shape (n_channels,) or (n_cases, n_channels)
        Initial states, one row for each trajectory.
    n_timepoints : int, default=100
        Number of observation times of each trajectory.
    t_span : tuple of float, default=(0.0, 10.0)
        First and last observation time.
    irregular : bool or {"shared", "per_case"}, default=False
        Whether the times between the first and the last are drawn at random instead of evenly
        spaced: `"shared"` draws one set of times for all cases, `"per_case"` or True one for each.
    noise : float, default=0.0
        Standard deviation of added Gaussian noise, as a fraction of each channel's own.
    missing : float, default=0.0
        Fraction of the time points of each series that are lost (NaN).
    method : {"DOP853", "LSODA", "Radau"}, default="DOP853"
        Integrator; take `"LSODA"` or `"Radau"` where the equations are stiff.
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the data reproducible. With one seed, `noise` and
        `missing` change the same underlying trajectories.

    Returns
    -------
    X : ndarray of shape (n_cases, n_channels, n_timepoints)
        Trajectories, one channel for each state variable.
    t : ndarray of shape (n_timepoints,) or (n_cases, n_timepoints)
        Observation times, one row for each case where they differ.

    Raises
    ------
    ValueError
        If a parameter is out of its range or `x0` does not fit; the message names it.
    DivergenceError
        If a trajectory leaves the finite numbers.
    MaxStepsError
        If the integrator makes no headway, as explicit ones do in stiff equations.

    See Also
    --------
    make_lotka_volterra : Trajectories of a named system.

    Examples
    --------
    >>> from skdyn.datasets import make_trajectories
    >>> X, t = make_trajectories(lambda t, y: -y, [[1.0], [2.0]], n_timepoints=5, t_span=(0, 1))
    >>> X[:, 0, -1].round(4).tolist()
    [0.3679, 0.7358]
    """
    if not callable(rhs):
        raise ValueError(f"rhs must be callable as rhs(t, y); got {rhs!r}.")
    if method not in ("DOP853", "LSODA", "Radau"):
        raise ValueError(f"method must be 'DOP853', 'LSODA' or 'Radau'; got {method!r}.")
    states = np.atleast_2d(np.asarray(x0, dtype=float))
    field = Field(
        "trajectories",
        rhs,
        channels=tuple(f"y{k}" for k in range(states.shape[-1])),
        draw_x0=None,
        params={},
        t_span=t_span,
        reference="the caller",
    )
    return generate(
        field,
        {},
        n_cases=None,
        n_timepoints=n_timepoints,
        t_span=t_span,
        x0=states,
        irregular=irregular,
        noise=noise,
        missing=missing,
        random_state=random_state,
        method=method,
    )
