"""Where a solve keeps its states and stages: one matrix, one row per state or stage.

Blocks of consecutive steps overlap, because a step's last stage is the next one's first::

    y0  k1  k2 .. k_{s-1} | y1  k1'  k2' .. k'_{s-1} | y2  k1'' ..

Block j starts at row ``j * s`` and spans ``s + 2`` rows, the last two being the next state and the
derivative there. Stage sums, error estimates and dense output are then one product each, and the
adjoint fills a matrix of the same layout from below.
"""

from typing import Any, NamedTuple

import torch

__all__ = ["Chunk", "Rows", "Span"]

# Small enough to stay in the cache while its steps are taken, large enough to amortize its views.
_CHUNK_BYTES = 2**18
_CHUNK_BLOCKS = (4, 8)


class Span(NamedTuple):
    """One accepted step: floats when all cases share the clock, tensors (n, 1) otherwise.

    ``ok`` (n, 1) marks the cases that moved; None means all. ``h`` is zero where a case did not.
    """

    t: Any
    h: Any
    ok: torch.Tensor | None = None


class Chunk:
    """A run of consecutive blocks in one matrix.

    Parameters
    ----------
    n_blocks : int
        Number of blocks it can hold.
    n_stages : int
        Stages s of the method.
    like : tensor of shape (n, d)
        A state.
    zero : bool, default=False
        Whether the rows start at zero (adjoint) or uninitialized (solution).
    """

    def __init__(self, n_blocks, n_stages, like, zero=False):
        shape = (n_blocks * n_stages + 2, like.numel())
        make = torch.zeros if zero else torch.empty
        self.z = make(shape, dtype=like.dtype, device=like.device)
        self.rows = self.z.view(-1, *like.shape).unbind(0)
        self.n_blocks = n_blocks
        self.n_stages = n_stages
        self.spans = []
        self.marks = []
        self.weights = None
        self.events = []

    def base(self, block):
        """First row of a block."""
        return block * self.n_stages

    def block(self, block):
        """The ``s + 2`` rows of a block, shape (s + 2, n * d)."""
        base = block * self.n_stages
        return self.z[base : base + self.n_stages + 2]

    @property
    def full(self):
        """Whether no further step fits."""
        return len(self.spans) == self.n_blocks


class Rows:
    """The chunks of a solve.

    Parameters
    ----------
    n_stages : int
        Stages s of the method.
    y0 : tensor of shape (n, d)
        Initial states.
    seal : callable
        Called with each chunk once no step will be added to it.
    keep : {"all", "states", "none"}
        What outlives the sealing of a chunk: the adjoint needs all or just the states.
    """

    def __init__(self, n_stages, y0, seal, keep):
        self.n_stages = n_stages
        self.seals = [seal]
        self.keep = keep
        self.sealed = []
        self._like = y0
        row_bytes = y0.numel() * y0.element_size()
        fitting = _CHUNK_BYTES // (n_stages * row_bytes)
        self._n_blocks = min(max(fitting, _CHUNK_BLOCKS[0]), _CHUNK_BLOCKS[1])
        self.chunk = Chunk(self._n_blocks, n_stages, y0)
        self.chunk.rows[0].copy_(y0)

    @property
    def base(self):
        """First row of the block being tried."""
        return len(self.chunk.spans) * self.n_stages

    def accept(self, span, mark):
        """Add a step to the record and make room for the next."""
        chunk = self.chunk
        chunk.spans.append(span)
        chunk.marks.append(mark)
        if chunk.full:
            self.chunk = Chunk(self._n_blocks, self.n_stages, self._like)
            self.chunk.z[:2].copy_(chunk.z[-2:])
            self._seal(chunk)

    def close(self):
        """Seal the current chunk, if it has any step."""
        if self.chunk.spans:
            self._seal(self.chunk)

    def _seal(self, chunk):
        for seal in self.seals:
            seal(chunk)
        if self.keep == "none":
            return
        if self.keep == "states":
            stride = self.n_stages
            heads = chunk.z[: len(chunk.spans) * stride].view(-1, stride, chunk.z.shape[1])
            chunk.z = heads[:, :2].clone()
            chunk.rows = None
        self.sealed.append(chunk)
