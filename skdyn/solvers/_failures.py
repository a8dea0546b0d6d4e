"""Why a solve failed, and what to say."""

import torch

from skdyn.exceptions import DivergenceError, MaxStepsError, StiffnessError
from skdyn.solvers._checks import all_finite

__all__ = ["check_start", "diagnose", "diverged", "out_of_steps", "spectral_radius"]

# A state this much larger than it began is called diverged, whatever stopped the solve.
_GROWTH = 1e6


def check_start(dy, t):
    """Raise if the field is not finite at the first time."""
    if all_finite(dy):
        return
    case, dim = (~torch.isfinite(dy)).nonzero()[0].tolist()
    start = float(t if isinstance(t, float) else t.flatten()[case])
    raise DivergenceError(
        f"the field is {dy[case, dim].item()} at the first time t={start:g} in case {case}, "
        f"dimension {dim}. Check the field's parameters and the scale of y0.",
        case=case,
        t=start,
        n_steps=0,
    )


def spectral_radius(field, t, y, iterations=12):
    """Estimate the spectral radius of the field's Jacobian in each case, by power iteration.

    Parameters
    ----------
    field : callable
        The vector field.
    t : tensor
        Time.
    y : tensor of shape (n, d)
        States.
    iterations : int, default=12
        Evaluations spent; only failures pay for them.

    Returns
    -------
    radius : tensor of shape (n,)
        The estimate.
    """
    base = field(t, y)
    step = torch.finfo(y.dtype).eps ** 0.5 * y.norm(dim=1, keepdim=True).clamp_min(1.0)
    # A fixed direction with unequal entries; a random one would need a generator.
    ramp = torch.linspace(1.0, 2.0, y.shape[1], dtype=y.dtype, device=y.device)
    direction = (ramp / ramp.norm()).expand_as(y)
    radius = torch.zeros_like(step)
    for _ in range(iterations):
        change = (field(t, y + step * direction) - base) / step
        radius = change.norm(dim=1, keepdim=True)
        direction = change / radius.clamp_min(1e-30)
    return radius.flatten()


def diagnose(march, y, t, dt, n_steps, case, time, wild):
    """Build the error of a case whose step size vanished.

    Parameters
    ----------
    march : JointMarch or PerSampleMarch
        The march that failed.
    y : tensor of shape (n, d)
        Last good states.
    t : float
        Time reached.
    dt : float
        Last step tried.
    n_steps : int
        Steps tried.
    case : int
        The failing case.
    time : tensor
        The time as the field takes it.
    wild : bool
        Whether the last step tried left the finite numbers.

    Returns
    -------
    error : SolverError
        The error to raise.
    """
    norm, norm0 = (float(states[case].double().norm()) for states in (y, march.y0))
    if not norm < _GROWTH * (1 + norm0):
        return _diverging(t, case, norm, n_steps, dt)
    facts = dict(case=case, t=t, norm=norm, n_steps=n_steps, dt=dt)
    if wild:
        hint = "check where the field is defined, or shorten the horizon"
        return DivergenceError(
            f"the field is not finite beyond t={t:g} in case {case}, |y|={norm:.3g}, whatever the "
            f"step (down to {abs(dt):.1e}, {n_steps} steps); {hint}.",
            hint=hint,
            **facts,
        )
    radius = float(spectral_radius(march.tape.value, time, y)[case])
    return _stiff(radius, march.tableau.implicit, facts)


def diverged(ys, times, case, k, n_steps):
    """Build the error of fixed steps whose state left the finite numbers before time ``k``.

    Parameters
    ----------
    ys : tensor of shape (n, t, d)
        All states.
    times : tensor of shape (t,) or (n, t)
        Requested times.
    case, k : int
        The case, and its first time index without a finite state.
    n_steps : int
        Steps taken.

    Returns
    -------
    error : DivergenceError
        The error to raise.
    """
    row = times if times.ndim == 1 else times[case]
    t, norm = float(row[k]), float(ys[case, k - 1].norm())
    hint = "use a smaller step_size, or an adaptive solver such as 'tsit5'"
    return DivergenceError(
        f"the solution diverges before t={t:g} in case {case} under fixed steps; at the requested "
        f"time before that |y|={norm:.3g}; {hint}.",
        case=case,
        t=t,
        norm=norm,
        n_steps=n_steps,
        dt=abs(float(row[k] - row[k - 1])),
        hint=hint,
    )


def _diverging(t, case, norm, n_steps, dt):
    """A DivergenceError with the size of the state and what to try."""
    hint = "shorten the horizon, scale the data, or bound the field (for example with tanh)"
    return DivergenceError(
        f"the solution diverges at t={t:g} in case {case}: |y|={norm:.3g} and the step fell "
        f"to {abs(dt):.1e} after {n_steps} steps; {hint}.",
        case=case,
        t=t,
        norm=norm,
        n_steps=n_steps,
        dt=dt,
        hint=hint,
    )


def _stiff(radius, implicit, facts):
    """A StiffnessError with the spectral radius and what to try."""
    hint = (
        "loosen rtol and atol, or solve in float64"
        if implicit
        else "use the implicit solver='kvaerno5', loosen rtol and atol, or solve in float64"
    )
    return StiffnessError(
        f"steps of {abs(facts['dt']):.1e} are far below the time scale asked for at "
        f"t={facts['t']:g} in case {facts['case']} after {facts['n_steps']} steps; the field's "
        f"Jacobian has a spectral radius of about {radius:.2g}; {hint}.",
        spectral_radius=radius,
        hint=hint,
        **facts,
    )


def out_of_steps(march, y, t, dt, n_steps, t_end, case, time):
    """Build the error of a solve that used up its steps, or is bound to.

    Parameters are those of ``diagnose``; ``t_end`` is the last time, and ``case`` may be None for
    the worst one.

    Returns
    -------
    error : DivergenceError, StiffnessError or MaxStepsError
        Diverged when the state grew beyond measure, stiff when the step is held down by stability
        rather than by accuracy.
    """
    norms, norms0 = (states.double().norm(dim=1) for states in (y, march.y0))
    largest = int(norms.argmax()) if case is None else case
    if not norms[largest] < _GROWTH * (1 + norms0[largest]):
        return _diverging(t, largest, float(norms[largest]), n_steps, dt)
    radii = spectral_radius(march.tape.value, time, y)
    worst = int(radii.nan_to_num(0.0).argmax()) if case is None else case
    radius = float(radii[worst])
    facts = dict(case=worst, t=t, norm=float(norms[worst]), n_steps=n_steps, dt=dt)
    if not march.tableau.implicit and abs(dt) * radius > 0.5 * march.tableau.stability:
        return _stiff(radius, False, facts)
    hint = "raise max_steps, loosen rtol and atol, or shorten the horizon"
    return MaxStepsError(
        f"{n_steps} steps were taken and t={t:g} of {t_end:g} was reached (case {worst}, last "
        f"step {abs(dt):.1e}); {hint}.",
        hint=hint,
        **facts,
    )
