"""What a solve accepts, and the sentences that say what is wrong."""

import difflib
import math
from itertools import pairwise

import torch

__all__ = [
    "all_finite",
    "check_case_weight",
    "check_choice",
    "check_events",
    "check_regularization",
    "check_state",
    "check_steps",
    "check_stops",
    "check_times",
    "check_tolerances",
]

# dopri8 has such stages too, but they agree to rounding; an implicit solver does not mind.
_STIFFNESS_SOLVERS = ("tsit5", "dopri5", "rk4", "heun")
_FEW = 64  # times that Python compares sooner than eight calls of torch


def all_finite(values):
    """Whether all numbers are finite: their sum is NaN or infinite if one is."""
    total = float(values.detach().sum())
    return math.isfinite(total) or bool(torch.isfinite(values).all())  # a sum may overflow


def check_choice(name, value, choices):
    """Raise unless ``value`` is one of ``choices``, suggesting the nearest."""
    if value in choices:
        return
    known = [choice for choice in choices if isinstance(choice, str)]
    near = difflib.get_close_matches(str(value), known, n=1)
    guess = f" Did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(repr(choice) for choice in choices)
    raise ValueError(f"{name} must be one of {listed}; got {value!r}.{guess}")


def check_tolerances(rtol, atol):
    """Raise unless tolerances are positive finite numbers."""
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a positive finite number; got {value!r}.")


def check_case_weight(case_weight, n_cases):
    """Return the weights, None where all are alike; raise unless they are positive and finite."""
    if case_weight is None:
        return None
    if case_weight.shape != (n_cases,):
        raise ValueError(
            f"case_weight must have shape ({n_cases},), one weight per case; got "
            f"{tuple(case_weight.shape)}."
        )
    least, most = torch.stack(torch.aminmax(case_weight.detach())).tolist()  # NaN is both
    if not (least > 0 and math.isfinite(most)):
        raise ValueError("case_weight must be positive and finite; leave out cases of weight zero.")
    return None if least == most else case_weight


def check_steps(max_steps, first_step, step_size):
    """Raise unless ``max_steps`` is a positive integer and the others None or positive."""
    if not (isinstance(max_steps, int) and max_steps > 0):
        raise ValueError(f"max_steps must be a positive integer; got {max_steps!r}.")
    for name, value in (("first_step", first_step), ("step_size", step_size)):
        if value is None:
            continue
        if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
            raise ValueError(
                f"{name} must be None or a positive finite number (also for backward time); "
                f"got {value!r}."
            )


def check_regularization(kind, mode, generator, adjoint, tableau):
    """Raise unless the regularization can be had from the solver chosen."""
    check_choice("regularization", kind, (None, "error", "stiffness"))
    check_choice("regularization_mode", mode, ("global", "local"))
    if kind is None:
        return
    if kind == "error" and not tableau.adaptive:
        raise ValueError(
            f"regularization='error' needs a solver with an error estimate; {tableau.name!r} has "
            "none. Use for example solver='tsit5'."
        )
    if kind == "stiffness" and tableau.name not in _STIFFNESS_SOLVERS:
        raise ValueError(
            "regularization='stiffness' needs an explicit solver whose last two stages are at the "
            f"same time, one of {', '.join(_STIFFNESS_SOLVERS)}; got solver={tableau.name!r}."
        )
    if mode == "local" and not isinstance(generator, torch.Generator):
        raise ValueError(
            "regularization_mode='local' draws a step and needs generator=torch.Generator(); "
            f"got {generator!r}."
        )
    if adjoint == "continuous":
        raise ValueError(
            "adjoint='continuous' cannot differentiate a regularization; use adjoint='discrete'."
        )


def check_state(y0):
    """Raise unless ``y0`` is a finite floating tensor, cases first."""
    if not isinstance(y0, torch.Tensor) or not y0.is_floating_point():
        kind = f"dtype {y0.dtype}" if isinstance(y0, torch.Tensor) else type(y0).__name__
        raise ValueError(f"y0 must be a floating-point torch.Tensor; got {kind}.")
    if y0.ndim == 0 or 0 in y0.shape:
        raise ValueError(
            f"y0 must have shape (n_cases, n_dims), or more axes, none of them zero; got "
            f"{tuple(y0.shape)}. Use y0[None] for a single case."
        )
    if not all_finite(y0):
        case, *place = (~torch.isfinite(y0)).nonzero()[0].tolist()
        where = f" in dimension {', '.join(map(str, place))}" if place else ""
        raise ValueError(f"y0 must be finite; case {case} has {y0[case, *place].item()}{where}.")


