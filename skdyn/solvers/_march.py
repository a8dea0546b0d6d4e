"""Stepping all cases together, from the first time to the last."""

import math
from typing import Any

import torch

from skdyn.solvers._clock import OwnClock, SharedClock
from skdyn.solvers._control import Controller, starting_step
from skdyn.solvers._dense import SharedOutput
from skdyn.solvers._failures import check_start, diagnose, diverged, out_of_steps
from skdyn.solvers._rows import Rows, Span

__all__ = ["JointMarch"]

# A step that would end within this fraction of itself before a stop is stretched to reach it.
_STRETCH = 1.01
# Stiffness is looked for only when the steps left would not fit, and then this often; so many
# suspicions in a row convict, since a transient may be stiff and pass.
_SUSPECT_EVERY, _CONVICT = 25, 3


class JointMarch:
    """One clock for all cases.

    Times shared by the cases are the clock itself. With times of their own, the clock counts
    intervals: interval j runs from j to j + 1 in each case, and steps stop at its ends.

    Parameters
    ----------
    stepper : ExplicitStepper, ImplicitStepper or LeapfrogStepper
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
        self.shared = times.ndim == 1
        kind = SharedClock if self.shared else OwnClock
        self.clock = kind(tableau.matrix, tableau.nodes, tableau.b_error, y0)
        self.output = SharedOutput(tableau, y0, times.shape[-1])
        self.rows = Rows(tableau.n_stages, y0, self.output.seal, keep)
        self.adaptive = tableau.adaptive and plan.step_size is None
        self.controller = Controller(tableau.error_order + 1)
        # In the stiff limit an implicit method's stages are accurate at the steps' ends only.
        self._runs_through = self.shared and self.adaptive and not tableau.implicit
        self.n_accepted = self.n_rejected = 0
        self.last_evaluated = True
        self.on_accept: Any = None
        self.watch: Any = None  # looks for events
        self.times = times
        self._set_times(times)
        self._landings = [k for k in plan.landings if k > 0]

    def _set_times(self, times):
        if self.shared:
            self.stops = times.tolist()
            self._t = self._delta = self.y0.new_empty(1, 0)  # of own clocks only
        else:
            self.stops = [float(k) for k in range(times.shape[1])]
            self._t = times.to(self.y0)
            self._delta = self._t.diff(dim=1)
            self._lengths = times.diff(dim=1).abs().amax(dim=0).tolist()
        self.direction = 1.0 if self.stops[-1] > self.stops[0] else -1.0

    @property
    def n_blocks(self):
        """Number of steps on record."""
        return self.n_accepted

    def start(self):
        """Evaluate the field at the first time."""
        self.t, self.y, self.next = self.stops[0], self.y0, 1
        self.error = 1.0
        self._suspicion = 0
        rows = self.rows.chunk.rows
        self.tape.evaluate(self.first_time, 1, self.y0, rows[1])
        check_start(rows[1], self.stops[0] if self.shared else self._t[:, 0])

    def run(self):
        """Take all steps; the output and the rows hold the result."""
        if self.adaptive:
            self.h = self._first_step()
        if self.watch is not None:
            self.watch.start()
        while self.next < len(self.stops) and not (self.watch and self.watch.over):
            self._attempt()
        self.rows.close()
        if not self.adaptive:
            self._check_finite()

    @property
    def pace(self):
        """Size of the next step in the field's time, where a march goes on from here."""
        return self.h * (1.0 if self.shared else self._lengths[-1]) if self.adaptive else None

    def first_time(self, i=1):
        """Time of stage 1 of the first step, as the field takes it."""
        if self.shared:
            return torch.tensor(self.stops[0], dtype=self.y0.dtype, device=self.y0.device)
        return self._t[:, :1]

    def _first_step(self):
        if self.plan.first_step is not None:
            length = 1.0 if self.shared else self._lengths[0]
            return self.plan.first_step / length
        y, k = self.rows.chunk.rows[:2]
        sign = self.direction
        norm = self.plan.tolerance.joint
        velocity = k if self.shared else k * self._delta[:, :1]
        trial = torch.empty_like(k)

        def curvature_at(h):
            n = self.tape.n
            self.clock.begin(self._span(self.t, sign * h))
            self.tape.evaluate(self._moved, 1, y + sign * h * velocity, trial)
            self.tape.rewind(n)
            change = trial if self.shared else trial * self._delta[:, :1]
            return norm(change - velocity, y) / h

        size, slope = norm(y, y), norm(velocity, y)
        h = starting_step(size, slope, curvature_at, self.controller.order)
        return min(h, abs(self.stops[-1] - self.stops[0]))

    def _moved(self, i):
        """Time at the end of the step that the clock holds."""
        return self.clock.time(self.tableau.n_stages)

    def _span(self, t, h):
        """The step as the field's time sees it."""
        if self.shared:
            return Span(t, h)
        j = self.next - 1
        delta = self._delta[:, j : j + 1]
        return Span(self._t[:, j : j + 1] + (t - j) * delta, h * delta)

    def _propose(self):
        """Size of the step to try, and whether it ends at a stop."""
        stop = self._next_stop()
        gap = stop - self.t
        if self.adaptive:
            h = self.direction * self.h
        elif self.plan.step_size is None:
            return gap, stop
        else:
            width = self.plan.step_size / (1.0 if self.shared else self._lengths[self.next - 1])
            h = gap / max(1, math.ceil(abs(gap) / width - 1e-9))
        return (gap, stop) if abs(h) * _STRETCH >= abs(gap) else (h, None)

    def _next_stop(self):
        """The time that the next step must not cross."""
        if not self._runs_through:
            return self.stops[self.next]
        while self._landings and self._landings[0] < self.next:
            del self._landings[0]
        return self.stops[self._landings[0] if self._landings else -1]

    def _attempt(self):
        """Try one step."""
        if self.n_accepted + self.n_rejected >= self.plan.max_steps:
            self._give_up()
        h, stop = self._propose()
        span = self._span(self.t, h)
        chunk, base = self.rows.chunk, self.rows.base
        before = self.tape.n
        self.clock.begin(span)
        # The last of the fixed steps has no use for the derivative at its end.
        finishing = stop is not None and not self.adaptive and stop == self.stops[-1]
        self.last_evaluated = not finishing or self.plan.wants_last
        y1 = self.stepper.attempt(self.tape, self.clock, chunk, base, self.last_evaluated)
        if not self.adaptive:
            self._accept(span, h, stop, y1)
            return
        error = self._error(h, y1)
        unbroken = self.h
        self.h = abs(h) * self.controller.factor(error, self.error)
        if self._landings and stop is not None and error <= 1:
            self.h = max(self.h, unbroken)  # what a stop cut short says little of the next step
        if error <= 1:
            self.error = error
            self._accept(span, h, stop, y1)
            self._suspect()
        else:
            self.tape.rewind(before)
            self.n_rejected += 1
        if stop is None or error > 1 or math.isnan(error):
            self._check_step(h, y1, not math.isfinite(error))

    def _error(self, h, y1):
        estimate = self.clock.error(self.rows.chunk.z, self.rows.base)
        if self.shared:
            return abs(h) * self.plan.tolerance.joint(estimate, self.y, y1)
        return self.plan.tolerance.joint(self.clock.scale(estimate), self.y, y1)

    def _accept(self, span, h, stop, y1):
        if self.on_accept is not None:
            self.on_accept(span, None, y1)
        if self.watch is not None:
            self.watch.look(self.rows.chunk, span.t, span.h)
        self.n_accepted += 1
        end = self.t + h if stop is None else stop
        lo, thetas = self.next, []
        while self.next < len(self.stops):
            beyond = (self.stops[self.next] - end) * self.direction
            if beyond > 0:
                break
            thetas.append(1.0 if beyond == 0 else (self.stops[self.next] - self.t) / h)
            self.next += 1
        self.rows.accept(span, (lo, self.next, thetas))
        if not self.shared and self.adaptive and 0 < self.next - 1 < len(self._lengths) and thetas:
            # The unit clock of the next interval runs at another pace.
            self.h *= self._lengths[self.next - 2] / self._lengths[self.next - 1]
        self.t, self.y = end, y1

    def _check_step(self, h, y1, wild):
        """Raise when the step size, after ``h``, has shrunk to the rounding of time."""
        if self.h > 10 * 2.0**-52 * max(abs(self.t), 1e-3 * abs(self.stops[-1] - self.stops[0])):
            return
        size = torch.where(torch.isfinite(y1), y1.abs(), torch.inf).amax(dim=1)
        bad = int(size.argmax())
        n_steps = self.n_accepted + self.n_rejected
        raise diagnose(
            self, self.y, self._real_time(bad), h, n_steps, bad, self.clock.time(1), wild
        )

    def _real_time(self, case):
        """Time of a case, whatever the clock counts."""
        if self.shared:
            return self.t
        return float(self._span(self.t, 0.0).t[case])

    def _suspect(self):
        """Raise early when stability holds the step down and the steps left cannot suffice."""
        if self.n_accepted % _SUSPECT_EVERY or self.tableau.implicit:
            return
        left = abs(self.stops[-1] - self.t) / self.h
        if self.n_accepted + self.n_rejected + left < self.plan.max_steps:
            self._suspicion = 0
            return
        error = self._exhausted()
        self._suspicion = self._suspicion + 1 if hasattr(error, "spectral_radius") else 0
        if self._suspicion >= _CONVICT:
            raise error

    def _exhausted(self):
        span = self._span(self.t, self.direction * getattr(self, "h", 0.0))
        self.clock.begin(span)
        return out_of_steps(
            self,
            self.y,
            self._real_time(0),
            float(torch.as_tensor(span.h).abs().max()),
            self.n_accepted + self.n_rejected,
            self.stops[-1] if self.shared else float(self._t[0, -1]),
            None,
            self.clock.time(1),
        )

    def _give_up(self):
        raise self._exhausted()

    def _check_finite(self):
        """Fixed steps know no error: look at the result, once."""
        ys = self.output.solution()[:, : self.next]
        finite = torch.isfinite(ys).all(dim=2)
        if bool(finite.all()):
            return
        k = int((~finite).any(dim=0).nonzero()[0])
        case = int((~finite[:, k]).nonzero()[0])
        raise diverged(ys, self.times, case, k, self.n_accepted)
