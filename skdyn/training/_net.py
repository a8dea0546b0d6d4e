"""The one training loop, on a skorch net that does nothing per batch but learn."""

# skorch's loop is replaced by one that takes and gives other things.
# pyright: reportIncompatibleMethodOverride=false

import copy
import math
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import torch
from skorch import NeuralNet

from skdyn._time_limit import time_is_over
from skdyn.exceptions import SolverError, SolverWarning, TrainingDivergedError, warn_user
from skdyn.training._batches import TensorBatches, to_tensor
from skdyn.training._course import Course
from skdyn.training._group import current_group
from skdyn.training._keeper import keeping_in, with_journals
from skdyn.training._line_search import GuardedStep
from skdyn.training._optimizers import (
    CURVATURE_METHODS,
    FULL_BATCH,
    OPTIMIZERS,
    clip_gradients,
    decaying,
    parameter_groups,
    set_learning_rate,
    sum_of_squares,
)
from skdyn.training._records import Stage, TrainingRecord
from skdyn.training._settings import TrainingSettings
from skdyn.training._starts import StartError, check_start, easier_than, failure_on, is_wanted
from skdyn.training._streams import ShuffledStream
from skdyn.training._threads import threads_for
from skdyn.training._weights import Snapshot, carry_over
from skdyn.training._work import batch_size_of, work_of


