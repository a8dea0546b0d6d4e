r"""The continuous adjoint: gradients by an equation solved backward in time.

With :math:`a = \partial L / \partial y`,

.. math:: \dot a = -a^\top \frac{\partial f}{\partial y}, \qquad
          \frac{\partial L}{\partial \theta} =
          \int a^\top \frac{\partial f}{\partial \theta}\, dt

(Chen, Rubanova, Bettencourt and Duvenaud 2018). The integral is a quadrature over the accepted
steps with the method's own weights, so that parameters neither enter the state nor the error
control. The state restarts from its stored value at each requested time.
"""

from typing import Any

import torch

from skdyn.solvers._adjoint import first_order
from skdyn.solvers._tape import GraphTape

__all__ = ["ContinuousAdjoint"]


class _AdjointField:
    """The field of ``[y, a]`` (n, 2 d)."""

    def __init__(self, tape):
        self.tape = tape

    def __call__(self, t, z):
        out = torch.empty_like(z)
        y, a = z.chunk(2, dim=1)
        n, d = self.tape.n, y.shape[1]
        self.tape.evaluate(lambda i: t, 1, y, out[:, :d])
        out[:, d:] = -self.tape.slope(n, a)
        return out


class _Quadrature:
    """A tape of ``[y, a]`` that adds up the parameters' gradients of accepted steps."""

    records = False

    def __init__(self, field, leaves, dependencies):
        self.graph = GraphTape(field, ends=leaves, dependencies=dependencies)
        self.graph.restart()
        self.field = _AdjointField(self.graph)
        self.n_fev = 0
        self._costates = []

    @property
    def n(self):
        """Number of evaluations remembered."""
        return self.graph.n

    def value(self, t, z):
        """The derivative, not remembered."""
        n = self.n
        out = self.field(t, z)
        self.rewind(n)
        return out

    def evaluate(self, time, i, z, out):
        """Write the derivative of ``z`` at stage i into ``out``."""
        self.n_fev += 1
        self._costates.append(z.chunk(2, dim=1)[1])
        out.copy_(self.field(time(i), z))

    def rewind(self, n):
        """Forget the evaluations from number ``n`` on."""
        self.graph.rewind(n)
        del self._costates[n:]

    def accept(self, weights, span, end, z):
        """Add one step's quadrature; its last evaluation stays, as the next step's first."""
        for e, weight in enumerate(weights):
            if weight:
                # Time runs backward: h carries the sign that turns the integral round.
                self.graph.pull(e, self._costates[e] * (-weight * span.h))
        if span.ok is not None:
            # The cases that stood still go on from a state that was not the last evaluated.
            self.rewind(0)
            self.evaluate(lambda i: end, 1, z, torch.empty_like(z))
        self.graph.drop_before(self.n - 1)
        del self._costates[: len(self._costates) - 1]


class ContinuousAdjoint(torch.autograd.Function):
    """Solve forward; solve the adjoint equation between the requested times, last to first."""

    @staticmethod
    def forward(ctx, march, dependencies, y0, *leaves):
        """Take the outputs of a march that kept nothing else."""
        ctx.march, ctx.leaves, ctx.dependencies = march, leaves, dependencies
        ys = march.output.solution()
        ctx.save_for_backward(ys)
        return ys

    @staticmethod
    @first_order
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Gradients for the initial states and the field's leaves."""
        (ys,), (grad_ys,) = ctx.saved_tensors, grad_outputs
        march = ctx.march
        quadrature = _Quadrature(march.tape.field, list(ctx.leaves), ctx.dependencies)
        a = grad_ys[:, -1]
        for k in range(ys.shape[1] - 1, 0, -1):
            a = _interval(march, quadrature, ys[:, k], a, k) + grad_ys[:, k - 1]
        return None, None, a, *quadrature.graph.gradients()


def _interval(march, quadrature, y, a, k):
    """The costate at time k - 1, from that at time k."""
    times = march.times[..., [k, k - 1]]
    state = torch.cat([y, a], dim=1)
    quadrature.rewind(0)
    back = type(march)(
        march.stepper.renewed(state), quadrature, state, times, march.plan.renewed(state), "none"
    )
    weights = march.tableau.b
    back.on_accept = lambda span, end, z: quadrature.accept(weights, span, end, z)
    back.start()
    back.run()
    return back.output.solution()[:, -1, y.shape[1] :]
