"""Levenberg-Marquardt: Newton's method for sums of squares and their like, kept on a leash."""

import math
from collections.abc import Callable, Iterable
from typing import Protocol

import torch

__all__ = ["LevenbergMarquardt"]

_FIRST, _LEAST = 1e-2, 1e-15
_TRIALS = 20  # dampings of one step: they double faster and faster, to 1e60 times the first
_ROUNDS = 30  # of guesses which bounds hold a step; what is left then is cut off at them
_SHORT = 3 / 16  # part of a step up to which its bend is believed
_EASE = 0.3  # factor on the damping at most, after a step that kept its promise
_EXACT = 0.99  # part of a promise whose keeping says that the model is exact
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

    def lower(self) -> torch.Tensor | None:
        """Return what the weights must not go below; None where they are free."""
        ...

    def bend(self, move: torch.Tensor) -> torch.Tensor | None:
        """Return the outputs' second derivative along a move from there, by their gradients."""
        ...


class LevenbergMarquardt(torch.optim.Optimizer):
    """Steps along ``-(H + damping diag(H))^-1 g``, H the Gauss-Newton matrix [1]_.

    The damping falls after a step that keeps what the quadratic model promised, and rises until a
    step lowers the loss [2]_. Steps follow the bend of narrow valleys to second order, where that
    is short beside the step itself [3]_. Where weights have lower bounds, a step is the least of
    the quadratic model within them, found by a primal-dual active set [4]_.

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
    .. [3] M. K. Transtrum, J. P. Sethna, "Improvements to the Levenberg-Marquardt Algorithm for
       Nonlinear Least-Squares Minimization", arXiv:1201.5885, 2012.
    .. [4] M. Hintermueller, K. Ito, K. Kunisch, "The Primal-Dual Active Set Strategy as a
       Semismooth Newton Method", SIAM Journal on Optimization 13, 2002.
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
            ``problem.loss()`` is its loss, ``problem.expand()`` its loss, gradient and
            Gauss-Newton matrix, ``problem.lower()`` its lower bounds or None, and
            ``problem.bend(move)`` its gradient's second derivative along a move, as far as it comes
            of that of the outputs, or None; it may leave the weights anywhere.
        watch : callable or None, default=None
            Loss on validation data: a more damped step is taken instead where it is lower there.

        Returns
        -------
        Tensor
            The loss before the step.
        """
        loss, gradient, curvature = problem.expand()
        start, lower = problem.weights(), problem.lower()
        room = None if lower is None else (start - lower).clamp(min=0)
        diagonal = curvature.diagonal()
        # What no data and no penalty bind must not move freely either.
        tiny, eps = torch.finfo(diagonal.dtype).tiny, torch.finfo(diagonal.dtype).eps
        scale = diagonal + 1e-12 * diagonal.max().clamp(min=tiny)

        def gain(damping, bend=None):
            """Move by the step of a damping; return what it gained and what it promised."""
            matrix = curvature.clone()
            matrix.diagonal().add_(damping * scale)
            if room is None:
                move, bent = _followed(matrix, gradient, bend, scale)
            else:
                move = bent = _least(matrix, gradient, room)
            if move is None or bent is None:
                return -math.inf, 1.0
            problem.place(start + bent if lower is None else torch.maximum(start + bent, lower))
            promised = -(gradient @ move + 0.5 * move @ curvature @ move)
            return (loss - problem.loss()).item(), promised.item()

        rounding = eps * abs(loss.item())
        for trial in range(_TRIALS):  # where the first is too far, the bend there says little
            gained, promised = gain(self.damping, None if trial else problem.bend)
            if math.isfinite(gained) and gained > 0:
                if watch is not None:
                    self._be_careful(gain, watch, problem)
                quality = gained / max(promised, tiny)
                # At the solution it may vanish.
                least = _EASE**2 if quality > _EXACT and not trial else _EASE
                self.damping *= max(least, 1 - (2 * quality - 1) ** 3)
                self.damping, self.growth = max(self.damping, _LEAST), 2.0
                return loss
            if abs(promised) <= rounding:  # a shorter step promises less: none could be told
                break
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


def _followed(matrix, gradient, bend, scale):
    """Return the least of ``gradient @ move + move @ matrix @ move / 2``, and where it bends to.

    None where there is no least.
    """
    factor = _factor(matrix)
    if factor is None:
        return None, None
    move = torch.cholesky_solve(-gradient[:, None], factor)
    bending = None if bend is None else bend(move[:, 0])
    if bending is None:
        return move[:, 0], move[:, 0]
    turn = torch.cholesky_solve(-0.5 * bending[:, None], factor)
    both = torch.cat([turn, move], dim=1).square()
    far = (scale @ both).sqrt()  # NaN where the outputs cannot be told
    return move[:, 0], (move + turn if far[0] <= _SHORT * far[1] else move)[:, 0]


def _least(matrix, gradient, room):
    """Return the least within bounds: no move goes below ``-room``; None where there is none."""
    held = (room == 0) & (gradient > 0)
    move = torch.zeros_like(gradient)
    for _ in range(_ROUNDS):
        free = (~held).nonzero()[:, 0]
        move = torch.where(held, -room, 0.0)
        found = _solved(matrix[free[:, None], free], -(gradient + matrix @ move)[free])
        if found is None:
            return None
        move[free] = found
        # Held is what would go beyond its bound, and what pushes against it.
        now = torch.where(held, gradient + matrix @ move > 0, move < -room)
        if torch.equal(now, held):
            return move
        held = now
    return torch.maximum(move, -room)


def _solved(matrix, right):
    """Solve a system of a positive definite matrix; None where it is not."""
    factor = _factor(matrix)
    return None if factor is None else torch.cholesky_solve(right[:, None], factor)[:, 0]


def _factor(matrix):
    factor, failed = torch.linalg.cholesky_ex(matrix)
    return None if failed else factor
