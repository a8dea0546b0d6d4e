"""How velocities are taken for steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["check_method", "runge_kutta_change"]


def check_method(model: Any) -> None:
    """Refuse parameters that do not go together.

    Parameters
    ----------
    model : AutoregressiveOperator
        Before its fit.
    """
    if model.known_step is not None and model.target != "change":
        raise ValueError(
            "known_step leaves a change to learn, which needs target='change'; got "
            f"{model.target!r}."
        )
    if model.integrator == "euler":
        return
    wanted: dict[str, Any] = {"target": "change", "n_history": 1, "n_ahead": 1}
    wanted |= {"known_step": None, "pushforward": 0, "noise": 0}
    for name, value in wanted.items():
        if getattr(model, name) != value:
            raise ValueError(
                f"integrator={model.integrator!r} learns velocities, which needs {name}="
                f"{value!r}; got {getattr(model, name)!r}. Use integrator='euler', or set "
                f"{name}={value!r}."
            )


def runge_kutta_change(
    method: str,
    velocity: Callable[[np.ndarray], np.ndarray],
    now: np.ndarray,
    length: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Return the change over one step.

    Parameters
    ----------
    method : {"midpoint", "rk4"}
        The method.
    velocity : callable
        From states to their velocities.
    now : ndarray of shape (n, \\*state)
        States.
    length : float or ndarray that goes with `now`, default=1.0
        Of the step.

    Returns
    -------
    ndarray of shape (n, \\*state)
    """
    first = length * velocity(now)
    second = length * velocity(now + first / 2)
    if method == "midpoint":
        return second
    third = length * velocity(now + second / 2)
    fourth = length * velocity(now + third)
    return (first + 2 * second + 2 * third + fourth) / 6
