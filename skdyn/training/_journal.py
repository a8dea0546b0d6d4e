"""A training on disk: what it takes to go on where it was interrupted, bit for bit."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch

from skdyn._time_limit import time_is_over

if TYPE_CHECKING:
    from skdyn.training._course import Course
    from skdyn.training._net import LeanNet
    from skdyn.training._records import TrainingRecord

__all__ = ["Journal", "Lasting"]


class Lasting(Protocol):
    """What keeps a state of its own from step to step: an objective, say."""

    def state(self) -> dict[str, Any]:
        """Return the state: tensors, numbers, texts, and lists, tuples and dicts of them."""
        ...

    def take_state(self, state: dict[str, Any]) -> None:
        """Go on from such a state."""
        ...


class Journal:
    """Writes the state of a stage to a file every few steps, and begins from what it finds there.

    The order of the batches is not stored: a pass that was interrupted is begun again with the
    generator as it was then, and its batches up to that point are left out.

    Parameters
    ----------
    path : path-like
        The file. It is removed when the stage has come to its end.
    every : int
        Steps between two states.
    terms : mapping of str to object
        What the training depends on, as numbers and texts: a file with others is refused.
    parts : sequence of Lasting
        What keeps a state beside the module and its optimizer.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        every: int,
        terms: Mapping[str, Any],
        parts: Sequence[Lasting],
    ) -> None:
        self.path, self.every, self.terms, self.parts = Path(path), every, dict(terms), parts
        self._n_since = 0  # steps since the last state
        self._n_batches, self._total = 0, None  # done in this pass, and the sum of their losses
        self._at_start: Any = None  # of the pass: the generator's state, if it was interrupted
        self._at_batch: Any = None  # and its state then: batches may draw, too
        self._net: Any = None
        self._course: Any = None
        self._losses: list[float] = []

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

        Raises
        ------
        ValueError
            If the file is of another training, or of none, or cannot be written.
        """
        self._net, self._course, self._losses = net, course, record.loss_curve
        content = self._content()
        if content is None:
            return record
        known = self._read(content)
        net.module_.load_state_dict(known["module"])
        net.optimizer_.load_state_dict(known["optimizer"])
        course.take_state(known["course"])
        for part, state in zip(self.parts, known["parts"], strict=True):
            part.take_state(state)
        self._n_batches, self._total = known["n_batches"], known["total"]
        self._at_start = known["generator"]
        self._at_batch = known.get("generator at the batch")
        self._losses += known["losses"]
        if record.validation_scores is not None:
            record.validation_scores.extend(-loss for loss in known["course"]["losses"])
        return record._replace(stages=((net.stage_.name, len(self._losses)),))

    def _content(self):
        if self.path.is_dir() or not self.path.parent.is_dir():
            what = "is a folder" if self.path.is_dir() else "is in a folder that is not there"
            raise ValueError(f"The checkpoint {str(self.path)!r} {what}. Name a file in a folder.")
        return self.path.read_bytes() if self.path.is_file() else None

    def _read(self, content):
        known = self._loaded(content)
        terms = known["terms"]
        if terms != self.terms:
            names = sorted(
                name for name in terms.keys() | self.terms.keys()
                if terms.get(name) != self.terms.get(name)
            )  # fmt: skip
            then, now = ({name: part.get(name) for name in names} for part in (terms, self.terms))
            raise ValueError(
                f"The checkpoint {str(self.path)!r} is of another training: {then} there, {now} "
                "here. Go on with the same, or remove the file."
            )
        return known

    def _loaded(self, content):
        try:
            known = torch.load(io.BytesIO(content), weights_only=True)
            _ = known["terms"].keys()
        except Exception as error:  # whatever another file runs into
            raise ValueError(f"{str(self.path)!r} is no checkpoint of skdyn: {error}") from error
        return known

    def left_of(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield the batches of a pass that are still to be learned from.

        Parameters
        ----------
        batches : iterable
            All of them.

        Yields
        ------
        object
            A batch.
        """
        net, n_done = self._net, self._n_batches
        net.total_, self._total = self._total, None
        if self._at_start is None:
            self._at_start = net.generator.get_state()
        else:
            net.generator.set_state(self._at_start)
        for number, batch in enumerate(batches):
            if number < n_done:
                if number == n_done - 1 and self._at_batch is not None:
                    net.generator.set_state(self._at_batch)
                    self._at_batch = None
                continue
            yield batch
            self._n_batches = number + 1
            self._n_since += 1
            # The loss of a single batch is that of the weights before it, which are not kept.
            if self._n_since >= self.every and not self._course.one_batch:
                self._write(self._at_start)

    def end_epoch(self) -> None:
        """Note that a pass is over; its loss is in the record by now."""
        self._n_batches, self._at_start = 0, None
        self._net.total_ = None
        if self._n_since >= self.every or time_is_over():
            self._write(self._net.generator.get_state())

    def finish(self) -> None:
        """Remove the file: there is nothing left to go on with."""
        self.path.unlink(missing_ok=True)

    def _write(self, generator_state):
        net = self._net
        self._n_since = 0
        state = {
            "terms": self.terms,
            "module": net.module_.state_dict(),
            "optimizer": net.optimizer_.state_dict(),
            "course": self._course.state(),
            "parts": [part.state() for part in self.parts],
            "losses": list(self._losses),
            "n_batches": self._n_batches,
            "total": net.total_,
            "generator": generator_state,
            "generator at the batch": net.generator.get_state() if self._n_batches else None,
        }
        # Whole or not at all: what interrupts the writing leaves the file from before.
        beside = self.path.with_name(self.path.name + ".part")
        torch.save(state, beside)
        os.replace(beside, self.path)
