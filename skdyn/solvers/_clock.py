"""The two clocks of a step: one for all cases, or one for each.

They differ only in how a step size multiplies a stage sum: as a number, folded into the
coefficients, or as a column beside them.
"""

from functools import lru_cache

import numpy as np
import torch

__all__ = ["OwnClock", "SharedClock"]


class _Clock:
    """What both clocks share: the method's coefficients as tensors.

    ``combine(i, z)`` is stage i's input from the block ``z`` (rows: state, stages), ``spread`` its
    transpose. Stages count from 1; the s-th stage's input is the next state.
    """

    def __init__(self, matrix, nodes, b_error, like):
        self.shape = like.shape
        self.n_stages = s = len(nodes)
        self._to = dict(dtype=like.dtype, device=like.device)
        self.nodes = torch.as_tensor(nodes, **self._to)
        self.c = [float(c) for c in nodes]
        self.matrix = torch.as_tensor(matrix, **self._to)
        if b_error is not None:
            full = np.zeros((1, s + 2))
            full[0, 1:s], full[0, -1] = b_error[:-1], b_error[-1]
            self.error_row = torch.as_tensor(full, **self._to)


@lru_cache(maxsize=32)
def _lines(matrix, s, dtype, device):
    """What stage sums take of the state, and of the stages where a step has length one."""
    rows = np.frombuffer(matrix).reshape(-1, s).tolist()
    own = [a for i, row in enumerate(rows) for a in (0.0, *row[:i])]
    state = [float(j == 0) for i in range(s) for j in range(i + 1)]
    with torch.inference_mode(False):  # they outlive the solve that asks for them first
        return tuple(torch.tensor([line], dtype=dtype, device=device) for line in (state, own))


class SharedClock(_Clock):
    """All cases step together: ``t`` and ``h`` are floats."""

    def __init__(self, matrix, nodes, b_error, like):
        super().__init__(matrix, nodes, b_error, like)
        # Row i has the state and i stages; all rows lie in one line, cut in one call.
        matrix = np.ascontiguousarray(matrix, dtype=np.float64)
        self._ones, self._a = _lines(matrix.tobytes(), self.n_stages, **self._to)
        self._ah = torch.empty_like(self._a)
        sizes = [*range(1, self.n_stages + 1)]
        self._rows = [None, *self._ah.split(sizes, dim=1)]
        self._columns = [None, *self._ah[0].split(sizes)]

    def begin(self, span):
        """Set the step whose stages come next."""
        self.span = span
        self.h = span.h
        torch.add(self._ones, self._a, alpha=span.h, out=self._ah)
        self._times = None

    def time(self, i):
        """Time of stage i, a 0-dim tensor."""
        if self._times is None:
            self._times = self.nodes.mul(self.span.h).add_(self.span.t).unbind(0)
        return self._times[i - 1]

    def combine(self, i, z, base):
        """Input of stage i, shape (n, d)."""
        return torch.mm(self._rows[i], z[base : base + i]).view(self.shape)

    def spread(self, i, g, base, w):
        """Add to the adjoint rows ``g`` what stage i's input adjoint ``w`` sends back."""
        g[base : base + i].addr_(self._columns[i], w.reshape(-1))

    def error(self, z, base):
        """Error estimate divided by the step size, shape (n, d)."""
        return torch.mm(self.error_row, z[base : base + self.n_stages + 2]).view(self.shape)

    def scale(self, values):
        """Multiply by the step size."""
        return values * self.span.h


class OwnClock(_Clock):
    """Each case has its own step: ``t`` and ``h`` are tensors (n, 1)."""

    def __init__(self, matrix, nodes, b_error, like):
        super().__init__(matrix, nodes, b_error, like)
        s = self.n_stages
        self._rows = [None] + [self.matrix[i : i + 1, :i] for i in range(s)]
        self._columns = [None] + [self.matrix[i, :i] for i in range(s)]

    def begin(self, span):
        """Set the step whose stages come next."""
        self.span = span
        self.h = span.h

    def time(self, i):
        """Times of stage i, shape (n, 1)."""
        return torch.add(self.span.t, self.span.h, alpha=self.c[i - 1])

    def combine(self, i, z, base):
        """Input of stage i, shape (n, d)."""
        y = z[base].view(self.shape)
        if i == 1:
            return y.clone()
        total = torch.mm(self._rows[i], z[base + 1 : base + i]).view(self.shape)
        return torch.addcmul(y, self.span.h, total)

    def spread(self, i, g, base, w):
        """Add to the adjoint rows ``g`` what stage i's input adjoint ``w`` sends back."""
        w = w.reshape(self.shape)
        g[base].view(self.shape).add_(w)
        if i > 1:
            scaled = (w * self.span.h).view(-1)
            g[base + 1 : base + i].addr_(self._columns[i], scaled)

    def error(self, z, base):
        """Error estimate divided by the step size, shape (n, d)."""
        return torch.mm(self.error_row, z[base : base + self.n_stages + 2]).view(self.shape)

    def scale(self, values):
        """Multiply by the step size."""
        return values * self.span.h
