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
    """

    def __init__(self, tol: float, n_iter_no_change: int) -> None:
        self.tol = tol
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
        self.n_stalled = 0 if loss < self.best - self.tol else self.n_stalled + 1
        lowest = loss < self.best
        self.best = min(self.best, loss)
        return lowest

    @property
    def exhausted(self) -> bool:
        """Whether ``n_iter_no_change`` epochs in a row brought no improvement."""
        return self.n_stalled >= self.n_iter_no_change
