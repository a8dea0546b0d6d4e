"""States at the requested times, from the stages of the steps around them.

All times that fall into one step are one matrix product of their weights with the step's block;
no extra step is taken to land on them.
"""

import numpy as np
import torch
from torch import nn

__all__ = ["CaseOutput", "SharedOutput", "dense_rows"]


def dense_rows(tableau):
    """Dense-output coefficients in the layout of a block, shape (p, s + 2)."""
    s = tableau.n_stages
    rows = np.zeros((tableau.dense.shape[1], s + 2))
    rows[:, 1:s] = tableau.dense[:-1].T
    rows[:, -1] = tableau.dense[-1]
    return rows


class SharedOutput:
    """Output when a time index is reached by all cases in the same step.

    Parameters
    ----------
    tableau : Tableau
        The method.
    y0 : tensor of shape (n, d)
        Initial states.
    n_times : int
        Number of requested times, the first that of ``y0``.
    """

    def __init__(self, tableau, y0, n_times):
        self._dense = dense_rows(tableau)
        self._end = tableau.n_stages
        self.shape = (n_times, *y0.shape)
        self._y = y0.new_empty(n_times, y0.numel())
        self._y[0] = y0.reshape(-1)

    def seal(self, chunk):
        """Write the outputs of a chunk whose marks are ``(lo, hi, fractions)``."""
        steps = [
            (theta, span.h)
            for span, (_, _, thetas) in zip(chunk.spans, chunk.marks)
            for theta in thetas
        ]
        if not steps:
            return
        chunk.weights = torch.from_numpy(self._weights(steps)).to(self._y)
        for j, lo, hi, weights in self.slices(chunk):
            torch.mm(weights, chunk.block(j), out=self._y[lo:hi])

    def _weights(self, steps):
        """Weights of a block's rows, one line for each (fraction, step size)."""
        theta = np.array([theta for theta, _ in steps])
        end = self._dense.shape[1] * [0.0]
        end[self._end] = 1.0  # a step's end is its own row: exact, and right for every method
        if (theta == 1).all():
            return np.array(len(theta) * [end])
        powers = np.vander(theta, len(self._dense) + 1, increasing=True)[:, 1:]
        weights = powers @ self._dense
        if isinstance(steps[0][1], float):
            weights *= np.array([h for _, h in steps])[:, None]
        weights[:, 0] = 1
        weights[theta == 1] = end
        return weights

    def slices(self, chunk):
        """Yield ``(block, lo, hi, weights)`` for each block with outputs, last block first."""
        if chunk.weights is None:
            return
        stop = len(chunk.weights)
        for j in range(len(chunk.marks) - 1, -1, -1):
            lo, hi, _ = chunk.marks[j]
            if hi > lo:
                yield j, lo, hi, chunk.weights[stop - (hi - lo) : stop]
                stop -= hi - lo

    def solution(self):
        """All states, shape (n, t, d)."""
        return self._y.view(self.shape).transpose(0, 1)

    def cotangent(self, grad):
        """A gradient of the solution in the layout that ``send_back`` wants."""
        return grad.transpose(0, 1).reshape(len(self._y), -1)

    def first(self, grad):
        """The part of a cotangent that belongs to the initial states."""
        return grad[0]

    def send_back(self, chunk, adjoint, grad):
        """Add the outputs' gradients to a chunk's adjoint rows."""
        for j, lo, hi, weights in self.slices(chunk):
            adjoint.block(j).addmm_(weights.t(), grad[lo:hi])

    def replay(self, chunk, block, rows, out):
        """Put the outputs of one block, from differentiable ``rows``, into the dict ``out``."""
        for j, lo, hi, weights in self.slices(chunk):
            if j == block:
                states = torch.tensordot(weights, torch.stack(rows), 1)
                out.update(zip(range(lo, hi), states))

    def assemble(self, y0, out):
        """The solution from the states gathered by ``replay``."""
        return torch.stack([y0, *(out[k] for k in range(1, self.shape[0]))], dim=1)