class LeanNet(NeuralNet):
    """skorch's net without history, callbacks, data loaders and a sync a batch.

    skorch brings the construction of optimizers and their parameter groups; the loop is ours.

    Parameters
    ----------
    module : torch.nn.Module
        The network, already on its device and in its precision; it is trained in place.
    settings : TrainingSettings
        How to train.
    generator : torch.Generator
        Source of the order of the cases.
    """

    def __init__(
        self, module: torch.nn.Module, settings: TrainingSettings, generator: torch.Generator
    ) -> None:
        full_batch = settings.optimizer in FULL_BATCH
        options: dict[str, Any] = {"train_split": None, "device": None}
        if not full_batch:
            options["optimizer__weight_decay"] = settings.alpha
        super().__init__(
            module,
            criterion=torch.nn.Module,
            optimizer=cast("Any", (OPTIMIZERS | CURVATURE_METHODS)[settings.optimizer]),
            lr=settings.learning_rate,
            callbacks="disable",
            verbose=0,
            **options,
        )
        self.settings = settings
        self.generator = generator
        self.group = current_group()
        self.extras = ()
        self.total_: Any = None  # of the losses of this pass so far
        self.named_: dict[str, torch.nn.Parameter] = {}  # the weights that the optimizer knows,
        self.weights_: list[torch.Tensor] = []  # and the stage's own with them
        self.initialize()

    def get_params_for_optimizer(
        self, prefix: str, named_parameters: Iterator[tuple[str, torch.Tensor]]
    ) -> tuple[tuple[list[dict]], dict]:
        """Collect what the optimizer is made from: the module's groups, then the stage's tensors.

        L-BFGS allows one group only, which everything joins; its penalty is written into the loss,
        where the groups are heeded.

        Parameters
        ----------
        prefix : str
            What skorch's options of the optimizer begin with.
        named_parameters : iterator of (str, Tensor)
            Unused: the module's groups say more than names.

        Returns
        -------
        args : tuple
            The groups.
        kwargs : dict
            The other parameters.
        """
        _, kwargs = super().get_params_for_optimizer(prefix, named_parameters)
        self.named_ = dict(self.module_.named_parameters())
        self.weights_ = [*self.named_.values(), *self.extras]
        groups = parameter_groups(self.module_)
        if self.extras:
            groups.append({"params": list(self.extras), "rate": 1.0, "decay": False})
        if self.settings.optimizer in FULL_BATCH:
            learnt = [parameter for group in groups for parameter in group["params"]]
            return ([{"params": learnt}],), kwargs
        for group in groups:
            if not group["decay"]:
                group["weight_decay"] = 0.0
        return ([group for group in groups if group["params"]],), kwargs

    def run(
        self,
        stages: list[Stage],
        on_epoch: Callable[[TrainingRecord], bool | None] | None = None,
    ) -> TrainingRecord:
        """Run the stages in turn.

        Parameters
        ----------
        stages : list of Stage
            What to learn; those that turn out not to be wanted are taken off it.
        on_epoch : callable or None, default=None
            ``on_epoch(record) -> bool`` after each epoch; true stops the run.

        Returns
        -------
        TrainingRecord

        Raises
        ------
        TrainingDivergedError
            If the loss or a weight became NaN or infinite.
        SolverError
            If a differential equation inside the module could not be solved.
        """
        before, record = Snapshot(self.learnt()), cast("Any", None)
        waiting = deque(with_journals(self, stages))
        self.module_.train()
        try:
            while waiting:
                stage = waiting.popleft()
                if stage.only_if_above is not None and not is_wanted(self, stage):
                    stages[:] = [one for one in stages if one is not stage]
                    continue
                earlier = copy.deepcopy(self.module_) if record and stage.must_improve else None
                try:
                    # What a stage trains on the way (starts to choose from) is not kept.
                    work = work_of(self.module_, stage, self.settings)
                    with keeping_in(None), threads_for(work):
                        done = self.fit_loop(stage, on_epoch=on_epoch, earlier=record)
                except StartError as error:
                    waiting.extendleft(reversed(easier_than(stage, error)))
                    continue
                if earlier is not None and done.best_loss >= record.best_loss:
                    self.module_ = earlier
                    self.initialize_optimizer()
                    break
                record = done if record is None else record.then(done)
                if done.stop_reason in ("callback", "max_time"):
                    break
        except BaseException:  # Ctrl-C too: never leave half-trained weights behind
            before.restore()
            self.initialize_optimizer()
            raise
        finally:
            self.module_.eval()
        return record

    def fit_loop(
        self,
        stage: Stage,
        on_epoch: Callable[[TrainingRecord], bool | None] | None = None,
        earlier: TrainingRecord | None = None,
    ) -> TrainingRecord:
        """Train on one stage until it converges, is stopped or runs out of epochs.

        Parameters
        ----------
        stage : Stage
            Objective and arrays.
        on_epoch : callable or None, default=None
            See :meth:`run`.
        earlier : TrainingRecord or None, default=None
            Record of the stages before, which ``on_epoch`` is shown too.

        Returns
        -------
        TrainingRecord
        """
        settings, watched = self.settings, stage.validation is not None
        self.criterion_ = stage.objective
        self.stage_ = self._with_hook(stage)
        self.group.check(stage, self.learnt())
        training = self.batches(stage.arrays, shuffle=True)
        validation = self.batches(stage.validation, shuffle=False) if watched else None
        self.watched_ = validation if settings.early_stopping else None
        self.extras = stage.parameters
        changed = stage.before_epoch is not None and stage.before_epoch(self.module_, 0)
        if earlier is not None or stage.parameters or changed:
            self.initialize_optimizer()  # another objective: its curvature is another too
        if settings.max_recoveries:
            check_start(self, stage)
        one_batch = isinstance(training, TensorBatches) and len(training) == 1
        course = Course(stage, settings, self.learnt, one_batch=one_batch)
        scores: list[float] = []
        record = TrainingRecord([], scores if watched else None, "max_iter")
        self.pace_, journal = course.pace, stage.journal
        if journal is not None:
            record = journal.begin(self, course, record)
        while record.n_iter < stage.max_iter and record.stop_reason == "max_iter":
            course.begin_epoch(record.n_iter, changed=self._changes(stage, record.n_iter))
            set_learning_rate(self.optimizer_, course.pace.learning_rate(record.n_iter))
            try:
                *losses, penalty = self._epoch(training, validation, record.n_iter)
            except (SolverError, TrainingDivergedError) as error:
                record = self._recover(error, record, course)
                continue
            record.loss_curve.append(losses[0])
            if watched:
                scores.append(-losses[1])
            record = record._replace(stages=((stage.name, record.n_iter),))
            course.note(losses, penalty)
            reason = course.reason_to_stop()
            shown = record if earlier is None else earlier.then(record)
            record.report(stage, settings.verbose)
            if self.group.size > 1:
                self.group.align(self.learnt())
            if self.group.any(time_is_over()):
                reason = "max_time"
            if self.group.any(on_epoch is not None and bool(on_epoch(shown))):
                reason = "callback"
            record = record._replace(stop_reason=reason)
            if journal is not None:
                journal.end_epoch()
        if journal is not None and record.stop_reason not in ("callback", "max_time"):
            journal.finish()
        record = course.end(record)
        record = record._replace(kept_losses=((stage.name, record.kept_loss),))
        if record.rise is None:
            self._check_last_step(record, course, training)
        return record

    def _changes(self, stage, epoch):
        """Let the stage change the function; what the optimizer knows lives on where it can."""
        if not epoch or stage.before_epoch is None:
            return False
        before = self.named_
        if not stage.before_epoch(self.module_, epoch):
            return False
        self.named_ = now = dict(self.module_.named_parameters())
        if self.settings.optimizer in FULL_BATCH:  # they know the curvature by the other weights
            self.initialize_optimizer()
        elif any(now[name] is not before.get(name) for name in now):
            known = self.optimizer_.state
            self.initialize_optimizer()
            carry_over(known, before, self.optimizer_.state, now)
        return True

    def run_single_epoch(self, iterator: TensorBatches) -> torch.Tensor:
        """Take one optimizer step a batch; return the mean loss, still on the device.

        Parameters
        ----------
        iterator : TensorBatches
            The batches.

        Returns
        -------
        Tensor
        """
        self.total_, stage = None, self.stage_
        for batch in iterator if stage.journal is None else stage.journal.left_of(iterator):
            if stage.progress is not None:
                set_learning_rate(self.optimizer_, self.pace_.at(stage.progress()))
            loss, n_cases = self.train_step(batch).detach(), len(batch[0])
            total = self.total_
            self.total_ = loss * n_cases if total is None else total.add_(loss, alpha=n_cases)
        return self.total_ / iterator.n_cases

    def train_step(self, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Take one step of the optimizer on a batch.

        Parameters
        ----------
        batch : tuple of Tensor
            Aligned tensors.

        Returns
        -------
        Tensor
            The loss before the step.
        """
        if self.settings.optimizer == "lbfgs":
            return GuardedStep(self, batch).take()
        if self.settings.optimizer in CURVATURE_METHODS:
            return self._curvature_step(batch)
        loss = self.gradients(batch)
        with torch.no_grad():
            self.optimizer_.step()
            if self.stage_.after_step is not None:
                self.stage_.after_step(self.module_)
        return loss

    def _with_hook(self, stage):
        """Return the stage; refuse its hook where a step is more than one gradient and a move."""
        if stage.after_step and self.settings.optimizer in FULL_BATCH:
            raise ValueError(
                f"after_step does not go with {self.settings.optimizer!r}, which evaluates several "
                "times a step. Use 'adam', 'adamw' or 'sgd'."
            )
        return stage

    def _curvature_step(self, batch):
        criterion, optimizer = cast("Any", (self.criterion_, self.optimizer_))
        problem = criterion.problem(self.module_, batch)
        watch = None if self.watched_ is None else partial(self.validation_loss, self.watched_)
        return optimizer.step(problem, watch)

    @torch.no_grad()
    def validation_loss(self, batches: TensorBatches | ShuffledStream) -> torch.Tensor:
        """Return the mean loss over batches without learning from them.

        Parameters
        ----------
        batches : TensorBatches
            The validation set.

        Returns
        -------
        Tensor
        """
        self.module_.eval()
        mean = partial(self.group.mean, lambda part: self.criterion_(self.module_, *part))
        total: Any = sum(mean(batch) * len(batch[0]) for batch in batches)
        self.module_.train()
        return total / batches.n_cases

    def gradients(self, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Compute the loss of a batch and the gradients of everything learned.

        Parameters
        ----------
        batch : tuple of Tensor
            Aligned tensors.

        Returns
        -------
        Tensor
            The loss.
        """
        self.optimizer_.zero_grad()
        loss = self.group.mean(self._loss_and_slopes, batch, self.weights_)
        if self.settings.clip_norm is not None:
            clip_gradients(self.weights_, self.settings.clip_norm)
        return loss

    def _loss_and_slopes(self, batch):
        loss = self.criterion_(self.module_, *batch)
        if self.settings.optimizer == "lbfgs" and self.settings.alpha:  # it has no weight decay
            loss = loss + self._penalty()
        loss.backward()
        return loss

    def _penalty(self):
        groups = parameter_groups(self.module_)  # L-BFGS itself has one group for all
        return 0.5 * self.settings.alpha * sum(w.square().sum() for w in decaying(groups))

    def learnt(self) -> list[torch.Tensor]:
        """List what a step may change: the module's weights and buffers, the stage's own tensors.

        Returns
        -------
        list of Tensor
        """
        return [*self.module_.parameters(), *self.module_.buffers(), *self.extras]

    def batches(self, arrays: Any, shuffle: bool) -> Any:
        """Return batches of rows, in this module's place and precision.

        Parameters
        ----------
        arrays : tuple of ndarray or Tensor, or ShuffledStream
            The rows.
        shuffle : bool
            Whether each epoch has an order of its own.

        Returns
        -------
        TensorBatches or ShuffledStream
        """
        like = next(self.module_.parameters())
        if isinstance(arrays, ShuffledStream):
            return arrays.to(like)
        tensors = [to_tensor(array) for array in arrays]
        tensors = [
            tensor.to(like) if tensor.is_floating_point() else tensor.to(like.device)
            for tensor in tensors
        ]
        generator = self.generator if shuffle else None
        return TensorBatches(tensors, batch_size_of(tensors, self.settings), generator)

    def _epoch(self, training, validation, epoch):
        """Run one epoch; its losses, and the penalty, cross from the device here, once."""
        losses = [self.run_single_epoch(training)]
        if validation is not None:
            losses.append(self.validation_loss(validation))
        in_loss = not self.settings.alpha or self.settings.optimizer in FULL_BATCH
        if in_loss:
            losses.append(0 * losses[0])
        else:
            squares = sum_of_squares(decaying(cast("Any", self.optimizer_).param_groups))
            losses.append((0.5 * self.settings.alpha * squares).to(losses[0]))
        losses = torch.stack(losses).tolist()
        bad = [loss for loss in losses if not math.isfinite(loss)]
        if bad:
            raise TrainingDivergedError(
                f"The loss became {bad[-1]} in epoch {epoch + 1}. Lower learning_rate "
                f"(now {self.stage_.learning_rate or self.settings.learning_rate}), set "
                "clip_norm=1.0, or scale the inputs."
            )
        return losses

    def _recover(self, error, record, course):
        """Take an epoch back, and change what comes: the same again would fail again."""
        line_search = self.settings.optimizer in FULL_BATCH  # no step of it can be made smaller
        if record.n_recoveries >= self.settings.max_recoveries or (
            line_search and course.best.epoch is None
        ):
            raise error
        course.best.restore()
        self.initialize_optimizer()
        record = record._replace(n_recoveries=record.n_recoveries + 1)
        done = f"Epoch {record.n_iter + 1} diverged ({error}) The best weights were restored"
        if line_search:
            warn_user(f"{done} and the stage was ended.", SolverWarning)
            return record._replace(stop_reason="diverged")
        course.pace.slow_down()
        warn_user(
            f"{done} and the learning rate was halved to {course.pace.base:.3g}.", SolverWarning
        )
        return record

    def _check_last_step(self, record, course, training):
        """Refuse weights that the very last step spoilt: no later epoch would notice.

        Where divergence is to be expected (``max_recoveries``) they are tried out; elsewhere it is
        enough that they are numbers.
        """
        settings, trouble = self.settings, None
        if not all(torch.isfinite(weight).all() for weight in self.module_.parameters()):
            trouble = "The weights became NaN or infinite"
        elif settings.max_recoveries and settings.optimizer not in FULL_BATCH:
            # (the line search of those tried them already)
            self.module_.eval()
            trouble = failure_on(self, training)
            self.module_.train()
        if trouble is None:
            return
        error = TrainingDivergedError(
            f"{trouble} in epoch {record.n_iter}, the last. Lower learning_rate (now "
            f"{self.stage_.learning_rate or settings.learning_rate}) or set clip_norm=1.0."
        )
        if not settings.max_recoveries:
            raise error
        course.best.restore()
        warn_user(f"{error} The best weights were restored.", SolverWarning)
