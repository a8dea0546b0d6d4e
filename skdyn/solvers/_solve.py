"""The front door: solve an ordinary differential equation for a batch of cases."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import nn

from skdyn._typing import CaseTimes, SharedTimes, States, Trajectories
from skdyn.solvers._adjoint import DiscreteAdjoint
from skdyn.solvers._checks import (
    check_case_weight,
    check_choice,
    check_regularization,
    check_state,
    check_steps,
    check_times,
    check_tolerances,
)
from skdyn.solvers._continuous import ContinuousAdjoint
from skdyn.solvers._control import Tolerance
from skdyn.solvers._dependencies import LateDependence, refuse_late_dependence
from skdyn.solvers._explicit import ExplicitStepper
from skdyn.solvers._fused import MLPTape, can_fuse
from skdyn.solvers._implicit import ImplicitStepper
from skdyn.solvers._march import JointMarch
from skdyn.solvers._per_sample import PerSampleMarch
from skdyn.solvers._regularization import Regularizer
from skdyn.solvers._replay import replay
from skdyn.solvers._symplectic import LEAPFROG, LeapfrogStepper
from skdyn.solvers._tableaux import TABLEAUX
from skdyn.solvers._tape import GraphTape, SilentTape, WatchTape

__all__ = ["ODESolution", "Plan", "SolverStats", "is_adaptive", "solve_ode", "solver_names"]

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
    """

    ys: Trajectories
    regularization: torch.Tensor | None
    stats: SolverStats


class Plan(NamedTuple):
    """Settings that a march reads, checked."""

    tolerance: Tolerance
    max_steps: int
    first_step: float | None
    step_size: float | None
    on_failure: str
    wants_last: bool

    def renewed(self, like):
        """The same settings for states like ``like``."""
        return self._replace(tolerance=self.tolerance.renewed(like), first_step=None)


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
    y0: States,
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
        Initial states, float32 or float64.
    t : tensor of shape (t,) or (n, t)
        Strictly increasing times, or strictly decreasing ones for backward time, in the unit of
        the field; shared, or one row a case. ``t[0]`` is the time of ``y0``. Lists work too.
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

    Returns
    -------
    solution : ODESolution
        ``ys`` (n, t, d), ``regularization`` and ``stats``.

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
    check_case_weight(case_weight, len(y0))
    tolerance = Tolerance(rtol, atol, y0, case_weight)
    tableau = _make_stepper(solver, y0, tolerance).tableau
    check_regularization(regularization, regularization_mode, generator, adjoint, tableau)
    plan = Plan(
        tolerance,
        max_steps,
        first_step,
        step_size,
        on_failure,
        regularization is not None,
    )
    per_sample = step_control == "per_sample" and tableau.adaptive and step_size is None
    kind = PerSampleMarch if per_sample else JointMarch

    def solve(certain):
        stepper, regularizer = _make_stepper(solver, y0, tolerance), None
        if regularization is not None:
            regularizer = Regularizer(regularization, regularization_mode, generator, tableau, y0)
        return _solve(field, y0, times, stepper, plan, kind, adjoint, regularizer, certain)

    before = None if generator is None else generator.get_state()
    try:
        return solve(certain=False)
    except LateDependence:  # once more, and keep every evaluation
        if generator is not None and before is not None:
            generator.set_state(before)
    return solve(certain=True)


def _make_stepper(solver, y0, tolerance):
    if solver == LEAPFROG.name:
        return LeapfrogStepper(y0)
    tableau = TABLEAUX[solver]
    return ImplicitStepper(tableau, tolerance) if tableau.implicit else ExplicitStepper(tableau)


def _may_need_gradients(field, y0):
    """Whether something could ask for a gradient; a plain function must be tried to know."""
    if not torch.is_grad_enabled():
        return False
    if y0.requires_grad or not isinstance(field, nn.Module):
        return True
    return any(p.requires_grad for p in field.parameters())


def _make_tape(field, y0, records, stepper, certain):
    """The cheapest tape that does the job."""
    if can_fuse(field, y0) and not stepper.needs_jacobian:
        return MLPTape(field, y0, records)
    return GraphTape(field, y0.requires_grad or certain) if records else SilentTape(field)


def _solve(field, y0, times, stepper, plan, kind, adjoint, regularizer, certain):
    """Solve; ``certain`` that gradients are needed though the first evaluation needs none."""
    differentiable = _may_need_gradients(field, y0)
    records = differentiable and adjoint in ("discrete", "checkpoint")
    keep = {"discrete": "all", "checkpoint": "states"}.get(adjoint, "none")
    with torch.no_grad():
        start = y0.detach()
        tape = _make_tape(field, y0, records, stepper, certain)
        march = kind(stepper, tape, start, times, plan, keep if records else "none")
        if regularizer is not None:
            march.rows.seals.append(regularizer.seal)
        march.start()
        if records and not tape.records:
            records = differentiable = False
            march.tape = WatchTape(field)
            march.tape.n_fev = tape.n_fev
    if records:
        ys, term = _discrete(march, regularizer, y0)
    elif differentiable and adjoint == "continuous":
        ys, term = _continuous(field, march, y0), None
    elif differentiable and adjoint is None:
        march.rows.keep = "states"
        with torch.no_grad():
            march.run()
            _ = regularizer and regularizer.total()
        ys, term = replay(march, field, y0, regularizer)
    else:
        march.rows.keep = "none"
        with torch.no_grad():
            march.run()
            term = regularizer.total() if regularizer is not None else None
        ys = march.output.solution()
    return ODESolution(ys, term, SolverStats(march.tape.n_fev, march.n_accepted, march.n_rejected))


def _discrete(march, regularizer, y0):
    """March, then let torch know where the gradients end: all evaluations tell that."""
    with torch.no_grad():
        march.run()
    result = DiscreteAdjoint.apply(march, regularizer, y0, *march.tape.leaves)
    return result if regularizer is not None else (result, None)


def _continuous(field, march, y0):
    """March without a record; one evaluation with a graph tells what the field depends on."""
    probe = GraphTape(field)
    probe.evaluate(march.first_time, 1, march.y0, torch.empty_like(march.y0))
    if not (probe.leaves or y0.requires_grad):
        march.tape = WatchTape(field)
    march.rows.keep = "none"
    try:
        with torch.no_grad():
            march.run()
    except LateDependence:
        refuse_late_dependence()
    return ContinuousAdjoint.apply(march, probe.dependencies, y0, *probe.leaves)