class CaseOutput:
    """Output when each case reaches its times in steps of its own.

    The times that a case reaches in one step follow each other: a step lays out as many for all
    cases as the busiest one has there. What the others do not have goes to a column of no use.

    Parameters
    ----------
    tableau : Tableau
        The method.
    y0 : tensor of shape (n, d)
        Initial states.
    times : tensor of shape (n, t)
        Requested times, float64.
    """

    def __init__(self, tableau, y0, times):
        self._dense = torch.as_tensor(dense_rows(tableau)).to(y0)
        self._end = torch.eye(tableau.n_stages + 2).to(y0)[tableau.n_stages]
        self._sign = torch.sign(times[:, -1:] - times[:, :1])
        wanted = times[:, 1:] * self._sign
        shared = times.stride(0) == 0
        self._wanted = wanted[0].contiguous() if shared else wanted.contiguous()
        # A case that fails keeps NaN after its last step; nothing else is left unwritten.
        self._y = y0.new_full((len(y0), wanted.shape[1] + 2, y0.shape[1]), torch.nan)
        self._y[:, 0] = y0

    def seal(self, chunk):
        """Write the outputs of a chunk whose marks are ``(t, h, t1)``, float64, shape (n, 1)."""
        marks = [torch.cat([mark[k] for mark in chunk.marks], dim=1) for k in range(3)]
        reached = torch.cat([marks[0][:, :1], marks[2]], dim=1) * self._sign
        ranks = torch.searchsorted(self._wanted, reached, right=True)
        counts = ranks.diff(dim=1)
        n_reaching = (counts > 0).sum(dim=0).tolist()
        chunk.outputs = []
        for j, most in enumerate(counts.amax(dim=0).tolist()):
            if not most:
                continue
            # Near the end few cases are left, and the others need no copies of zero.
            few = 2 * n_reaching[j] < len(counts)
            cases = counts[:, j].nonzero()[:, 0] if few else slice(None)
            step = [mark[cases, j : j + 1] for mark in marks]
            places, weights = self._outputs(cases, most, ranks[cases, j : j + 2], *step)
            chunk.outputs.append((j, cases, places, weights))
            states = torch.bmm(weights, self._by_case(chunk.block(j))[cases])
            self._rows(self._y).index_copy_(0, places, self._rows(states))

    def _outputs(self, cases, most, ranks, start, width, end):
        """Rows of the solution that a step writes, and weights of its block's rows for each."""
        n_columns = self._y.shape[1]
        rank = ranks[:, :1] + torch.arange(most, device=ranks.device)
        here = rank < ranks[:, 1:]
        column = rank.clamp_max(n_columns - 3)
        own = self._wanted.expand(len(self._y), -1)[cases]
        wanted = own.gather(1, column) * self._sign[cases]
        theta = torch.where(here, (wanted - start) / width, 0.0).to(self._y)
        powers = theta[:, :, None].expand(-1, -1, len(self._dense)).cumprod(dim=2)
        weights = (powers @ self._dense).mul_(width.to(self._y)[:, :, None])
        weights[:, :, 0] = 1
        weights[wanted == end] = self._end  # its own row: exact, and right for every method
        first = torch.arange(len(self._y), device=ranks.device)[cases, None] * n_columns
        return (first + torch.where(here, rank + 1, n_columns - 1)).view(-1), weights

    def _by_case(self, block):
        """A block's rows, case by case, as a view of shape (n, s + 2, d)."""
        return block.view(len(block), len(self._y), -1).transpose(0, 1)

    def _rows(self, states):
        return states.view(-1, states.shape[-1])

    def solution(self):
        """All states, shape (n, t, d)."""
        return self._y[:, :-1]

    def cotangent(self, grad):
        """A gradient of the solution in the layout that ``send_back`` wants."""
        return nn.functional.pad(grad, (0, 0, 0, 1))

    def first(self, grad):
        """The part of a cotangent that belongs to the initial states."""
        return grad[:, 0].reshape(-1)

    def send_back(self, chunk, adjoint, grad):
        """Add the outputs' gradients to a chunk's adjoint rows."""
        for j, cases, places, weights in chunk.outputs:
            sent = self._rows(grad).index_select(0, places).view(*weights.shape[:2], -1)
            block = self._by_case(adjoint.block(j))
            block[cases] += torch.bmm(weights.mT, sent)  # baddbmm_ takes ten times as long

    def replay(self, chunk, block, rows, out):
        """Put the outputs of one block, from differentiable ``rows``, into the dict ``out``."""
        n_columns = self._y.shape[1]
        for j, cases, places, weights in chunk.outputs:
            if j == block:
                states = self._rows(torch.bmm(weights, torch.stack(rows, dim=1)[cases]))
                out.update((divmod(k, n_columns), y) for k, y in zip(places.tolist(), states))

    def assemble(self, y0, out):
        """The solution from the states gathered by ``replay``."""
        n, n_columns = self._y.shape[:2]
        lost, later = torch.full_like(y0[0], torch.nan), range(1, n_columns - 1)
        states = [torch.stack([out.get((i, k), lost) for k in later]) for i in range(n)]
        return torch.cat([y0[:, None], torch.stack(states)], dim=1)
