"""Several processes that train one model, each on its share of every batch."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch

from skdyn.exceptions import SolverError, TrainingDivergedError, WorkerLostError, warn_user
from skdyn.training._streams import ShuffledStream

__all__ = ["Alone", "Processes", "current_group", "marks_of", "training_in"]

Batch = tuple[torch.Tensor, ...]


class Alone:
    """One process, which has every batch to itself."""

    size = 1
    rank = 0

    def mean(
        self, loss_of: Callable[[Batch], torch.Tensor], batch: Batch,
        learned: Sequence[torch.Tensor] = (),
    ) -> torch.Tensor:  # fmt: skip
        """Return the mean loss of a batch; the gradients of what is learned are then that of it.

        Parameters
        ----------
        loss_of : callable
            Gives the mean loss of a part of the batch, and adds its gradients.
        batch : tuple of Tensor
            The batch of all processes.
        learned : sequence of Tensor, default=()
            Whose gradients to average.

        Returns
        -------
        Tensor
        """
        return loss_of(batch)

    def any(self, here: bool) -> bool:
        """Return whether something is so in any of the processes.

        Parameters
        ----------
        here : bool
            Whether it is so in this one.

        Returns
        -------
        bool
        """
        return here

    def align(self, tensors: Sequence[torch.Tensor]) -> None:
        """Give every process what the first one has.

        Parameters
        ----------
        tensors : sequence of Tensor
            Written in place.
        """

    def of(self, rank: int, thing: Any) -> Any:
        """Return what one of the processes passes.

        Parameters
        ----------
        rank : int
            Which.
        thing : object
            Anything that can be pickled.

        Returns
        -------
        object
        """
        return thing

    def send(self, array: np.ndarray, rank: int) -> None:
        """Give every process what one of them has.

        Parameters
        ----------
        array : ndarray
            Of one shape and type in all; written in place.
        rank : int
            Who has it.
        """

    def check(self, stage: Any, learned: Sequence[torch.Tensor]) -> None:
        """Refuse to train where the processes begin from other weights or with other data.

        Parameters
        ----------
        stage : Stage
            What is to be trained.
        learned : sequence of Tensor
            The weights.
        """


class Processes(Alone):
    """The processes of a group of ``torch.distributed``.

    Parameters
    ----------
    group : ProcessGroup
        Made by somebody else, with a timeout.
    """

    def __init__(self, group: Any) -> None:
        import torch.distributed

        self._torch = torch.distributed
        self._group = group
        self.rank = torch.distributed.get_rank(group)
        self.size = torch.distributed.get_world_size(group)

    def mean(
        self, loss_of: Callable[[Batch], torch.Tensor], batch: Batch,
        learned: Sequence[torch.Tensor] = (),
    ) -> torch.Tensor:  # fmt: skip
        """Return the mean loss of a batch of which each process computes its share.

        Loss and gradients cross in one vector, weighted by the share's rows, so that penalties,
        which every process adds in full, count once. A process without rows adds zeros.

        Parameters
        ----------
        loss_of : callable
            Gives the mean loss of a part of the batch, and adds its gradients.
        batch : tuple of Tensor
            The batch of all processes.
        learned : sequence of Tensor, default=()
            Whose gradients to average.

        Returns
        -------
        Tensor
        """
        part = tuple(tensor.tensor_split(self.size)[self.rank] for tensor in batch)
        share = len(part[0]) / len(batch[0])
        failure, loss = None, torch.zeros((), device=batch[0].device)
        if share:
            try:
                loss = loss_of(part).detach()
            except Exception as error:  # the others wait: they must hear of it
                failure = error
        slopes = [
            torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in learned
        ]
        sums = torch.cat([share * part.reshape(-1) for part in (loss, *slopes)])
        if failure is not None:
            sums = torch.zeros_like(sums)
        failed = [isinstance(failure, SolverError), failure is not None]
        flat = torch.cat([sums.new_tensor(failed), sums])
        self._sum(flat)
        self._raise(failure, *flat[:2].tolist())
        whole, *rest = flat[2:].split([1, *(slope.numel() for slope in slopes)])
        for weight, slope in zip(learned, rest, strict=True):
            weight.grad = slope.reshape(weight.shape).to(weight.dtype)
        return whole[0]

    def any(self, here: bool) -> bool:
        """Return whether something is so in any of the processes.

        Parameters
        ----------
        here : bool
            Whether it is so in this one.

        Returns
        -------
        bool
        """
        flag = torch.tensor([float(here)])
        self._sum(flag)
        return bool(flag.item())

    def align(self, tensors: Sequence[torch.Tensor]) -> None:
        """Give every process what the first one has.

        Parameters
        ----------
        tensors : sequence of Tensor
            Written in place.
        """
        first = self._torch.get_global_rank(self._group, 0)
        with torch.no_grad():
            for tensor in tensors:
                self._together(self._torch.broadcast, tensor.data, first)

    def of(self, rank: int, thing: Any) -> Any:
        """Return what one of the processes passes.

        Parameters
        ----------
        rank : int
            Which.
        thing : object
            Anything that can be pickled.

        Returns
        -------
        object
        """
        box = [thing]
        source = self._torch.get_global_rank(self._group, rank)
        self._together(self._torch.broadcast_object_list, box, source)
        return box[0]

    def send(self, array: np.ndarray, rank: int) -> None:
        """Give every process what one of them has.

        Parameters
        ----------
        array : ndarray
            Of one shape and type in all; written in place.
        rank : int
            Who has it.
        """
        source = self._torch.get_global_rank(self._group, rank)
        numbers = torch.from_numpy(array.reshape(-1).view(np.uint8))
        self._together(self._torch.broadcast, numbers, source)

    def check(self, stage: Any, learned: Sequence[torch.Tensor]) -> None:
        """Refuse to train where the processes begin from other weights or with other data.

        Parameters
        ----------
        stage : Stage
            What is to be trained.
        learned : sequence of Tensor
            The weights.
        """
        if not stage.by_rows and self.rank == 0:
            warn_user(
                f"What is minimized in {stage.name!r} is no mean over rows: {self.size} processes "
                "that share a batch come to a result that differs a little from one's."
            )
        marks = torch.tensor(marks_of(stage, learned))
        every = [torch.empty_like(marks) for _ in range(self.size)]
        self._together(self._torch.all_gather, every, marks)
        other = (torch.stack(every) != every[0]).any(dim=0).tolist()
        if other[1]:
            raise ValueError(
                f"The {self.size} processes hold other data: data_parallel needs the same X and y "
                "in each of them, of which it takes the share of every batch itself"
            )
        if other[0]:
            raise ValueError(
                f"The {self.size} processes begin from other weights: pass a number as "
                "random_state, and the same parameters in each of them"
            )

    def _sum(self, tensor):
        self._together(self._torch.all_reduce, tensor)

    def _together(self, exchange, *arguments):
        try:
            exchange(*arguments, group=self._group)
        except RuntimeError as error:  # also what a timeout raises
            raise WorkerLostError(
                f"Process {self.rank} of {self.size} waited in vain for another one, which ended, "
                "failed before the training, or took longer than timeout. The weights from before "
                "the fit were put back; start all processes again"
            ) from error

    def _raise(self, failure, n_unsolved, n_failed):
        if failure is not None:
            raise failure
        if n_unsolved:
            raise SolverError("Another process could not solve its share of the batch")
        if n_failed:
            raise TrainingDivergedError("The training failed in another process, which tells why")


_GROUP: ContextVar[Alone] = ContextVar("group", default=Alone())  # noqa: B039 (it has no state)


def current_group() -> Alone:
    """Return the processes that what is trained now is shared among.

    Returns
    -------
    Alone or Processes
    """
    return _GROUP.get()


@contextmanager
def training_in(group: Alone) -> Iterator[None]:
    """Share among these processes all that is trained in a block, in this thread.

    Parameters
    ----------
    group : Alone or Processes
        The processes.

    Yields
    ------
    None
        Nothing.
    """
    token = _GROUP.set(group)
    try:
        yield
    finally:
        _GROUP.reset(token)


def marks_of(stage: Any, learned: Sequence[torch.Tensor]) -> tuple[int, int]:
    """Return numbers by which other weights and other data are told.

    Parameters
    ----------
    stage : Stage
        What is to be trained; streams are not read.
    learned : sequence of Tensor
        The weights.

    Returns
    -------
    tuple of int
    """
    streamed = isinstance(stage.arrays, ShuffledStream)
    arrays = () if streamed else (*stage.arrays, *(stage.validation or ()))
    return _mark(learned), _mark(arrays)


def _mark(arrays):
    """A number that tells other numbers apart."""
    mark = 0
    for array in arrays:
        numbers = array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else array
        mark = zlib.crc32(np.ascontiguousarray(numbers).reshape(-1).view(np.uint8).data, mark)
        mark = zlib.crc32(repr(np.shape(numbers)).encode(), mark)
    return mark
