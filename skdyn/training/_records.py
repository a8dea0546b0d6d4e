"""What goes into a training run and what comes out."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from skdyn.training._journal import Journal
from skdyn.training._streams import ShuffledStream


class Stage(NamedTuple):
    """One objective over one set of arrays.

    Parameters
    ----------
    objective : callable
        ``objective(module, *batch)`` gives the batch's mean loss, a scalar tensor.
    arrays : tuple of ndarray or Tensor, or ShuffledStream
        What the batches are cut from; the first axis is the cases. Floating arrays take the
        run's precision, others keep theirs. A stream brings batches from data larger than memory.
    max_iter : int
        Epochs at most.
    name : str, default="fit"
        Shown with ``verbose``.
    validation : tuple of ndarray or Tensor, or None, default=None
        Arrays like ``arrays`` on which the objective is watched.
    learning_rate : float or None, default=None
        This stage's own rate; None takes the settings'.
    tol : float or None, default=None
        This stage's own tolerance; None takes the settings'.
    parameters : tuple of Tensor, default=()
        Leaf tensors learned in this stage beside the module's weights, without weight decay.
    must_improve : bool, default=False
        Whether a stage that ends with a higher loss (validation's where there is one) than the
        one before is taken back, and ends the run.
    before_epoch : callable or None, default=None
        ``before_epoch(module, epoch)`` may change the function before an epoch, counted from 0:
        move a grid, let in modes. It returns whether it did: patience then begins anew. The
        optimizer's moments survive as far as shapes allow.
    after_step : callable or None, default=None
        ``after_step(module)`` may change the weights after each step of the optimizer; "lbfgs" and
        curvature methods, which evaluate more than once a step, refuse.
    trivial_loss : float or None, default=None
        Loss of the best answer that reads no input, on ``validation`` where there is one: the
        scale of ``tol``, and what a fit worth having must beat. None where nobody knows; ``tol``
        then counts in units of one.
    steady_from : float, default=0.0
        Share of the epochs after which the objective stays the same. Before (penalties that grow,
        phases) losses are not compared: nothing is kept as best, and no patience ends.
    is_enough : callable or None, default=None
        ``is_enough(n_iter)`` tells whether so many epochs are all that the stage was to get.
    easier : callable or None, default=None
        ``easier()`` returns stages to run in place of this one where its very start cannot be
        evaluated or is far worse than ``trivial_loss``, an easier one first; an empty list where
        there is none.
    only_if_above : float or None, default=None
        Times ``trivial_loss`` that the loss must be above, or impossible to tell, for the stage to
        be run at all. None runs it anyway.
    progress : callable or None, default=None
        ``progress()`` tells the share of the stage that is done, which the learning rate's schedule
        follows from step to step. None lets it follow the epochs.
    journal : Journal or None, default=None
        Keeps the stage on disk, so that it can be taken up where it was interrupted. Not for stages
        whose epochs are taken back (``max_recoveries``) or whose function changes between them.
    by_rows : bool, default=True
        Whether the objective is a mean over rows that know nothing of each other, so that several
        processes which share a batch compute exactly what one would.
    """

    objective: Callable[..., torch.Tensor]
    arrays: tuple[np.ndarray | torch.Tensor, ...] | ShuffledStream
    max_iter: int
    name: str = "fit"
    validation: tuple[np.ndarray | torch.Tensor, ...] | None = None
    learning_rate: float | None = None
    tol: float | None = None
    parameters: tuple[torch.Tensor, ...] = ()
    must_improve: bool = False
    before_epoch: Callable[[torch.nn.Module, int], bool] | None = None
    after_step: Callable[[torch.nn.Module], None] | None = None
    trivial_loss: float | None = None
    steady_from: float = 0.0
    is_enough: Callable[[int], bool] | None = None
    easier: Callable[[], list["Stage"]] | None = None
    only_if_above: float | None = None
    progress: Callable[[], float] | None = None
    journal: Journal | None = None
    by_rows: bool = True


class TrainingRecord(NamedTuple):
    """How a run went.

    Attributes
    ----------
    loss_curve : list of float
        Mean training loss of each epoch.
    validation_scores : list of float or None
        Minus the validation loss after each epoch (higher is better); None without validation.
    stop_reason : str
        "tol", "early_stopping", "callback", "diverged", "max_time", "budget" or "max_iter".
    n_recoveries : int
        How often a diverged epoch was taken back.
    kept_loss : float or None
        Loss, as recorded, of the weights that the last stage ended with: validation's where there
        is one. None while a stage runs.
    rise : float or None
        The loss of the last epoch, where weights of an earlier one were put back; else None.
    trivial_loss : float or None
        Loss of the best answer that reads no input, in the last stage.
    kept_losses : tuple of (str, float)
        Name and ``kept_loss`` of each stage that ended.
    stages : tuple of (str, int)
        Name and number of epochs of each stage.
    """

    loss_curve: list[float]
    validation_scores: list[float] | None
    stop_reason: str
    n_recoveries: int = 0
    kept_loss: float | None = None
    rise: float | None = None
    trivial_loss: float | None = None
    kept_losses: tuple[tuple[str, float], ...] = ()
    stages: tuple[tuple[str, int], ...] = ()

    @property
    def n_iter(self) -> int:
        """Number of epochs that counted."""
        return len(self.loss_curve)

    @property
    def best_loss(self) -> float:
        """The best loss watched: validation's where there is one, else training's."""
        if self.validation_scores:
            return -max(self.validation_scores)
        return min(self.loss_curve)

    def report(self, stage: Stage, verbose: int) -> None:
        """Print the last epoch: every one, or a tenth of them.

        Parameters
        ----------
        stage : Stage
            The stage that runs.
        verbose : int
            0 prints nothing, 1 a tenth, more all.
        """
        every = 1 if verbose > 1 else max(1, stage.max_iter // 10)
        if not verbose or (self.n_iter % every and self.n_iter != 1):
            return
        scores, loss = self.validation_scores, self.loss_curve[-1]
        watched = f", validation loss {-scores[-1]:.6g}" if scores else ""
        print(f"{stage.name}: epoch {self.n_iter}/{stage.max_iter}, loss {loss:.6g}{watched}")

    def then(self, later: "TrainingRecord") -> "TrainingRecord":
        """Return the record of this run followed by ``later``.

        Parameters
        ----------
        later : TrainingRecord
            The run that came next.

        Returns
        -------
        TrainingRecord
        """
        return later._replace(
            loss_curve=self.loss_curve + later.loss_curve,
            n_recoveries=self.n_recoveries + later.n_recoveries,
            kept_losses=self.kept_losses + later.kept_losses,
            stages=self.stages + later.stages,
        )
