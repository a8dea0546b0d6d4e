"""One model trained by several processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from skdyn._validation import is_whole
from skdyn.training import Alone, Keeper, Processes, keeping_in, training_in

__all__ = ["data_parallel", "processes"]

# Torch 2.6 joins a group's threads without letting go of Python, which one of them may be waiting
# for to drop its last tensor. Groups that ended are kept until the process ends: a few kilobytes
# each.
_ENDED: list[Any] = []


@contextmanager
def data_parallel(
    group: Any = None, *, timeout: float = 60.0,
    checkpoint: str | os.PathLike[str] | None = None, save_every: int = 10,
) -> Iterator[None]:  # fmt: skip
    """Train what is fitted in a block by all processes of a ``torch.distributed`` group.

    Every process calls the same ``fit`` with the same data (:func:`~skdyn.scale.gather_rows` brings
    together what each has read a part of) and the same ``random_state``, and
    ends with the same model. Each computes its share of every batch; losses and gradients are
    averaged [1]_, so that the model is the one that a single process would have trained, up to
    rounding. The group is made by somebody else: ``torchrun`` and
    ``torch.distributed.init_process_group("gloo")``, Ray Train, or a Dask task a worker. Outside of
    a group, and in a group of one, the block changes nothing.

    Worth it for large networks and large batches: set ``batch_size`` so that a step takes some
    10 ms at least, and give each process its own cores or its own GPU. Curvature methods ("lm",
    which ``KANRegressor`` takes for small tables) run as a whole in each process. What is drawn
    within a network (dropout) differs between shares.

    Parameters
    ----------
    group : ProcessGroup or None, default=None
        Of ``torch.distributed``; None takes all processes.
    timeout : float, default=60.0
        Seconds that a process waits for the others before it gives up.
    checkpoint : path-like or None, default=None
        A file from which ``fit`` goes on if it is there, after a process was lost or the job was
        stopped. The first process writes it; it is removed when the training has ended. The same
        program has to run again, with as many processes or another number (also outside of a
        group); as many end bit for bit where they would have ended without the interruption. For
        trainings in one stage by "adam", "adamw", "sgd" or "lbfgs". Sparse coders have a
        ``checkpoint`` of their own.
    save_every : int, default=10
        Epochs between two states of the checkpoint.

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    ValueError
        If a parameter is no such thing. In ``fit``, if the processes hold other data, weights or
        numbers of rows, or if the checkpoint is of another training, or of none that can go on.
    skdyn.exceptions.WorkerLostError
        In ``fit``, if another process is gone or silent; weights are put back.

    References
    ----------
    .. [1] S. Li et al., "PyTorch Distributed: Experiences on Accelerating Data Parallel Training",
       VLDB 2020.

    Examples
    --------
    >>> from skdyn import KANRegressor
    >>> from skdyn.scale import data_parallel
    >>> with data_parallel():  # here there is no group
    ...     model = KANRegressor(max_iter=5, random_state=0)
    """
    if not is_whole(save_every, 1):
        raise ValueError(f"save_every is a positive whole number of epochs, got {save_every!r}")
    keeper = None if checkpoint is None else Keeper(checkpoint, save_every)
    with processes(group, timeout) as own, training_in(own), keeping_in(keeper):
        yield


@contextmanager
def processes(group: Any, timeout: float) -> Iterator[Alone]:
    """Make a group of our own of the processes of another, with a timeout of our own.

    Parameters
    ----------
    group : ProcessGroup or None
        The other; None takes all processes.
    timeout : float
        Seconds.

    Yields
    ------
    Alone or Processes
        Alone outside of a group, and in a group of one.
    """
    if not timeout > 0:
        raise ValueError(f"timeout is a number of seconds above 0, got {timeout}")
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size(group) == 1:
        yield Alone()
        return
    ranks = None if group is None else dist.get_process_group_ranks(group)
    own: Any = dist.new_group(
        ranks, timeout=timedelta(seconds=timeout), use_local_synchronization=group is not None
    )
    try:
        yield Processes(own)
    finally:
        dist.destroy_process_group(own)
        _ENDED.append(own)
