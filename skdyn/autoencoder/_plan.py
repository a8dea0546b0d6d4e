"""How far a training is along."""

import math
from typing import Any

from sklearn.exceptions import ConvergenceWarning

from skdyn.exceptions import warn_user

__all__ = ["Plan", "rate_for"]

_RATE, _RATE_OF_ONE_STEP = 0.01, 0.5
_RATES = 0.001, 0.02  # beyond them nothing was tried
_OTHER_END = 0.1  # of the rows planned: so far off, schedules ended at another time


class Plan:
    """Rows that were seen, of those that are planned.

    Parameters
    ----------
    n_rows : int or None
        Rows of the whole training, all epochs together. None is a training without an end that is
        known: it is always as at the end.

    Attributes
    ----------
    n_seen : int
        Rows that training has seen.
    """

    def __init__(self, n_rows: int | None) -> None:
        self.n_rows = n_rows
        self.n_seen = 0

    @property
    def progress(self) -> float:
        """Share of the training that is done."""
        return 1.0 if self.n_rows is None else min(1.0, self.n_seen / self.n_rows)

    def take(self, n_rows: int) -> None:
        """Count the rows of a batch.

        Parameters
        ----------
        n_rows : int
            How many.
        """
        self.n_seen += n_rows

    def tell_that_it_is_unknown(self) -> None:
        """Warn of data of which nobody knows where they end."""
        warn_user(
            "X is an iterator of more rows than buffer_size, and how many is not known: schedules "
            "and phases cannot follow the training, which keeps to learning_rate and to the rule "
            "that ends it. Pass n_samples_total to fit.",
            UserWarning,
        )

    def tell_if_it_was_wrong(self) -> None:
        """Warn where a training ended that saw far more or fewer rows than were planned."""
        if self.n_rows is not None and abs(self.n_seen / self.n_rows - 1.0) > _OTHER_END:
            warn_user(
                f"Training was planned for {self.n_rows} rows and saw {self.n_seen}, so that "
                "schedules and phases ended at another time. Pass n_samples_total as it is.",
                ConvergenceWarning,
            )

    def state(self) -> dict[str, Any]:
        """Return what was seen.

        Returns
        -------
        dict
        """
        return {"n_seen": self.n_seen}

    def take_state(self, state: dict[str, Any]) -> None:
        """Go on from such a state.

        Parameters
        ----------
        state : dict
            The state.
        """
        self.n_seen = state["n_seen"]


def rate_for(plan: Plan, batch_size: int, goes_on: bool) -> float:
    """Return the learning rate of a training: the fewer steps, the longer each.

    Parameters
    ----------
    plan : Plan
        The training's.
    batch_size : int
        Rows a step.
    goes_on : bool
        Whether weights were trained before, which long steps would throw out.

    Returns
    -------
    float
        Half of the inverse root of the number of steps, 0.001 to 0.02; 0.01 where that is not
        known, and at most that where training goes on.
    """
    if plan.n_rows is None:
        return _RATE
    low, high = _RATES
    rate = _RATE_OF_ONE_STEP / math.sqrt(max(1.0, plan.n_rows / batch_size))
    return min(max(rate, low), _RATE if goes_on else high)
