"""One solve, along the way that its gradients need."""

from typing import Any, NamedTuple

import torch
from torch import nn

from skdyn.solvers._adjoint import DiscreteAdjoint
from skdyn.solvers._continuous import ContinuousAdjoint
from skdyn.solvers._control import Tolerance
from skdyn.solvers._dependencies import LateDependence, refuse_late_dependence
from skdyn.solvers._events import EventWatch
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

__all__ = ["Plan", "Route", "Solved", "make_stepper"]


class Plan(NamedTuple):
    """Settings that a march reads, checked."""

    tolerance: Tolerance
    max_steps: int
    first_step: Any
    step_size: float | None
    on_failure: str
    wants_last: bool
    landings: tuple[int, ...] = ()  # indices of times that no step may cross
    terminal: bool = False

    def renewed(self, like):
        """The same settings for states like ``like``."""
        return self._replace(
            tolerance=self.tolerance.renewed(like), first_step=None, landings=(), terminal=False
        )


class Solved(NamedTuple):
    """What one solve comes back with: ``found`` are the states at the events of its march."""

    ys: torch.Tensor
    term: torch.Tensor | None
    found: torch.Tensor | None
    march: JointMarch | PerSampleMarch


class Route(NamedTuple):
    """How to solve: settings that all pieces of one solution share.

    Parameters
    ----------
    solver : str
        Name of the method.
    plan : Plan
        What the march reads.
    per_sample : bool
        Whether each case has a step of its own.
    adjoint : str or None
        Kind of gradient.
    regularization, regularization_mode : str or None
        Of the solve.
    generator : torch.Generator or None
        Source of the draw of a local regularization.
    event : callable or None
        Whose zeros are looked for.
    """

    solver: str
    plan: Plan
    per_sample: bool
    adjoint: str | None
    regularization: str | None
    regularization_mode: str
    generator: torch.Generator | None
    event: Any = None

    def solve(self, field, y0, times, first_step=None, landings=()):
        """Solve over ``times``, (t,) or (n, t); ``landings`` are indices of them."""
        plan = self.plan._replace(landings=tuple(landings))
        route = self._replace(
            plan=plan if first_step is None else plan._replace(first_step=first_step)
        )
        before = None if self.generator is None else self.generator.get_state()
        try:
            return _solve(route, field, y0, times, certain=False)
        except LateDependence:  # once more, and keep every evaluation
            if self.generator is not None and before is not None:
                self.generator.set_state(before)
        return _solve(route, field, y0, times, certain=True)


def make_stepper(solver, y0, tolerance):
    """The method of that name, for states like ``y0``."""
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


def _solve(route, field, y0, times, certain):
    """Solve; ``certain`` that gradients are needed though the first evaluation needs none."""
    plan, adjoint = route.plan, route.adjoint
    stepper = make_stepper(route.solver, y0, plan.tolerance)
    regularizer = _regularizer(route, stepper.tableau, y0)
    differentiable = _may_need_gradients(field, y0)
    records = differentiable and adjoint in ("discrete", "checkpoint")
    keep = {"discrete": "all", "checkpoint": "states"}.get(adjoint, "none")
    with torch.no_grad():
        start = y0.detach()
        tape = _make_tape(field, y0, records, stepper, certain)
        kind = PerSampleMarch if route.per_sample else JointMarch
        march = kind(stepper, tape, start, times, plan, keep if records else "none")
        if regularizer is not None:
            march.rows.seals.append(regularizer.seal)
        if route.event is not None:
            march.watch = EventWatch(route.event, stepper.tableau, start, times, plan.terminal)
        march.start()
        if records and not tape.records:
            records = differentiable = False
            march.tape = WatchTape(field)
            march.tape.n_fev = tape.n_fev
    if records:
        ys, term, found = _discrete(march, regularizer, y0)
    elif differentiable and adjoint == "continuous":
        ys, term, found = _continuous(field, march, y0), None, None
    elif differentiable and adjoint is None:
        march.rows.keep = "states"
        with torch.no_grad():
            march.run()
            _ = regularizer and regularizer.total()
        ys, term, found = replay(march, field, y0, regularizer)
    else:
        march.rows.keep = "none"
        with torch.no_grad():
            march.run()
            term = regularizer.total() if regularizer is not None else None
        ys, found = march.output.solution(), march.watch and march.watch.states()
    return Solved(ys, term, found, march)


def _regularizer(route, tableau, y0):
    kind, mode = route.regularization, route.regularization_mode
    return None if kind is None else Regularizer(kind, mode, route.generator, tableau, y0)


def _discrete(march, regularizer, y0):
    """March, then let torch know where the gradients end: all evaluations tell that."""
    with torch.no_grad():
        march.run()
    return DiscreteAdjoint.apply(march, regularizer, y0, *march.tape.leaves)


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
