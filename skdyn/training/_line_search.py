"""L-BFGS on ground where a trial point may not exist."""

import math

import torch

from skdyn.exceptions import SolverError
from skdyn.training._weights import Snapshot

__all__ = ["GuardedStep"]


class GuardedStep:
    """A step of L-BFGS whose line search cannot lose what it has found.

    A line search probes far ahead. Where the loss is not a number there or the equation cannot be
    solved, a large value without slope makes it come back; only at its starting point is that a
    failure of the training. Where the loss is flat to the last digit, torch's interpolation
    divides zero by zero; the best weights seen then end the step.

    Parameters
    ----------
    net : LeanNet
        Whose optimizer is L-BFGS.
    batch : tuple of Tensor
        The full batch.
    """

    def __init__(self, net, batch):
        self.net = net
        self.batch = batch
        self.best = Snapshot(net.learnt())
        self.lowest = math.inf
        self.too_bad = None
        self.broken = False

    def take(self) -> torch.Tensor:
        """Let the optimizer take its step.

        Returns
        -------
        Tensor
            The loss before it.
        """
        loss = self.net.optimizer_.step(self._evaluate)
        if self.broken:
            self.best.restore()
            self.net.initialize_optimizer()
        return loss

    def _evaluate(self):
        weights = self.net.optimizer_.param_groups[0]["params"]
        self.broken |= not math.isfinite(sum(weight.detach().sum() for weight in weights))
        if self.broken:
            return self._wall()
        try:
            loss = self.net.gradients(self.batch)
        except SolverError:
            if self.too_bad is None:
                raise
            return self._wall()
        slopes = sum(weight.grad.sum() for weight in weights if weight.grad is not None)
        if not math.isfinite(loss.detach() + slopes):
            return loss if self.too_bad is None else self._wall()
        if self.too_bad is None:
            self.too_bad = 1e3 * (1.0 + loss.detach().abs())
        if loss < self.lowest:
            self.lowest = loss.item()
            self.best.take()
        return loss

    def _wall(self):
        self.net.optimizer_.zero_grad(set_to_none=False)
        return self.too_bad
