"""The front door: solve an ordinary differential equation for a batch of cases."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from skdyn._typing import CaseTimes, SharedTimes
from skdyn.solvers._checks import (
    check_case_weight,
    check_choice,
    check_events,
    check_regularization,
    check_state,
    check_steps,
    check_stops,
    check_times,
    check_tolerances,
)
from skdyn.solvers._control import Tolerance
from skdyn.solvers._events import locate
from skdyn.solvers._pieces import lay_grid, solve_pieces
from skdyn.solvers._route import Plan, Route, make_stepper
from skdyn.solvers._shapes import flat, in_rows, in_shape, of_shape
from skdyn.solvers._symplectic import LEAPFROG
from skdyn.solvers._tableaux import TABLEAUX

__all__ = ["ODESolution", "SolverStats", "is_adaptive", "solve_ode", "solver_names"]

_ADJOINTS = ("discrete", "checkpoint", "continuous", None)


class SolverStats(NamedTuple):
    """What a solve cost.

    Parameters
    ----------
    n_fev : int
        Evaluations of the field on the whole batch, forward pass only.
    n_accepted, n_rejected : int
        Steps; with per-sample control those of the busiest case.
    """

    n_fev: int
    n_accepted: int
    n_rejected: int


class ODESolution(NamedTuple):
    """Result of ``solve_ode``.

    Parameters
    ----------
    ys : tensor of shape (n, t, d)
        States at the requested times; ``ys[:, 0]`` is ``y0``.
    regularization : tensor of shape () or None
        Differentiable regularization term.
    stats : SolverStats
        What the solve cost.
    event_times : tensor of shape (n, k)
        Times of each case's events in order, NaN after the last; k = 0 where none are looked for.
    event_states : tensor of shape (n, k, d)
        States there.
    """

    ys: torch.Tensor
    regularization: torch.Tensor | None
    stats: SolverStats
    event_times: torch.Tensor
    event_states: torch.Tensor


def solver_names() -> tuple[str, ...]:
    """Names of all solvers.

    Returns
    -------
    names : tuple of str
        What ``solver`` may be.

    Examples
    --------
    >>> from skdyn.solvers import solver_names
    >>> "tsit5" in solver_names()
    True
    """
    return (*TABLEAUX, LEAPFROG.name)


def is_adaptive(solver: str) -> bool:
    """Whether a solver chooses its own steps.

    Parameters
    ----------
    solver : str
        Name of the solver.

    Returns
    -------
    adaptive : bool
        False for those that take ``step_size``, or one step an interval.

    Raises
    ------
    ValueError
        If there is no solver of that name.

    Examples
    --------
    >>> from skdyn.solvers import is_adaptive
    >>> is_adaptive("dopri5"), is_adaptive("rk4")
    (True, False)
    """
    check_choice("solver", solver, solver_names())
    return solver in TABLEAUX and TABLEAUX[solver].adaptive


def solve_ode(
    field: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    y0: torch.Tensor,
    t: SharedTimes | CaseTimes | Sequence[float],
    *,
    solver: str = "tsit5",
    rtol: float = 1e-5,
    atol: float = 1e-6,
    step_control: str = "joint",
    case_weight: torch.Tensor | None = None,
    adjoint: str | None = "discrete",
    max_steps: int = 1000,
    first_step: float | None = None,
    step_size: float | None = None,
    regularization: str | None = None,
    regularization_mode: str = "global",
    generator: torch.Generator | None = None,
    on_failure: str = "raise",
    stops: str | torch.Tensor | Sequence[float] | None = None,
    jumps: bool = False,
    events: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
    terminal: bool = False,
) -> ODESolution:
    r"""Solve :math:`dy/dt = f(t, y)` for a batch of initial states.

    Gradients flow to ``y0`` and to whatever the field depends on (a module's parameters, tensors
    that a function closes over), not to ``t``. Step sizes are constants of the backward pass.

    Parameters
    ----------
    field : callable
        ``field(t, y)`` returns the derivative (n, d) of the states ``y`` (n, d). ``t`` has shape
        () when all cases share the clock and (n, 1) when each has its own (per-sample control, or
        times for each case). Cases must not look at each other under ``step_control="per_sample"``
        or an implicit solver.
    y0 : tensor of shape (n, d)
        Initial states, float32 or float64. Any shape with the cases first will do, such as
        (n, channels, height, width); everything below then has it in the place of (n, d).
    t : tensor of shape (t,) or (n, t)
        Strictly increasing times, or strictly decreasing ones for backward time, in the unit of
        the field; shared, or one row per case. ``t[0]`` is the time of ``y0``. Lists work too.
    solver : str, default="tsit5"
        One of ``solver_names()``. ``"kvaerno5"`` is for stiff fields, ``"leapfrog"`` for separable
        Hamiltonians with ``y = [q, p]``.
    rtol, atol : float, default=1e-5, 1e-6
        Tolerances: a step is accepted when the root mean square of its error, each entry divided
        by ``atol + rtol * |y|``, is at most one.
    step_control : {"joint", "per_sample"}, default="joint"
        One step size for all, from the error over all cases, or one for each case, so that no
        case depends on its company.
    case_weight : tensor of shape (n,), default=None
        Positive weight of each case in the joint error; None weighs all alike. A case of weight
        two then counts as two cases do.
    adjoint : {"discrete", "checkpoint", "continuous", None}, default="discrete"
        How gradients are computed: exactly, from recorded evaluations; exactly, from the states
        kept and each step taken again (less memory, one more evaluation each; the field must be
        deterministic); by solving the adjoint equation backward in time, to tolerance, in constant
        memory; or None, by torch's graph of all operations.
    max_steps : int, default=1000
        Steps tried, accepted or not, before the solve gives up.
    first_step : float, default=None
        Size of the first step, in the unit of ``t``; None estimates one from the field.
    step_size : float, default=None
        Size of fixed steps, shortened so that each interval holds a whole number of them. None
        means adaptive steps where the solver has them, and one step an interval elsewhere.
    regularization : {"error", "stiffness"}, default=None
        Heuristic to return as a differentiable term.
    regularization_mode : {"global", "local"}, default="global"
        Whether the term sums all steps or estimates the sum from one random step.
    generator : torch.Generator, default=None
        Source of that draw; required by "local".
    on_failure : {"raise", "warn"}, default="raise"
        What a case that cannot be solved does under per-sample control: raise, or leave NaN from
        where it stopped and warn, while the others go on. Joint control always raises.
    stops : tensor of shape (k,) or "times", default=None
        Times that no step may cross, such as kinks of an input: those given, or all of ``t``.
    jumps : bool, default=False
        Whether the field itself jumps at the stops. It is then asked on both sides of each, at
        one more evaluation, and never for a time beyond the piece that is being solved.
    events : callable, default=None
        ``events(t, y)``, with ``t`` (n, 1), returns a number per case (n,), whose changes of sign
        are located and returned as ``event_times``, with gradients, and ``event_states``.
    terminal : bool, default=False
        Whether a case is over at its first event; its states are NaN from there on. Under joint
        control the field is still asked about it until all cases are over.

    Returns
    -------
    solution : ODESolution
        ``ys`` (n, t, d), ``regularization``, ``stats``, ``event_times`` and ``event_states``.

    Raises
    ------
    ValueError
        If an argument is not what it should be.
    DivergenceError
        If a state leaves the finite numbers.
    StiffnessError
        If stability holds an explicit solver's step far below the time scale asked for.
    MaxStepsError
        If ``max_steps`` do not reach the last time.

    Examples
    --------
    >>> import torch
    >>> from skdyn.solvers import solve_ode
    >>> t = torch.linspace(0, 1, 5, dtype=torch.float64)
    >>> y0 = torch.ones(1, 1, dtype=torch.float64)
    >>> ys = solve_ode(lambda t, y: -y, y0, t).ys
    >>> bool((ys[0, :, 0] - torch.exp(-t)).abs().max() < 1e-5)
    True
    """
    check_choice("solver", solver, solver_names())
    check_choice("step_control", step_control, ("joint", "per_sample"))
    check_choice("adjoint", adjoint, _ADJOINTS)
    check_choice("on_failure", on_failure, ("raise", "warn"))
    check_tolerances(rtol, atol)
    check_steps(max_steps, first_step, step_size)
    check_state(y0)
    times = check_times(t, len(y0))
    case_weight = check_case_weight(case_weight, len(y0))
    stops = check_stops(stops, jumps, times, on_failure)
    check_events(events, terminal, jumps, solver, adjoint)
    rows = flat(y0)
    tolerance = Tolerance(rtol, atol, rows, case_weight)
    tableau = make_stepper(solver, rows, tolerance).tableau
    check_regularization(regularization, regularization_mode, generator, adjoint, tableau)
    wants_last = regularization is not None or events is not None
    plan = Plan(
        tolerance, max_steps, first_step, step_size, on_failure, wants_last, terminal=terminal
    )
    route = Route(
        solver,
        plan,
        step_control == "per_sample" and tableau.adaptive and step_size is None,
        adjoint,
        regularization,
        regularization_mode,
        generator,
        events if events is None else of_shape(events, y0),
    )
    grid = lay_grid(times, stops)
    field = in_rows(field, y0)
    if jumps:
        ys, pieces = solve_pieces(route, field, rows, grid)
    else:
        pieces = [route.solve(field, rows, grid.times, landings=grid.landings)]
        ys = pieces[0].ys
    ys = ys if grid.wanted is None else ys[:, grid.wanted.to(ys.device)]
    return _solution(ys, pieces, times, y0)


def _solution(ys, pieces, times, y0):
    """Put together what the pieces of a solve came back with."""
    marches = [piece.march for piece in pieces]
    terms = [piece.term for piece in pieces if piece.term is not None]
    counts = ((m.tape.n_fev, m.n_accepted, m.n_rejected) for m in marches)
    stats = SolverStats(*map(sum, zip(*counts, strict=True)))
    events = ys.new_empty(len(ys), 0), ys.new_empty(len(ys), 0, ys.shape[2])
    if marches[0].watch is not None:
        events = locate(marches[0].watch, pieces[0].found)
        if marches[0].plan.terminal and events[0].shape[1]:
            sign = -1.0 if times.flatten()[-1] < times.flatten()[0] else 1.0
            ends = events[0].detach()[:, :1].nan_to_num(torch.inf * sign)
            over = sign * times.to(ys).expand(len(ys), -1) > sign * ends
            ys = torch.where(over[:, :, None], torch.nan, ys)
    term = torch.stack(terms).sum() if terms else None
    return ODESolution(in_shape(ys, y0), term, stats, events[0], in_shape(events[1], y0))
