"""Stepping each case at its own pace."""

from typing import Any

import torch

from skdyn.exceptions import SolverWarning, warn_user
from skdyn.solvers._clock import OwnClock
from skdyn.solvers._control import Controller, starting_steps
from skdyn.solvers._dense import CaseOutput
from skdyn.solvers._failures import check_start, diagnose, out_of_steps
from skdyn.solvers._rows import Rows, Span

__all__ = ["PerSampleMarch"]

_STRETCH = 1.01


class PerSampleMarch:
    """A clock, a step size and an error for each case; only the field is evaluated together.

    A case that has finished or failed stands still (its step is zero), so that it neither slows
    the others' clocks nor reaches their accuracy.

    Parameters
    ----------
    stepper : ExplicitStepper or ImplicitStepper
        The method.
    tape : Tape
        Evaluates the field.
    y0 : tensor of shape (n, d)
        Initial states.
    times : tensor of shape (t,) or (n, t)
        Times, float64.
    plan : Plan
        Tolerances and bounds.
    keep : {"all", "states", "none"}
        What to keep for the adjoint.
    """

    def __init__(self, stepper, tape, y0, times, plan, keep):
        self.stepper, self.tape, self.plan, self.y0 = stepper, tape, plan, y0
        self.tableau = tableau = stepper.tableau
        self.times = times.expand(len(y0), -1)
        self.clock = OwnClock(tableau.matrix, tableau.nodes, tableau.b_error, y0)
        self.output = CaseOutput(tableau, y0, self.times)
        self.rows = Rows(tableau.n_stages, y0, self.output.seal, keep)
        self.controller = Controller(tableau.error_order + 1)
        self.last_evaluated = True
        self.on_accept: Any = None
        self.watch: Any = None  # looks for events
        self.n_blocks = 0

    @property
    def n_accepted(self):
        """Accepted steps of the busiest case."""
        return int(self._accepted.max())

    @property
    def n_rejected(self):
        """Rejected steps of the busiest case."""
        return int(self._rejected.max())

    def first_time(self, i=1):
        """Time of stage 1 of the first step, as the field takes it."""
        return self._first

    def start(self):
        """Evaluate the field at the first times."""
        rows = self.rows.chunk.rows
        self._first = self.times[:, :1].to(self.y0)
        self.tape.evaluate(self.first_time, 1, self.y0, rows[1])
        self._failed = torch.zeros(len(self.y0), 1, dtype=torch.bool, device=self.y0.device)
        finite = torch.isfinite(rows[1]).all(dim=1, keepdim=True)
        if self.plan.on_failure == "raise" or self.tape.records or not bool(finite.any()):
            check_start(rows[1], self.times[:, 0])
        self._failed = ~finite

    def run(self):
        """Take all steps; the output and the rows hold the result."""
        self.t, self._end = self.times[:, :1], self.times[:, -1:]
        self._span_length = (self._end - self.t).abs()
        self._sign = torch.sign(self._end - self.t)
        self.y, self.k = self.rows.chunk.rows[:2]
        self._active = ~self._failed
        # An implicit method stops at each requested time, as in ``JointMarch``.
        self._last_index = self.times.shape[1] - 1
        stops = range(1, self._last_index) if self.tableau.implicit else self.plan.landings
        self._following = self._stop_after(set(stops))
        self._next = self._following[0].expand(self.t.shape)
        self._error = torch.ones_like(self.y0[:, :1])
        self._accepted = torch.zeros_like(self._failed, dtype=torch.long)
        self._rejected = torch.zeros_like(self._accepted)
        self.h = torch.minimum(self._first_steps().to(self.t), self._span_length)
        if self.watch is not None:
            self.watch.start()
        tries, going = 0, bool(self._active.any())
        while going:
            if tries == self.plan.max_steps:
                self._give_up(tries)
                break
            tries += 1
            going = self._attempt(tries)
        self.rows.close()
        if bool(self._failed.any()):
            self._warn()

    def _stop_after(self, stops):
        """For each time, the index of the next one that no step may cross."""
        following = [self._last_index] * (self._last_index + 1)
        for k in range(self._last_index - 1, -1, -1):
            following[k] = k + 1 if k + 1 in stops else following[k + 1]
        return torch.tensor(following, device=self.t.device)

    @property
    def pace(self):
        """Size of the next step of each case, where a march goes on from here."""
        return self.h

    def _first_steps(self):
        if self.plan.first_step is not None:
            return torch.as_tensor(self.plan.first_step).to(self.t).expand(self.t.shape)
        y, k, each = self.y, self.k, self.plan.tolerance.each
        sign, trial = self._sign.to(self.y0), torch.empty_like(self.k)

        def curvature_at(h):
            n = self.tape.n
            self.tape.evaluate(lambda i: self._first + sign * h, 1, y + sign * h * k, trial)
            self.tape.rewind(n)
            return each(trial - k, y) / h

        return starting_steps(each(y, y), each(k, y), curvature_at, self.controller.order)

    def _attempt(self, tries):
        """Try one step in every active case; whether any is left to do."""
        stop = self.times.gather(1, self._next)
        left = stop - self.t
        last = self.h * _STRETCH >= left.abs()
        h = torch.where(last, left, self.h * self._sign)
        h = torch.where(self._active, h, torch.zeros_like(h))
        before = self.tape.n
        span = Span(self.t.to(self.y0), h.to(self.y0))
        self.clock.begin(span)
        chunk, base = self.rows.chunk, self.rows.base
        y1 = self.stepper.attempt(self.tape, self.clock, chunk, base)
        error = self._errors(chunk, base, y1)
        ok = (error <= 1) & self._active
        refused = self._active & ~ok
        new = h.abs() * self.controller.factors(error, self._error)
        if self.plan.landings:  # what a stop cut short says little of the next step
            new = torch.where(ok & last, torch.maximum(new, self.h), new)
        self.h = torch.where(self._active, new, self.h)
        smallest = 10 * 2.0**-52 * torch.maximum(self.t.abs(), 1e-3 * self._span_length)
        arrived = ok & last
        vanished = self._active & ~arrived & (self.h <= smallest)
        active = self._active & ~(arrived & (self._next == self._last_index)) & ~vanished
        flags = [ok, refused, refused & ~torch.isfinite(error), vanished, active]
        moved, some_refused, some_wild, some_lost, going = torch.stack(
            [flag.any() for flag in flags]
        ).tolist()
        self._next = torch.where(arrived, self._following[self._next], self._next)
        self._accepted += ok
        self._rejected += refused
        if some_lost:
            self._lose(vanished, h, tries, ~torch.isfinite(error))
        if not moved:
            self.tape.rewind(before)
        else:
            self._advance(
                span, h, last, stop, ok, refused, error, some_refused, some_wild, before, y1
            )
        if self.watch is not None:
            active = active & ~self.watch.ended
            going = going and bool(active.any())
        self._active = active
        return going

    def _errors(self, chunk, base, y1):
        estimate = self.clock.scale(self.clock.error(chunk.z, base))
        return self.plan.tolerance.each(estimate, self.y, y1)

    def _advance(
        self, span, h, last, stop, ok, refused, error, some_refused, some_wild, before, y1
    ):
        """Move the accepted cases; the refused ones stand still."""
        chunk, base, s = self.rows.chunk, self.rows.base, self.tableau.n_stages
        still = None
        if some_refused:
            still = ~refused
            h = torch.where(still, h, torch.zeros_like(h))
            span = Span(span.t, h.to(self.y0), still)
            if some_wild:
                # Overflow in a refused case must not reach the adjoint as zero times infinity.
                self.tape.rewind(before)
                self.clock.begin(span)
                y1 = self.stepper.attempt(self.tape, self.clock, chunk, base)
            y1 = torch.where(still, y1, self.y)
            chunk.rows[base + s].copy_(y1)
            torch.where(
                still, chunk.rows[base + s + 1], chunk.rows[base + 1], out=chunk.rows[base + s + 1]
            )
        end = torch.where(ok, torch.where(last, stop, self.t + h), self.t)
        self._error = torch.where(ok, error, self._error)
        if self.on_accept is not None:
            self.on_accept(span, end.to(y1), y1)
        if self.watch is not None:
            self.watch.look(chunk, self.t, h)
        self.rows.accept(span, (self.t, h, end))
        self.n_blocks += 1
        self.t, self.y = end, y1

    def _facts(self, case, h):
        return float(self.t[case]), float(h[case])

    def _lose(self, vanished, h, tries, wild):
        """A step vanished: raise, or go on without those cases."""
        self._failed = self._failed | vanished
        if self.plan.on_failure == "raise":
            case = int(vanished.flatten().nonzero()[0])
            t, dt = self._facts(case, h)
            time = self.t.to(self.y0)
            raise diagnose(self, self.y, t, dt, tries, case, time, bool(wild[case]))

    def _give_up(self, tries):
        """The steps are used up: raise, or end without the unfinished cases."""
        self._failed = self._failed | self._active
        if self.plan.on_failure == "raise":
            case = int(self._active.flatten().nonzero()[0])
            t, dt = self._facts(case, self.h)
            raise out_of_steps(
                self,
                self.y,
                t,
                dt,
                tries,
                float(self._end[case]),
                case,
                self.t.to(self.y0),
            )

    def _warn(self):
        cases = self._failed.flatten().nonzero().flatten().tolist()
        shown = ", ".join(map(str, cases[:10])) + (", ..." if len(cases) > 10 else "")
        warn_user(
            f"{len(cases)} of {len(self.y0)} cases could not be solved to the end (cases {shown}); "
            "their states are NaN from where they stopped. Use on_failure='raise' for the reason.",
            SolverWarning,
        )
