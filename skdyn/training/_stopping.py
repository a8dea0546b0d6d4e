"""When to stop, and on which weights."""

import math
from collections.abc import Sequence

import numpy as np

_CHANCE = 6.0  # deviations between the lowest of a hundred losses and one of them, at most
_LATELY = 20  # losses that tell how much they fluctuate


def fluctuation(losses: Sequence[float]) -> float:
    """Return how far a loss lies above the lowest by chance, as those before it fluctuate.

    Batches and what objectives draw at random make a loss fluctuate around its course. Second
    differences tell that from a course that rises; their median heeds no single leap.

    Parameters
    ----------
    losses : sequence of float
        One an epoch.

    Returns
    -------
    float
        Zero where there are too few to tell.
    """
    turns = np.abs(np.diff(losses[-_LATELY:], n=2))
    return _CHANCE * 1.4826 * float(np.median(turns)) / 6**0.5 if len(turns) > 2 else 0.0


class Patience:
    """Count how long a loss has failed to improve.

    Parameters
    ----------
    tol : float
        What counts as an improvement: ``loss < best - tol * scale``.
    n_iter_no_change : int
        Epochs without one after which :attr:`exhausted` turns true.
    scale : float or None, default=1.0
        The loss's own scale, that of a trivial answer; None takes the best loss, for fits that go
        on to the last digits.
    """

    def __init__(self, tol: float, n_iter_no_change: int, *, scale: float | None = 1.0) -> None:
        self.tol = tol
        self.scale = scale
        self.n_iter_no_change = n_iter_no_change
        self.begin()

    def begin(self) -> None:
        """Begin anew: what came before is not compared with what comes."""
        self.best = math.inf
        self.n_stalled = 0

    @property
    def gain(self) -> float:
        """What counts as an improvement on the best loss."""
        if self.scale is not None:
            return self.tol * self.scale
        return self.tol * abs(self.best) if math.isfinite(self.best) else 0.0

    def note(self, loss: float) -> None:
        """Take in a loss.

        Parameters
        ----------
        loss : float
            The epoch's loss.
        """
        self.n_stalled = 0 if loss < self.best - self.gain else self.n_stalled + 1
        self.best = min(self.best, loss)

    @property
    def exhausted(self) -> bool:
        """Whether ``n_iter_no_change`` epochs in a row brought no improvement."""
        return self.n_stalled >= self.n_iter_no_change
