"""How large the next step may be.

A proportional-integral controller (Gustafsson 1991; Hairer and Wanner, Solving Ordinary
Differential Equations II, section IV.2) and the starting step of Hairer, Nørsett and Wanner (volume
I, section II.4).
"""

import math
from typing import NamedTuple

import torch

__all__ = ["Controller", "Tolerance", "starting_step", "starting_steps"]

# Safety factor and bounds of one change of step (Hairer's DOPRI5).
_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 10.0
# Memory of the last error, relative to 1 / order. Half of Hairer's: fields of networks are smooth,
# and the integral controller that it tends to takes a fifth fewer steps there.
_DAMPING = 0.1
# Below this scaled error the growth bound is active anyway; it keeps the power finite.
_TINY = 1e-10


class Tolerance:
    """Scaled norms of errors: below one is accepted.

    Parameters
    ----------
    rtol, atol : float
        Relative and absolute tolerance.
    like : tensor
        A state, for dtype and device.
    case_weight : tensor of shape (n,), default=None
        Weight of each case in the joint norm.
    """

    def __init__(self, rtol, atol, like, case_weight=None):
        self.rtol = rtol
        self._case_weight = case_weight
        self._emphasis = None
        if case_weight is not None:
            self._emphasis = (case_weight / case_weight.mean()).to(like).sqrt()[:, None]
        self._atol = torch.tensor(atol, dtype=like.dtype, device=like.device)
        self._root = math.sqrt(like.numel())
        self._dim = math.sqrt(like.shape[1])

    def renewed(self, like):
        """The same tolerances for states like ``like``."""
        return Tolerance(self.rtol, float(self._atol), like, self._case_weight)

    def _scaled(self, error, *states):
        size = states[0].abs()
        for state in states[1:]:
            size = torch.maximum(size, state.abs())
        return error / torch.add(self._atol, size, alpha=self.rtol)

    def joint(self, error, *states):
        """Root mean square over all cases and dimensions, a float (one synchronization)."""
        scaled = self._scaled(error, *states)
        if self._emphasis is not None:
            scaled = scaled * self._emphasis
        return float(torch.linalg.vector_norm(scaled)) / self._root

    def each(self, error, *states):
        """Root mean square of each case, shape (n, 1)."""
        scaled = self._scaled(error, *states)
        return torch.linalg.vector_norm(scaled, dim=1, keepdim=True) / self._dim


class Controller(NamedTuple):
    """Proportional-integral controller of a method whose error estimate has order ``order``."""

    order: int

    @property
    def exponents(self):
        """Powers of the present and the last accepted scaled error."""
        past = _DAMPING / self.order
        return -(1 / self.order - 0.75 * past), past

    def factor(self, error, last_error):
        """Factor of the next step, floats."""
        if not math.isfinite(error):
            return _SHRINK
        now, past = self.exponents
        factor = _SAFETY * max(error, _TINY) ** now * max(last_error, 1e-4) ** past
        return min(_GROW if error <= 1 else 1.0, max(_SHRINK, factor))

    def factors(self, error, last_error):
        """Factors of the next steps, one for each case."""
        now, past = self.exponents
        factor = _SAFETY * error.clamp_min(_TINY) ** now * last_error.clamp_min(1e-4) ** past
        factor = factor.nan_to_num_(_SHRINK).clamp_(_SHRINK, _GROW)
        return torch.where(error <= 1, factor, factor.clamp_max(1.0))


def starting_step(size, slope, curvature_at, order):
    """First step from the norms of state and derivative, floats.

    Parameters
    ----------
    size, slope : float
        Scaled norms of the state and of its derivative.
    curvature_at : callable
        Scaled norm of the second derivative, estimated with the step given.
    order : int
        Order of the error estimate.

    Returns
    -------
    step : float
        A positive step.
    """
    usual = size > 1e-5 and 1e-5 < slope < math.inf
    h0 = (0.01 * size / slope if usual else 0.0) or 1e-6
    curvature = curvature_at(h0)
    largest = max(slope, curvature) if math.isfinite(curvature) else math.inf
    h1 = (0.01 / largest) ** (1 / order) if largest > 1e-15 else max(1e-6, 1e-3 * h0)
    return min(100 * h0, h1) or h0


def starting_steps(size, slope, curvature_at, order):
    """First step of each case: ``starting_step`` for tensors of shape (n, 1)."""
    guess = 0.01 * size / slope
    usual = (size > 1e-5) & (slope > 1e-5) & (guess > 0)
    h0 = torch.where(usual, guess, torch.full_like(guess, 1e-6))
    curvature = curvature_at(h0)
    largest = torch.maximum(slope, curvature)
    h1 = torch.where(largest > 1e-15, (0.01 / largest) ** (1 / order), (1e-3 * h0).clamp_min(1e-6))
    h = torch.minimum(100 * h0, h1)
    return torch.where(torch.isfinite(h) & (h > 0), h, h0)
