r"""What the solver's own heuristics say about how hard the equation is to solve.

Pal, Ma, Shah and Rackauckas (2021) penalize, with stages :math:`k_i`, stage states :math:`g_i`
and the embedded error :math:`E_j` of step j,

.. math:: R_E = \sum_j |E_j| |h_j|, \qquad
          R_S = \sum_j \frac{|k_s - k_{s-1}|}{|g_s - g_{s-1}|},

at no further evaluation and without higher derivatives. Pal, Edelman and Rackauckas (2023) take one
random step only. Here a step drawn uniformly counts as many times as there are steps, so that the
local value is an unbiased estimate of the global one. Norms are Euclidean in a case, and the mean
is taken over cases.
"""

import numpy as np
import torch

__all__ = ["Regularizer"]


class Regularizer:
    """A regularization term over the steps of a solve.

    Parameters
    ----------
    kind : {"error", "stiffness"}
        The heuristic.
    mode : {"global", "local"}
        All steps, or one drawn at random for each case clock.
    generator : torch.Generator or None
        Source of the draw.
    tableau : Tableau
        The method.
    like : tensor of shape (n, d)
        A state.
    """

    def __init__(self, kind, mode, generator, tableau, like):
        self.kind, self.mode, self.generator = kind, mode, generator
        self.n_stages = s = tableau.n_stages
        self.shape = like.shape
        rows = np.zeros((2, s + 2))
        if tableau.adaptive:
            rows[0, 1:s], rows[0, -1] = tableau.b_error[:-1], tableau.b_error[-1]
        # g_s - g_{s-1} straight from the stages: subtracting the states would lose digits.
        rows[1, 1:s] = (tableau.matrix[s - 1] - tableau.matrix[s - 2])[: s - 1]
        self._error_row, self._gap_row = torch.as_tensor(rows).to(like)
        self._values = []

    def term(self, block, h):
        """The heuristic of each case in one step.

        Parameters
        ----------
        block : tensor of shape (s + 2, n, d)
            The step's rows.
        h : float or tensor of shape (n, 1)
            The step.

        Returns
        -------
        values : tensor of shape (n,)
            Non-negative.
        """
        h = torch.as_tensor(h, dtype=block.dtype, device=block.device)
        if self.kind == "error":
            error = h * torch.tensordot(self._error_row, block, 1)
            return torch.linalg.vector_norm(error, dim=1) * h.abs().flatten()
        s = self.n_stages
        top = torch.linalg.vector_norm(block[s + 1] - block[s - 1], dim=1)
        bottom = torch.linalg.vector_norm(h * torch.tensordot(self._gap_row, block, 1), dim=1)
        return torch.where(bottom > 0, top, 0.0) / torch.where(bottom > 0, bottom, 1.0)

    def seal(self, chunk):
        """Remember the terms of a chunk's steps."""
        for j, span in enumerate(chunk.spans):
            values = self.term(chunk.block(j).view(-1, *self.shape), span.h)
            moved = self._moved(span, values)
            self._values.append((torch.where(moved, values, 0.0), moved))

    def _moved(self, span, values):
        """Which cases took the step."""
        if not isinstance(span.h, torch.Tensor):
            return torch.ones_like(values, dtype=torch.bool)
        return span.h.flatten() != 0

    def total(self):
        """The regularization term; fixes the weight of each step and case."""
        values = torch.stack([value for value, _ in self._values])
        moved = torch.stack([mask for _, mask in self._values]).to(values)
        self.weights = moved / values.shape[1]
        if self.mode == "local":
            self.weights = self.weights * self._draw(moved)
        return (self.weights * values).sum()

    def _draw(self, moved):
        """For each case its number of steps at the one step drawn, zero elsewhere."""
        counts = moved.sum(dim=0)
        draw = torch.rand(moved.shape[1], generator=self.generator, dtype=torch.float64)
        alike = bool((moved == moved[:, :1]).all())
        draw = draw[:1].expand_as(draw) if alike else draw
        chosen = torch.floor(draw.to(counts) * counts).clamp_max(counts - 1)
        return torch.where((moved.cumsum(dim=0) - 1 == chosen) & (moved > 0), counts, 0.0)

    def send_back(self, block, adjoint, h, step, grad):
        """Add to the adjoint rows of a step what the term sends back.

        Parameters
        ----------
        block, adjoint : tensor of shape (s + 2, n * d)
            Rows of the step and of its adjoint.
        h : float or tensor of shape (n, 1)
            The step.
        step : int
            Its number.
        grad : tensor of shape ()
            Gradient of the loss with respect to the term.
        """
        weights = self.weights[step]
        if self.mode == "local" and not bool(weights.any()):
            return
        with torch.enable_grad():
            leaf = block.detach().view(-1, *self.shape).clone().requires_grad_()
            values = self.term(leaf, h)
            (rows,) = torch.autograd.grad(values, leaf, weights * grad)
        adjoint.add_(rows.view_as(adjoint))
