"""Solutions of systems of equations in closed form."""

import warnings
from bisect import bisect_right
from typing import Any

import numpy as np
from scipy.integrate import ODEintWarning, odeint

from skdyn._controls import refuse_other_columns
from skdyn._validation import as_floats
from skdyn.exceptions import DivergenceError, MaxStepsError, SolverError

__all__ = ["simulate_system"]


def simulate_system(system, x0, t, u, t0, rtol, atol, bound, max_steps):
    """Solve a system from one start state or several.

    Parameters
    ----------
    system : EquationSystem
        The equations.
    x0 : array-like of shape (n_states,) or (n_cases, n_states)
        Start states.
    t : array-like of shape (n_timepoints,)
        Times.
    u : callable, array-like of shape (n_timepoints, n_controls) or None
        Controls.
    t0 : float or None
        Time of the start.
    rtol : float
        Relative tolerance.
    atol : float or ndarray of shape (n_states,)
        Absolute tolerance.
    bound : float or None
        Size of a state that counts as a blow-up.
    max_steps : int
        Steps between two times at most.

    Returns
    -------
    ndarray of shape (n_timepoints, n_states) or (n_cases, n_states, n_timepoints)
    """
    d = len(system.state_names)
    x0, t = as_floats(x0), as_floats(t)
    if system.target_names != [f"{name}'" for name in system.state_names]:
        raise ValueError(
            "Only equations for the derivatives of all states can be simulated; these are for "
            f"{', '.join(system.target_names)}."
        )
    if x0.ndim not in (1, 2) or x0.shape[-1] != d:
        raise ValueError(f"x0 must have shape ({d},) or (n_cases, {d}); got shape {x0.shape}.")
    if not np.isfinite(x0).all():
        raise ValueError("x0 contains NaN or infinity; a state to start from must be complete.")
    if t.ndim != 1 or len(t) == 0 or not np.isfinite(t).all() or not (np.diff(t) > 0).all():
        raise ValueError("t must hold one or more finite times, strictly increasing.")
    start = t[0] if t0 is None else float(t0)
    if start > t[0]:
        raise ValueError(f"t begins at {t[0]:g}, before the start at t0={start:g}.")
    control = _control(system, t, u)
    times = t if start == t[0] else np.concatenate([[start], t])
    options = {"rtol": rtol, "atol": atol, "mxstep": max_steps}
    solutions = [
        _solve(system, state, times, control, bound, case, options)[len(times) - len(t) :]
        for case, state in enumerate(np.atleast_2d(x0))
    ]
    return solutions[0] if x0.ndim == 1 else np.stack(solutions).transpose(0, 2, 1)


def _control(system, t, u: Any):
    """Return the controls as a function from a time to a list of floats, or None."""
    n_controls = len(system.control_names)
    if n_controls == 0:
        if u is not None:
            raise ValueError("u was passed, but the equations have no controls. Leave it out.")
        return None
    wanted = f"the {n_controls} controls {', '.join(system.control_names)}"
    if u is None:
        raise ValueError(f"The equations need {wanted}: pass u, a function of time or an array.")
    if callable(u):
        function: Any = u
        size = np.size(function(t[0]))
        if size != n_controls:
            raise ValueError(f"u must return a value for each of {wanted}; it returned {size}.")
        return lambda time: np.ravel(function(time)).tolist()
    refuse_other_columns(u, system.control_names, "u")
    u = as_floats(u)
    u = u[:, None] if u.ndim == 1 and n_controls == 1 else u
    if u.shape != (len(t), n_controls) or not np.isfinite(u).all():
        raise ValueError(
            f"u must be a function of time, or finite values of {wanted} at each time, shape "
            f"{(len(t), n_controls)}; got shape {u.shape}."
        )
    return _straight_lines(t.tolist(), u.tolist())


def _straight_lines(times, values):
    last = len(times) - 1

    def control(time):
        right = bisect_right(times, time)
        if right == 0 or right > last:  # constant outside of the times
            return values[min(right, last)]
        share = (time - times[right - 1]) / (times[right] - times[right - 1])
        pairs = zip(values[right - 1], values[right], strict=True)
        return [before + share * (after - before) for before, after in pairs]

    return control


def _solve(system, x0, times, control, bound, case, options):
    field = _checked_field(system, control, np.inf if bound is None else bound, case)
    field(times[0], x0)
    if len(times) == 1:
        return x0[None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ODEintWarning)
        # Never beyond the last time, where the equations may blow up and controls are unknown.
        options = {**options, "tcrit": times[-1:]}
        states, report = odeint(field, x0, times, tfirst=True, full_output=True, **options)
    if report["message"] == "Integration successful.":
        if np.isfinite(states).all():
            return states
        # The last step may overflow between calls.
        raise _blow_up(times[np.argmin(np.isfinite(states).all(axis=1))], states[-1], case)
    t, x = field.last
    if "Excess work" in report["message"]:
        raise MaxStepsError(
            f"Case {case} took max_steps={options['mxstep']} steps between two times and stood at "
            f"t={t:g}, x={_show(x)}. The equations are stiff or blow up there; raise max_steps, or "
            "end before that time.",
            t=t, case=case, n_steps=options["mxstep"],
        )  # fmt: skip
    raise SolverError(
        f"LSODA gave up on case {case} near t={t:g}, x={_show(x)}: {report['message']} Raise rtol "
        "and atol, or end before that time.",
        t=t, case=case,
    )  # fmt: skip


class _checked_field:
    """The right-hand side for one state, which stops where it is not finite."""

    def __init__(self, system, control, bound, case):
        self._scalar = not system.functions
        self._rhs = system._compiled_scalar if self._scalar else system.rhs
        self._control, self._bound, self._case = control, bound, case
        self.last: Any = None

    def __call__(self, t, x):
        values = x.tolist()
        self.last = t, values
        u = () if self._control is None else self._control(t)
        try:
            if self._scalar:
                slopes = self._rhs(*values, *u)
            else:
                slopes = self._rhs(x[None], None if self._control is None else [u])[0].tolist()
            total = sum(slopes, 0.0)
        except (ArithmeticError, ValueError):  # overflow, a division by zero, a log of a negative
            slopes, total = None, np.nan
        # An infinite or complex value or NaN among the slopes makes the total one as well.
        if type(total) is complex or total - total != 0.0:
            raise _blow_up(t, values, self._case)
        if self._bound < np.inf and max(map(abs, values)) > self._bound:
            raise _blow_up(t, values, self._case)
        return slopes


def _blow_up(t, x, case):
    norm = max(map(abs, x))
    return DivergenceError(
        f"The solution of case {case} cannot be followed beyond t={t:g}: at x={_show(x)} a "
        "right-hand side or the state is beyond all bounds, or has no value (a division by zero, "
        "a logarithm of a negative). Start elsewhere, end earlier, or mistrust the equations.",
        t=float(t), case=case, norm=norm,
    )  # fmt: skip


def _show(x):
    return "(" + ", ".join(f"{value:.4g}" for value in x) + ")"