def check_stops(stops, jumps, times, on_failure):
    """Return the stops as float64 times, None or "times".

    Parameters
    ----------
    stops : None, "times" or sequence of float
        What came.
    jumps : bool
        Whether the field jumps there.
    times : tensor of shape (n_times,) or (n_cases, n_times)
        Requested times.
    on_failure : str
        What a case that cannot be solved does.

    Returns
    -------
    None, "times" or tensor of shape (k,)
    """
    if jumps and on_failure != "raise":
        raise ValueError("jumps=True needs on_failure='raise': each piece begins where one ended.")
    if stops is None:
        if jumps:
            raise ValueError("jumps=True needs stops, the times at which the field jumps.")
        return None
    if isinstance(stops, str):
        check_choice("stops", stops, ("times",))
        return stops
    stops = torch.as_tensor(stops, dtype=torch.float64, device=times.device).detach()
    if stops.ndim != 1 or not bool(torch.isfinite(stops).all()):
        raise ValueError(
            f"stops must be finite times of shape (k,), or 'times'; got shape {tuple(stops.shape)}."
        )
    if times.ndim == 2:
        raise ValueError(
            "stops are shared by all cases, but t has a row for each. Put the stops of each case "
            "into its row of t, and pass stops='times'."
        )
    return torch.unique(stops)


def check_events(events, terminal, jumps, solver, adjoint):
    """Raise where events cannot be looked for."""
    if events is None:
        if terminal:
            raise ValueError("terminal=True needs events, the function whose zero ends a case.")
        return
    if not callable(events):
        raise ValueError(f"events must be a function events(t, y); got {type(events).__name__}.")
    if jumps:
        raise ValueError("events cannot be looked for where jumps=True: solve piece by piece.")
    if solver == "leapfrog":
        raise ValueError(
            "events are read off the dense output of a step, and solver='leapfrog' has none. Use "
            "for example solver='rk4'."
        )
    if adjoint == "continuous":
        raise ValueError(
            "adjoint='continuous' cannot differentiate events; use adjoint='discrete'."
        )


def check_times(t, n_cases):
    """Return the times in float64, once they are known to be strictly monotonic.

    Parameters
    ----------
    t : tensor of shape (n_times,) or (n_cases, n_times)
        Times as the caller gave them.
    n_cases : int
        Number of cases of the state.

    Returns
    -------
    times : tensor of shape (n_times,) or (n_cases, n_times)
        The same times, float64.
    """
    if not isinstance(t, torch.Tensor):
        t = torch.as_tensor(t, dtype=torch.float64)
    if t.requires_grad:
        raise ValueError(
            "t must not require a gradient: solve_ode does not differentiate times. Pass "
            "t.detach(); the derivative of a state by its time is the field there, and that of a "
            "duration s comes from solving s * field(s * t, y) over t from 0 to 1."
        )
    if t.ndim not in (1, 2) or (t.ndim == 2 and t.shape[0] != n_cases):
        raise ValueError(
            f"t must have shape (n_times,) or (n_cases, n_times) with n_cases={n_cases}; "
            f"got {tuple(t.shape)}."
        )
    if t.shape[-1] < 2:
        raise ValueError(f"t must hold at least 2 times, the first that of y0; got {t.shape[-1]}.")
    times = t.detach().to(torch.float64)
    _check_monotonic(times)
    return times


def _check_monotonic(times):
    """Raise, naming the first offender, unless each row is finite and strictly monotonic."""
    if times.ndim == 1 and len(times) <= _FEW:
        values = times.tolist()
        sign = 1.0 if values[-1] > values[0] else -1.0
        if all(0 < sign * (late - early) < math.inf for early, late in pairwise(values)):
            return
    gaps = times.diff(dim=-1)
    direction = torch.sign(times[..., -1:] - times[..., :1])
    wrong = ~(gaps * direction > 0) | ~torch.isfinite(gaps)
    if not bool(wrong.any()):
        return
    *case, k = wrong.nonzero()[0].tolist()
    where = f"case {case[0]} has " if case else ""
    row = times[tuple(case)]
    raise ValueError(
        "t must be finite and strictly increasing (or strictly decreasing, for backward time); "
        f"{where}t[{k}]={row[k].item():g}, t[{k + 1}]={row[k + 1].item():g}. "
        "Sort the times and drop duplicates."
    )
