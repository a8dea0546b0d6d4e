"""Levenberg-Marquardt: Newton's method for sums of squares and their like, kept on a leash."""

import math
from collections.abc import Callable, Iterable
from typing import Protocol

import torch

__all__ = ["LevenbergMarquardt"]

_FIRST, _LEAST = 1e-2, 1e-15
_TRIALS = 20  # dampings of one step: they double faster and faster, to 1e60 times the first
_CAUTION = 10.0  # how much more damping is tried where validation data watch


class Problem(Protocol):
    """What a step needs to know."""

    def weights(self) -> torch.Tensor:
        """Return what is minimized over, a vector."""
        ...

    def place(self, weights: torch.Tensor) -> None:
        """Take other weights."""
        ...

    def loss(self) -> torch.Tensor:
        """Return the loss at the present weights."""
        ...

    def expand(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the loss, its gradient and its Gauss-Newton matrix there."""
        ...


class LevenbergMarquardt(torch.optim.Optimizer):
    """Steps along ``-(H + damping diag(H))^-1 g``, H the Gauss-Newton matrix [1]_.

    The damping falls after a step that keeps what the quadratic model promised, and rises until a
    step lowers the loss [2]_.

    Parameters
    ----------
    params : iterable of Tensor
        What is learned.
    lr : float, default=0.0
        Unused: the damping sets the length of a step.

    References
    ----------
    .. [1] D. W. Marquardt, "An Algorithm for Least-Squares Estimation of Nonlinear Parameters",
       SIAM Journal on Applied Mathematics 11, 1963.
    .. [2] H. B. Nielsen, "Damping Parameter in Marquardt's Method", IMM report 5, Technical
       University of Denmark, 1999.
    """

    def __init__(self, params: Iterable[torch.Tensor], lr: float = 0.0) -> None:
        super().__init__(params, {"lr": lr})
        self.damping, self.growth = _FIRST, 2.0

    @torch.no_grad()
    def step(  # pyright: ignore[reportIncompatibleMethodOverride]: one step asks for more
        self, problem: Problem, watch: Callable[[], torch.Tensor] | None = None
    ) -> torch.Tensor:
        """Take one step, or none where no step lowers the loss.

        Parameters
        ----------
        problem : object
            ``problem.weights()`` is the vector to move, ``problem.place(vector)`` moves it there,
            ``problem.loss()`` is its loss, and ``problem.expand()`` its loss, gradient and
            Gauss-Newton matrix.
        watch : callable or None, default=None
            Loss on validation data: a more damped step is taken instead where it is lower there.

        Returns
        -------
        Tensor
            The loss before the step.
        """
        loss, gradient, curvature = problem.expand()
        start = problem.weights()
        diagonal = curvature.diagonal()
        # What no data and no penalty bind must not move freely either.
        tiny = torch.finfo(diagonal.dtype).tiny
        scale = diagonal + 1e-12 * diagonal.max().clamp(min=tiny)

        def gain(damping):
            """Move by the step of a damping; return what it gained and what it promised."""
            factor, failed = torch.linalg.cholesky_ex(curvature + torch.diag(damping * scale))
            if failed:
                return -math.inf, 1.0
            move = -torch.cholesky_solve(gradient[:, None], factor)[:, 0]
            problem.place(start + move)
            promised = -(gradient @ move + 0.5 * move @ curvature @ move)
            return (loss - problem.loss()).item(), promised.item()

        for _ in range(_TRIALS):
            gained, promised = gain(self.damping)
            if math.isfinite(gained) and gained > 0:
                if watch is not None:
                    self._be_careful(gain, watch, problem)
                quality = gained / max(promised, tiny)
                self.damping *= max(0.1, 1 - (2 * quality - 1) ** 3)
                self.damping, self.growth = max(self.damping, _LEAST), 2.0
                return loss
            self.damping *= self.growth
            self.growth *= 2.0
        problem.place(start)
        self.damping, self.growth = _FIRST, 2.0
        return loss

    def _be_careful(self, gain, watch, problem):
        """Damp the step further as long as that lowers the loss on the validation data."""
        lowest = watch()
        while self.damping < 1.0 / _LEAST:
            reached = problem.weights()
            gained, _ = gain(_CAUTION * self.damping)
            now = watch()
            if not (gained > 0 and now < lowest):
                problem.place(reached)
                return
            lowest, self.damping = now, _CAUTION * self.damping
