"""Where a stage begins: too far off to learn from, or so near that it is not wanted at all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from skdyn.exceptions import SolverError, SolverWarning, TrainingDivergedError, warn_user
from skdyn.training._records import Stage

if TYPE_CHECKING:
    from skdyn.training._net import LeanNet

__all__ = ["StartError", "check_start", "easier_than", "failure_on", "is_wanted"]

_FAR = 10.0  # times the loss of the trivial answer, from which on slopes lead nowhere


class _FarError(TrainingDivergedError):
    """A loss can be told, but is above the bound that was asked for."""


class StartError(Exception):
    """The weights that a stage starts from are nothing that steps can be taken from."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


@torch.no_grad()
def failure_on(net: LeanNet, batches: Any, most: float = math.inf) -> Exception | None:
    """Return why the loss cannot be told on some batch or is above a bound, or None.

    Parameters
    ----------
    net : LeanNet
        What is trained.
    batches : iterable
        Tuples of tensors, which the objective takes.
    most : float, default=inf
        The bound.

    Returns
    -------
    Exception or None
    """
    try:
        losses = [net.criterion_(net.module_, *batch).item() for batch in batches]
    except SolverError as error:
        return error
    bad = [loss for loss in losses if not math.isfinite(loss) or loss > most]
    if bad and all(map(math.isfinite, bad)):
        return _FarError(f"The loss became {bad[0]}")
    return TrainingDivergedError(f"The loss became {bad[0]}") if bad else None


def check_start(net: LeanNet, stage: Stage) -> None:
    """Refuse a start that cannot be evaluated, or that is far off where an easier stage is known.

    Parameters
    ----------
    net : LeanNet
        What is trained.
    stage : Stage
        What begins.

    Raises
    ------
    StartError
        Whose cause says what is wrong.
    """
    far = math.inf if stage.easier is None else _FAR * (stage.trivial_loss or math.inf)
    error = failure_on(net, net.batches(stage.arrays, shuffle=False), far)
    if error is not None:
        raise StartError(error)


def easier_than(stage: Stage, error: StartError) -> list[Stage]:
    """Return what to run in place of a stage that cannot start; say so, if it is not just far off.

    Parameters
    ----------
    stage : Stage
        The one that cannot.
    error : StartError
        Why.

    Returns
    -------
    list of Stage

    Raises
    ------
    Exception
        The cause, where there is nothing easier.
    """
    if stage.easier is None:
        raise error.cause
    easier = stage.easier()
    if not easier:
        return [stage._replace(easier=None)]  # as it is, if it can be evaluated
    if isinstance(error.cause, _FarError):
        return easier
    names = ", ".join(one.name for one in easier[:-1])
    warn_user(
        f"The training on {stage.name} could not start ({error}) It goes on through {names}.",
        SolverWarning,
    )
    return easier


def is_wanted(net: LeanNet, stage: Stage) -> bool:
    """Tell whether a stage has something to mend.

    Parameters
    ----------
    net : LeanNet
        What is trained.
    stage : Stage
        One with ``only_if_above``.

    Returns
    -------
    bool
    """
    net.criterion_ = stage.objective
    most = (stage.only_if_above or 0.0) * (stage.trivial_loss or 1.0)
    return failure_on(net, net.batches(stage.arrays, shuffle=False), most) is not None
