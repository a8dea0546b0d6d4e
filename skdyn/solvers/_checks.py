"""What a solve accepts, and the sentences that say what is wrong."""

import difflib
import math

import torch

__all__ = ["check_choice", "check_state", "check_times", "check_tolerances"]


def check_choice(name, value, choices):
    """Raise unless ``value`` is one of ``choices``, suggesting the nearest."""
    if value in choices:
        return
    known = [choice for choice in choices if isinstance(choice, str)]
    near = difflib.get_close_matches(str(value), known, n=1)
    guess = f" Did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(repr(choice) for choice in choices)
    raise ValueError(f"{name} must be one of {listed}; got {value!r}.{guess}")


def check_tolerances(rtol, atol, max_steps):
    """Raise unless tolerances are positive and finite and ``max_steps`` a positive integer."""
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a positive finite number; got {value!r}.")
    if not (isinstance(max_steps, int) and max_steps > 0):
        raise ValueError(f"max_steps must be a positive integer; got {max_steps!r}.")


def check_state(y0):
    """Raise unless ``y0`` is a finite floating tensor of shape (n, d)."""
    if not isinstance(y0, torch.Tensor) or not y0.is_floating_point():
        kind = f"dtype {y0.dtype}" if isinstance(y0, torch.Tensor) else type(y0).__name__
        raise ValueError(f"y0 must be a floating-point torch.Tensor; got {kind}.")
    if y0.ndim != 2 or 0 in y0.shape:
        raise ValueError(
            f"y0 must have shape (n_cases, n_dims), neither zero; got {tuple(y0.shape)}. "
            "Use y0[None] for a single case."
        )
    finite = torch.isfinite(y0)
    if not bool(finite.all()):
        case, dim = (~finite).nonzero()[0].tolist()
        raise ValueError(
            f"y0 must be finite; case {case} has {y0[case, dim].item()} in dimension {dim}."
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
        raise ValueError("t must not require a gradient: solve_ode does not differentiate times.")
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
