"""The trainings of a block on disk, from epoch to epoch, by however many processes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skdyn.training._group import Alone, marks_of
from skdyn.training._journal import Journal
from skdyn.training._optimizers import CURVATURE_METHODS

if TYPE_CHECKING:
    from skdyn.training._course import Course
    from skdyn.training._net import LeanNet
    from skdyn.training._records import Stage, TrainingRecord

__all__ = ["Keeper", "keeping_in", "with_journals"]


class Keeper:
    """Names the file of a block, and counts the trainings that ran in it.

    Parameters
    ----------
    path : path-like
        The file.
    every : int
        Epochs between two states.
    """

    def __init__(self, path: str | os.PathLike[str], every: int) -> None:
        self.path, self.every, self.n_begun = Path(path), every, 0


class EpochJournal(Journal):
    """A journal of whole epochs, which the first process writes and reads for all.

    Parameters
    ----------
    path : path-like
        The file; only the first process has to see it.
    every : int
        Epochs between two states.
    terms : mapping of str to object
        What the training depends on.
    group : Alone or Processes
        Who trains.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        every: int,
        terms: Mapping[str, Any],
        group: Alone,
    ) -> None:
        super().__init__(path, every, terms, ())
        self._group, self._waits = group, False

    def begin(self, net: LeanNet, course: Course, record: TrainingRecord) -> TrainingRecord:
        """Begin a stage, from the file if there is one.

        Parameters
        ----------
        net : LeanNet
            What trains.
        course : Course
            The stage's.
        record : TrainingRecord
            Without any epochs.

        Returns
        -------
        TrainingRecord
            With the epochs that the file knows of.
        """
        record = super().begin(net, course, record)
        if self._at_start is not None:
            net.generator.set_state(self._at_start)
        return record

    def left_of(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield all batches of a pass.

        Parameters
        ----------
        batches : iterable
            Of the pass.

        Yields
        ------
        object
            A batch.
        """
        yield from batches
        self._n_since += 1

    def finish(self) -> None:
        """Remove the file, unless it is a later training's."""
        if self._group.rank == 0 and not self._waits:
            super().finish()

    def _content(self):
        content = trouble = None
        if self._group.rank == 0:
            try:
                content = super()._content()
            except (ValueError, OSError) as error:
                trouble = str(error)
        content, trouble = self._group.of(0, (content, trouble))
        if trouble is not None:
            raise ValueError(trouble)
        if content is not None:
            # Of a training further down in the block: this one ended before, and is run again.
            then = self._loaded(content)["terms"].get("training", 0)
            self._waits = then > self.terms["training"]
        return None if self._waits else content

    def _write(self, generator_state):
        self._n_since = 0
        if self._group.rank == 0 and not self._waits:
            super()._write(generator_state)


_KEEPER: ContextVar[Keeper | None] = ContextVar("keeper", default=None)


@contextmanager
def keeping_in(keeper: Keeper | None) -> Iterator[None]:
    """Keep on disk what is trained in a block, in this thread.

    Parameters
    ----------
    keeper : Keeper or None
        Where; None keeps nothing.

    Yields
    ------
    None
        Nothing.
    """
    token = _KEEPER.set(keeper)
    try:
        yield
    finally:
        _KEEPER.reset(token)


def with_journals(net: LeanNet, stages: list[Stage]) -> list[Stage]:
    """Return the stages of a training, kept on disk where a block asks for it.

    Parameters
    ----------
    net : LeanNet
        What is trained.
    stages : list of Stage
        What to learn.

    Returns
    -------
    list of Stage

    Raises
    ------
    ValueError
        If the training cannot be taken up from an epoch's end.
    """
    keeper = _KEEPER.get()
    if keeper is None or not stages:
        return stages
    why = _why_not(net, stages)
    if why is not None:
        raise ValueError(
            f"This training cannot go on from {str(keeper.path)!r}: {why}. Leave checkpoint out."
        )
    keeper.n_begun += 1
    settings = net.settings._replace(verbose=0)._asdict()
    weights, data = marks_of(stages[0], net.learnt())
    terms = settings | {
        "training": keeper.n_begun, "stage": stages[0].name, "max_iter": stages[0].max_iter,
        "data": data, "weights": weights,
    }  # fmt: skip
    journal = EpochJournal(keeper.path, keeper.every, terms, net.group)
    return [stages[0]._replace(journal=journal)]


def _why_not(net, stages):
    """Say why a training depends on more than a journal keeps; None if it does not."""
    stage, optimizer = stages[0], net.settings.optimizer
    if len(stages) > 1:
        return f"it has {len(stages)} stages ({', '.join(one.name for one in stages)})"
    if stage.journal is not None or stage.progress is not None:
        return "sparse coders are kept by checkpoint= of their own fit"
    if optimizer in CURVATURE_METHODS:
        return f"optimizer={optimizer!r} keeps what it knows to itself; use 'adam' or 'lbfgs'"
    if stage.parameters or net.settings.max_recoveries:
        return "it may take epochs back, or learns more than the weights of the network"
    return None
