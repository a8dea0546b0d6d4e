"""Discrete adjoints: exact gradients of the steps that were taken.

Step sizes are constants of the backward pass, as in backpropagation through a solver. The forward
pass runs without a graph around it; the field alone is recorded, evaluation by evaluation, and the
backward pass fills one adjoint matrix from the last row to the first.
"""

from functools import wraps
from typing import Any

import torch

from skdyn.solvers._rows import Chunk

__all__ = ["DiscreteAdjoint", "first_order"]


class _Refusal(torch.autograd.Function):
    """Stands where a second derivative would go on."""

    @staticmethod
    def forward(ctx, anchor, *grads):
        """Hand the gradients on."""
        return tuple(grad.clone() for grad in grads)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Say what to do instead."""
        raise RuntimeError(
            "the recorded adjoints of solve_ode know first derivatives only: a gradient of its "
            "gradient was asked for. Use adjoint=None, which torch can differentiate again."
        )


def first_order(backward):
    """Let a backward pass be differentiated by nothing, and say so instead of giving zero.

    Parameters
    ----------
    backward : callable
        A function's backward pass.

    Returns
    -------
    callable
    """

    @wraps(backward)
    def guarded(ctx, *grad_outputs):
        with torch.no_grad():
            grads = backward(ctx, *grad_outputs)
        if not torch.is_grad_enabled():  # create_graph=False
            return grads
        some = [k for k, grad in enumerate(grads) if isinstance(grad, torch.Tensor)]
        anchor = torch.zeros((), requires_grad=True)
        refusing = _Refusal.apply(anchor, *(grads[k] for k in some))
        tied = dict(zip(some, refusing, strict=True))
        return tuple(tied.get(k, grad) for k, grad in enumerate(grads))

    return guarded


class DiscreteAdjoint(torch.autograd.Function):
    """Take the solution of a march, and pull gradients back through its accepted steps.

    ``keep="all"`` has every evaluation at hand; ``keep="states"`` takes each step once more.
    """

    @staticmethod
    def forward(ctx, march, regularizer, y0, *leaves):
        """Take the outputs; the march, which came to the last time, holds what backward needs."""
        ctx.march, ctx.regularizer = march, regularizer
        if march.rows.keep == "states":
            march.tape.rewind(0)
        found = None if march.watch is None else march.watch.states()
        term = None if regularizer is None else regularizer.total()
        return march.output.solution(), term, found

    @staticmethod
    @first_order
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Gradients for the initial states and the field's leaves."""
        grad_ys, grad_term, grad_found = grad_outputs
        sweep = _Sweep(ctx.march, ctx.regularizer, grad_term, grad_found)
        grad_y0 = sweep.run(ctx.march.output.cotangent(grad_ys))
        return None, None, grad_y0, *ctx.march.tape.gradients()


class _Sweep:
    """One pass over the blocks, last to first."""

    def __init__(self, march, regularizer, grad_term, grad_found):
        self.march, self.regularizer = march, regularizer
        self.grad_term, self.grad_found = grad_term, grad_found
        self.again = march.rows.keep == "states"
        self.n_stages = march.tableau.n_stages
        self.step = march.n_blocks

    def run(self, grad):
        """The initial states' gradient, from the outputs' gradient."""
        march = self.march
        march.tape.restart()
        carry: Any = None
        for chunk in reversed(march.rows.sealed):
            adjoint = Chunk(len(chunk.spans), self.n_stages, march.y0, zero=True)
            if carry is not None:
                adjoint.z[-2:].copy_(carry)
            march.output.send_back(chunk, adjoint, grad)
            if march.watch is not None:
                march.watch.send_back(chunk, adjoint, self.grad_found)
            for j in range(len(chunk.spans) - 1, -1, -1):
                self._pull(chunk, adjoint, j)
            carry = adjoint.z[:2]
        if self.again:
            self._evaluate_start()
        grad_y0 = carry[0] + march.output.first(grad)
        grad_y0 = grad_y0.view_as(march.y0) + march.tape.pull(0, carry[1].view_as(march.y0))
        march.tape.flush()
        return grad_y0

    def _pull(self, chunk, adjoint, j):
        march, span = self.march, chunk.spans[j]
        self.step -= 1
        last = march.last_evaluated or self.step + 1 < march.n_blocks
        base, first = adjoint.base(j), 1 + self.step * (self.n_stages - 1)
        march.clock.begin(span)
        block = None if self.again else chunk.block(j)
        if self.again:
            block, first = self._take_again(chunk.z[j], last), 0
        if self.regularizer is not None:
            rows = adjoint.block(j)
            self.regularizer.send_back(block, rows, span.h, self.step, self.grad_term)
        if span.ok is not None:
            self._stand_still(adjoint.rows, base, span.ok)
        march.stepper.pull(march.tape, march.clock, adjoint, base, first, last)
        if self.again:
            march.tape.flush()

    def _stand_still(self, rows, base, ok):
        """A refused case's last derivative is its first one."""
        end, start = rows[base + self.n_stages + 1], rows[base + 1]
        start.add_(torch.where(ok, 0.0, end))
        end.mul_(ok)

    def _take_again(self, head, last):
        march = self.march
        march.tape.rewind(0)
        chunk = Chunk(1, self.n_stages, march.y0)
        chunk.z[:2].copy_(head)
        march.stepper.attempt(march.tape, march.clock, chunk, 0, last)
        return chunk.z

    def _evaluate_start(self):
        march = self.march
        march.tape.rewind(0)
        march.tape.evaluate(march.first_time, 1, march.y0, torch.empty_like(march.y0))
