"""Why a solve failed, and what to say."""

import torch

from skdyn.exceptions import DivergenceError, MaxStepsError, StiffnessError

__all__ = ["check_start", "diagnose", "out_of_steps", "spectral_radius"]

# A state this much larger than it began is called diverged, whatever stopped the solve.
_GROWTH = 1e6


def check_start(dy, t):
    """Raise if the field is not finite at the first time."""
    finite = torch.isfinite(dy)
    if bool(finite.all()):
        return
    case, dim = (~finite).nonzero()[0].tolist()
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


def diagnose(field, y0, y, t, dt, n_steps, case, time, implicit, grown=None):
    """Build the error of a case whose step size vanished.

    Parameters
    ----------
    field : callable
        The vector field.
    y0, y : tensor of shape (n, d)
        First and last good states.
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
    implicit : bool
        Whether the method was implicit already.
    grown : bool, default=None
        Whether the state diverged; None means by its norm.

    Returns
    -------
    error : SolverError
        The error to raise.
    """
    norm, norm0 = float(y[case].norm()), float(y0[case].norm())
    facts = dict(case=case, t=t, norm=norm, n_steps=n_steps, dt=dt)
    if grown or not norm < _GROWTH * (1 + norm0):
        hint = "shorten the horizon, scale the data, or bound the field (for example with tanh)"
        return DivergenceError(
            f"the solution diverges at t={t:g} in case {case}: |y|={norm:.3g} and the step fell "
            f"to {abs(dt):.1e} after {n_steps} steps; {hint}.",
            hint=hint,
            **facts,
        )
    radius = float(spectral_radius(field, time, y)[case])
    return _stiff(radius, implicit, facts)


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


def out_of_steps(field, y, t, dt, n_steps, t_end, case, time, stability):
    """Build the error of a solve that used up its steps, or is bound to.

    Parameters are those of ``diagnose``; ``t_end`` is the last time and ``stability`` the method's
    reach on the negative real axis.

    Returns
    -------
    error : MaxStepsError or StiffnessError
        Stiff when the step is held down by stability rather than by accuracy.
    """
    radii = spectral_radius(field, time, y)
    worst = int(radii.nan_to_num(0.0).argmax()) if case is None else case
    radius = float(radii[worst])
    facts = dict(case=worst, t=t, norm=float(y[worst].norm()), n_steps=n_steps, dt=dt)
    if abs(dt) * radius > 0.5 * stability:
        return _stiff(radius, False, facts)
    hint = "raise max_steps, loosen rtol and atol, or shorten the horizon"
    return MaxStepsError(
        f"{n_steps} steps were taken and t={t:g} of {t_end:g} was reached (case {worst}, last "
        f"step {abs(dt):.1e}); {hint}.",
        hint=hint,
        **facts,
    )
