"""How fast to learn, epoch by epoch or step by step."""

from skdyn.training._optimizers import LEARNING_RATE_SCHEDULES
from skdyn.training._records import Stage
from skdyn.training._settings import TrainingSettings

__all__ = ["Pace"]


class Pace:
    """The learning rate of an epoch: schedule times whatever divergence or a plateau left."""

    def __init__(self, stage: Stage, settings: TrainingSettings) -> None:
        line_search = settings.optimizer == "lbfgs"  # it scales its own steps
        self.base = 1.0 if line_search else stage.learning_rate or settings.learning_rate
        self._floor = self.base * 1e-3
        self._max_iter = stage.max_iter
        self._schedule = LEARNING_RATE_SCHEDULES[settings.learning_rate_schedule]

    def learning_rate(self, epoch: int) -> float:
        return self.at(epoch / self._max_iter)

    def at(self, progress: float) -> float:
        """Return the rate when a share of the training is done."""
        return self.base * self._schedule(progress)

    def slow_down(self) -> None:
        self.base *= 0.5

    def drop(self) -> bool:
        """Divide by five, as scikit-learn's "adaptive" does; tell whether that was possible."""
        if self.base <= self._floor:
            return False
        self.base /= 5.0
        return True
