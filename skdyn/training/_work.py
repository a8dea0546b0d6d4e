"""How much a step of a stage computes, by which threads and devices are chosen."""

from typing import Any

from torch.nn import Module

from skdyn.training._optimizers import FULL_BATCH
from skdyn.training._records import Stage
from skdyn.training._settings import TrainingSettings
from skdyn.training._streams import ShuffledStream
from skdyn.training._threads import multiply_adds

__all__ = ["batch_size_of", "work_of"]


def batch_size_of(arrays: Any, settings: TrainingSettings) -> int:
    """Return how many rows a batch has.

    Parameters
    ----------
    arrays : sequence of ndarray or Tensor, or ShuffledStream
        The rows.
    settings : TrainingSettings
        How they are trained on.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If a method needs all rows of a stream at once.
    """
    if not isinstance(arrays, ShuffledStream):
        return settings.batch_size_for(len(arrays[0]))
    if settings.optimizer in FULL_BATCH:
        raise ValueError(
            f"{settings.optimizer!r} needs the full batch, which a stream of data larger "
            "than memory never shows. Use 'adam', 'adamw' or 'sgd'."
        )
    return arrays.batch_size


def work_of(module: Module, stage: Stage, settings: TrainingSettings) -> int:
    """Return the multiply-adds of a pass forward over a batch of a stage.

    Parameters
    ----------
    module : Module
        The network.
    stage : Stage
        What is minimized, and over which rows.
    settings : TrainingSettings
        How.

    Returns
    -------
    int
        See :func:`~skdyn.training._threads.multiply_adds`.
    """
    case = () if isinstance(stage.arrays, ShuffledStream) else stage.arrays[0].shape[1:]
    batch = (batch_size_of(stage.arrays, settings), *case)
    return multiply_adds(module, stage.objective, batch)
