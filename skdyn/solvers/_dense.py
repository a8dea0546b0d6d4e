"""States at the requested times, from the stages of the steps around them.

All times that fall into one step are one matrix product of their weights with the step's block;
no extra step is taken to land on them.
"""

import numpy as np
import torch

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
        powers = np.vander(theta, len(self._dense) + 1, increasing=True)[:, 1:]
        weights = powers @ self._dense
        if isinstance(steps[0][1], float):
            weights *= np.array([h for _, h in steps])[:, None]
        weights[:, 0] = 1
        # A step's end is its own row: exact, and right for every method.
        weights[theta == 1] = np.eye(weights.shape[1])[self._end]
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
        self._end = tableau.n_stages
        self._dense = torch.as_tensor(dense_rows(tableau)).to(y0)
        self._sign = torch.sign(times[:, -1:] - times[:, :1])
        self._wanted = (times[:, 1:] * self._sign).contiguous()
        n, n_wanted = self._wanted.shape
        # A case that fails keeps NaN after its last step; nothing else is left unwritten.
        self._y = y0.new_full((n, n_wanted + 1, y0.shape[1]), torch.nan)
        self._y[:, 0] = y0

    def seal(self, chunk):
        """Write the outputs of a chunk whose marks are ``(t, h, t1)``, float64, shape (n, 1)."""
        start, width, end = (torch.cat([mark[k] for mark in chunk.marks], dim=1) for k in range(3))
        ends = (end * self._sign).contiguous()
        step = torch.searchsorted(ends, self._wanted)
        begun = self._wanted > start[:, :1] * self._sign
        cases, times = (begun & (step < ends.shape[1])).nonzero(as_tuple=True)
        steps = step[cases, times]
        order = torch.argsort(steps, stable=True)
        chunk.cases, chunk.times, steps = cases[order], times[order], steps[order]
        chunk.counts = torch.bincount(steps, minlength=len(chunk.marks)).tolist()
        wanted = self._wanted[chunk.cases, chunk.times] * self._sign[chunk.cases, 0]
        chunk.weights = self._weights(wanted, start, width, end, chunk.cases, steps)
        for j, cases, times, weights in self.slices(chunk):
            block = chunk.block(j).view(-1, *chunk.rows[0].shape)
            place = self._places(cases)
            outputs = torch.bmm(self._by_case(weights, place), block.transpose(0, 1))
            self._y[cases, times + 1] = outputs[place]

    def _places(self, cases):
        """Case and rank in it of outputs that are sorted by case."""
        counts = torch.bincount(cases, minlength=len(self._y))
        first = counts.cumsum(0) - counts
        return cases, torch.arange(len(cases), device=cases.device) - first[cases]

    def _by_case(self, values, place):
        """Lay out a row an output as (n, k, width): products of cases need no copy of the block."""
        k = int(place[1].max()) + 1
        laid_out = values.new_zeros(len(self._y), k, values.shape[1])
        laid_out[place] = values
        return laid_out

    def _weights(self, wanted, start, width, end, cases, steps):
        """Weights of a block's rows, one line for each output."""
        h = width[cases, steps]
        theta = ((wanted - start[cases, steps]) / h).to(self._y)
        powers = theta[:, None].expand(-1, len(self._dense)).cumprod(dim=1)
        weights = (powers @ self._dense).mul_(h.to(self._y)[:, None])
        weights[:, 0] = 1
        at_end = wanted == end[cases, steps]
        weights[at_end] = torch.eye(weights.shape[1]).to(weights)[self._end]
        return weights

    def slices(self, chunk):
        """Yield ``(block, cases, times, weights)`` for each block with outputs."""
        lo = 0
        for j, count in enumerate(chunk.counts):
            if count:
                hi = lo + count
                yield j, chunk.cases[lo:hi], chunk.times[lo:hi], chunk.weights[lo:hi]
                lo = hi

    def solution(self):
        """All states, shape (n, t, d)."""
        return self._y

    def cotangent(self, grad):
        """A gradient of the solution in the layout that ``send_back`` wants."""
        return grad

    def first(self, grad):
        """The part of a cotangent that belongs to the initial states."""
        return grad[:, 0].reshape(-1)

    def send_back(self, chunk, adjoint, grad):
        """Add the outputs' gradients to a chunk's adjoint rows."""
        for j, cases, times, weights in self.slices(chunk):
            block = adjoint.block(j).view(-1, *self._y[:, 0].shape)
            place = self._places(cases)
            sent = self._by_case(grad[cases, times + 1], place)
            block += torch.bmm(self._by_case(weights, place).mT, sent).transpose(0, 1)

    def replay(self, chunk, block, rows, out):
        """Put the outputs of one block, from differentiable ``rows``, into the dict ``out``."""
        for j, cases, times, weights in self.slices(chunk):
            if j == block:
                states = torch.einsum("ms,smd->md", weights, torch.stack(rows)[:, cases])
                out.update(zip(zip(cases.tolist(), times.tolist()), states))

    def assemble(self, y0, out):
        """The solution from the states gathered by ``replay``."""
        n, n_wanted = self._wanted.shape
        lost = torch.full_like(y0[0], torch.nan)
        later = [torch.stack([out.get((i, k), lost) for k in range(n_wanted)]) for i in range(n)]
        return torch.cat([y0[:, None], torch.stack(later)], dim=1)
