r"""Leapfrog for separable Hamiltonians.

With :math:`y = [q, p]`, :math:`\dot q = a(p)` and :math:`\dot p = b(q)`, a step is

.. math:: p_{1/2} = p + \tfrac h2 b(q), \quad q_1 = q + h\, a(p_{1/2}), \quad
          p_1 = p_{1/2} + \tfrac h2 b(q_1),

which is symplectic and of order two (Hairer, Lubich and Wanner, Geometric Numerical Integration,
section I.1.4): the energy error stays bounded.
"""

import numpy as np
import torch

__all__ = ["LEAPFROG", "LeapfrogStepper"]


class _Leapfrog:
    """What a march wants to know about a method; leapfrog has no single tableau."""

    name = "leapfrog"
    order = 2
    error_order = 0
    n_stages = 3
    nodes = np.array([0.0, 0.5, 1.0])
    matrix = np.zeros((3, 3))
    dense = np.zeros((3, 1))
    b_error = None
    adaptive = implicit = False
    stability = 0.0


LEAPFROG = _Leapfrog()


class LeapfrogStepper:
    """Steps of leapfrog.

    Parameters
    ----------
    y0 : tensor of shape (n, d)
        Initial states ``[q, p]``.

    Raises
    ------
    ValueError
        If d is odd.
    """

    tableau = LEAPFROG
    n_stages = LEAPFROG.n_stages
    needs_jacobian = False

    def __init__(self, y0):
        if y0.shape[1] % 2:
            raise ValueError(
                "solver='leapfrog' needs states [q, p] of even dimension; "
                f"got y0 with {y0.shape[1]} dimensions."
            )
        self._half = y0.shape[1] // 2

    def renewed(self, like):
        """Leapfrog has no adjoint equation of its own kind: ``[y, a]`` is not separable."""
        raise ValueError(
            "adjoint='continuous' does not work with solver='leapfrog'; use 'discrete'."
        )

    def _parts(self, row):
        return row[:, : self._half], row[:, self._half :]

    def attempt(self, tape, clock, chunk, base, last=True):
        """Fill a block from its first two rows; see ``ExplicitStepper.attempt``."""
        rows, h = chunk.rows, clock.h
        (q, p), (_, force) = self._parts(rows[base]), self._parts(rows[base + 1])
        middle = p + 0.5 * h * force
        tape.evaluate(clock.time, 2, torch.cat([q, middle], dim=1), rows[base + 2])
        q1 = q + h * self._parts(rows[base + 2])[0]
        tape.evaluate(clock.time, 3, torch.cat([q1, middle], dim=1), rows[base + 4])
        y1 = torch.cat([q1, middle + 0.5 * h * self._parts(rows[base + 4])[1]], dim=1)
        rows[base + 3].copy_(y1)
        return y1

    def pull(self, tape, clock, adjoint, base, first, last=True):
        """Send a block's adjoint rows back; see ``ExplicitStepper.pull``."""
        rows, h = adjoint.rows, clock.h
        (q, p), (_, force) = self._parts(rows[base]), self._parts(rows[base + 1])
        velocity = self._parts(rows[base + 2])[0]
        q1, p1 = self._parts(rows[base + 3])
        self._parts(rows[base + 4])[1].add_(0.5 * h * p1)
        to_q1, to_middle = self._parts(tape.pull(first + 1, rows[base + 4]))
        q1 = q1 + to_q1
        velocity.add_(h * q1)
        to_q, to_p = self._parts(tape.pull(first, rows[base + 2]))
        middle = p1 + to_middle + to_p
        q.add_(q1 + to_q)
        p.add_(middle)
        force.add_(0.5 * h * middle)

    def replay(self, field, span, y, k, last=True):
        """Take a step as differentiable operations; see ``ExplicitStepper.replay``."""
        t, h = span.t, span.h
        q, p = self._parts(y)
        middle = p + 0.5 * h * self._parts(k)[1]
        k2 = field(t + 0.5 * h, torch.cat([q, middle], dim=1))
        q1 = q + h * self._parts(k2)[0]
        k3 = field(t + h, torch.cat([q1, middle], dim=1))
        y1 = torch.cat([q1, middle + 0.5 * h * self._parts(k3)[1]], dim=1)
        return [y, k, k2, y1, k3]
