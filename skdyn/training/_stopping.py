"""When to stop, and on which weights."""

import math


class Patience:
    """Count how long a loss has failed to improve.

    Parameters
    ----------
    tol : float
        What counts as an improvement: ``loss < best - tol``.
    n_iter_no_change : int
        Epochs without one after which :attr:`exhausted` turns true.
    relative : bool, default=False
        Whether ``tol`` is a part of the best loss, for fits that go on to the last digits.
    """

    def __init__(self, tol: float, n_iter_no_change: int, *, relative: bool = False) -> None:
        self.tol = tol
        self.relative = relative
        self.n_iter_no_change = n_iter_no_change
        self.best = math.inf
        self.n_stalled = 0

    def improved(self, loss: float) -> bool:
        """Take in a loss; tell whether it is the lowest so far.

        Parameters
        ----------
        loss : float
            The epoch's loss.

        Returns
        -------
        bool
        """
        gain = self.tol * abs(self.best) if self.relative and math.isfinite(self.best) else self.tol
        self.n_stalled = 0 if loss < self.best - gain else self.n_stalled + 1
        lowest = loss < self.best
        self.best = min(self.best, loss)
        return lowest

    @property
    def exhausted(self) -> bool:
        """Whether ``n_iter_no_change`` epochs in a row brought no improvement."""
        return self.n_stalled >= self.n_iter_no_change
