"""The course of a stage: how long to go on, how fast, and on which weights to end."""

import math
from collections.abc import Callable
from typing import Any

import torch

from skdyn.training._optimizers import CURVATURE_METHODS
from skdyn.training._pace import Pace
from skdyn.training._records import Stage, TrainingRecord
from skdyn.training._settings import TrainingSettings
from skdyn.training._stopping import Patience, fluctuation
from skdyn.training._weights import BestWeights

__all__ = ["Course"]


class Course:
    """What a stage watches while it runs.

    Parameters
    ----------
    stage : Stage
        Which.
    settings : TrainingSettings
        How it is trained.
    learnt : callable
        Returns the tensors that a step may change.
    one_batch : bool
        Whether all data are one batch, whose loss is that of the weights before the step.

    Attributes
    ----------
    pace : Pace
        The learning rate.
    best : BestWeights
        The weights that the stage was best with.
    one_batch : bool
        Whether all data are one batch.
    """

    def __init__(
        self,
        stage: Stage,
        settings: TrainingSettings,
        learnt: Callable[[], list[torch.Tensor]],
        *,
        one_batch: bool,
    ) -> None:
        self.stage, self.settings, self._learnt = stage, settings, learnt
        self.watched = stage.validation is not None
        tol = settings.tol if stage.tol is None else stage.tol
        self._precise = settings.optimizer in CURVATURE_METHODS
        scale = None if self._precise else stage.trivial_loss or 1.0
        self._patience = Patience(tol, settings.patience, scale=scale)
        self.pace = Pace(stage, settings)
        # Where epochs may fail, the weights to return to are those that a whole one has run from.
        self._before = not self.watched and (one_batch or settings.max_recoveries > 0)
        self._steady, self._steady_from = False, stage.steady_from * stage.max_iter
        self._losses, self._penalties = [], []
        self.one_batch = one_batch
        self.best = self._keep()

    def state(self) -> dict[str, Any]:
        """Return what it knows so far, plain.

        Returns
        -------
        dict
        """
        patience = self._patience
        return {
            "losses": list(self._losses),
            "penalties": list(self._penalties),
            "steady": self._steady,
            "base": self.pace.base,
            "patience": (patience.best, patience.n_stalled),
            "best": self.best.state(),
        }

    def take_state(self, state: dict[str, Any]) -> None:
        """Go on from such a state.

        Parameters
        ----------
        state : dict
            The state.
        """
        self._losses[:], self._penalties[:] = state["losses"], state["penalties"]
        self._steady, self.pace.base = state["steady"], state["base"]
        self._patience.best, self._patience.n_stalled = state["patience"]
        self.best.take_state(state["best"])

    def _keep(self):
        return BestWeights(self._learnt(), before=self._before)

    def begin_epoch(self, epoch: int, *, changed: bool) -> None:
        """Prepare for an epoch.

        Parameters
        ----------
        epoch : int
            Its number, counted from 0.
        changed : bool
            Whether the function was changed before it.
        """
        before, self._steady = self._steady, epoch >= self._steady_from
        if changed or not before:
            self._patience.begin()
            if not self.best.holds(self._learnt()):
                self.best = self._keep()
        self.best.begin()

    def note(self, losses: list[float], penalty: float) -> None:
        """Take in an epoch.

        Parameters
        ----------
        losses : list of float
            The training loss and, where one is watched, the validation loss.
        penalty : float
            What the optimizer lowers beside the training loss. It may well fall while that rises.
        """
        self._patience.note(losses[-1])
        self._losses.append(losses[-1])
        self._penalties.append(0.0 if self.watched else penalty)
        if self._steady:
            self.best.note(losses[-1], len(self._losses) - 1)

    def reason_to_stop(self) -> str:
        """Return why the stage ends here; "max_iter" where nothing but that would end it.

        Returns
        -------
        str
        """
        settings, patience = self.settings, self._patience
        if self.stage.is_enough is not None and self.stage.is_enough(len(self._losses)):
            return "budget"
        if not patience.exhausted or (self.watched and not settings.early_stopping):
            return "max_iter"
        if settings.learning_rate_schedule == "plateau" and self.pace.drop():
            patience.n_stalled = 0
            return "max_iter"
        return "early_stopping" if self.watched else "tol"

    def end(self, record: TrainingRecord) -> TrainingRecord:
        """Put the best weights back if the last are worse, and note what the stage is worth.

        Parameters
        ----------
        record : TrainingRecord
            Of the stage.

        Returns
        -------
        TrainingRecord
            With ``rise`` where weights were put back.
        """
        best, last = self.best, self._losses[-1]
        record = record._replace(kept_loss=last, trivial_loss=self.stage.trivial_loss)
        if best.epoch is None:
            return record
        allowed = max(self._patience.gain, fluctuation(self._losses[: best.epoch + 1]))
        if self.settings.early_stopping and self.watched:
            allowed = 0.0
        elif self._precise:  # it never takes a step up, but may weigh its penalties anew
            allowed = math.inf
        rise = last - best.loss
        # A loss that rises while the penalty falls by more is what was asked for.
        if min(rise, rise + self._penalties[-1] - self._penalties[best.epoch]) <= allowed:
            return record
        best.restore()
        return record._replace(kept_loss=best.loss, rise=last)
