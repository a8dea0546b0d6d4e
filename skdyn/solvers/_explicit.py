"""One step of an explicit Runge-Kutta method: forward, adjoint, and as plain torch."""

__all__ = ["ExplicitStepper"]


class ExplicitStepper:
    """Steps of an explicit method.

    Parameters
    ----------
    tableau : Tableau
        The method.
    """

    needs_jacobian = False

    def __init__(self, tableau):
        self.tableau = tableau
        self.n_stages = tableau.n_stages

    def renewed(self, like):
        """The same method for states like ``like``."""
        return self

    def attempt(self, tape, clock, chunk, base, last=True):
        """Fill a block from its first two rows.

        Parameters
        ----------
        tape : Tape
            Evaluates the field and remembers it.
        clock : SharedClock or OwnClock
            Holds the step.
        chunk : Chunk
            Rows to fill.
        base : int
            First row of the block.
        last : bool, default=True
            Whether the derivative at the step's end is wanted.

        Returns
        -------
        y1 : tensor of shape (n, d)
            State at the step's end.
        """
        z, rows, s = chunk.z, chunk.rows, self.n_stages
        for i in range(2, s):
            tape.evaluate(clock.time, i, clock.combine(i, z, base), rows[base + i])
        y1 = clock.combine(s, z, base)
        rows[base + s].copy_(y1)
        if last:
            tape.evaluate(clock.time, s, y1, rows[base + s + 1])
        else:
            rows[base + s + 1].zero_()
        return y1

    def pull(self, tape, clock, adjoint, base, first, last=True):
        """Send the adjoint rows of a block back to its first two rows.

        Parameters
        ----------
        tape : Tape
            Holds the evaluations of the block from number ``first`` on.
        clock : SharedClock or OwnClock
            Holds the step.
        adjoint : Chunk
            Adjoint rows.
        base : int
            First row of the block.
        first : int
            Number of the block's second stage on the tape.
        last : bool, default=True
            Whether the derivative at the step's end was evaluated.
        """
        g, rows, s = adjoint.z, adjoint.rows, self.n_stages
        if last:
            rows[base + s].add_(tape.pull(first + s - 2, rows[base + s + 1]))
        clock.spread(s, g, base, rows[base + s])
        for i in range(s - 1, 1, -1):
            clock.spread(i, g, base, tape.pull(first + i - 2, rows[base + i]))

    def replay(self, field, span, y, k, last=True):
        """Take a step as differentiable torch operations.

        Parameters
        ----------
        field : callable
            The vector field.
        span : Span
            The step.
        y, k : tensor of shape (n, d)
            State and derivative at its start.
        last : bool, default=True
            Whether the derivative at the step's end is wanted.

        Returns
        -------
        rows : list of tensor of shape (n, d)
            The block's ``s + 2`` rows.
        """
        a, c = self.tableau.matrix, self.tableau.nodes
        stages, state = [k], y
        for i in range(1, self.n_stages):
            total = sum(float(a[i, j]) * stages[j] for j in range(i))
            state = y + span.h * total
            if i < self.n_stages - 1 or last:
                stages.append(field(span.t + float(c[i]) * span.h, state))
            else:
                stages.append(k * 0)
        return [y, *stages[:-1], state, stages[-1]]
