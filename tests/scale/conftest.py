"""Several processes of this machine; each is a fork of the test's own."""

import multiprocessing
import os
import traceback

import pytest

from skdyn.scale import data_parallel


@pytest.fixture
def in_processes(tmp_path):
    """Return what lets some processes do their work within a group."""
    if not hasattr(os, "fork"):
        pytest.skip("processes are forks here")
    return _Processes(tmp_path)


class _Processes:
    """Lets processes do their work, and returns what each tells, by rank.

    A process that ends without a word, or hangs, is told of by None.
    """

    def __init__(self, folder):
        self._folder, self._n_groups = folder, 0

    def __call__(self, size, work, **settings):
        context = multiprocessing.get_context("fork")
        self._n_groups += 1
        address = f"file://{self._folder / f'meeting{self._n_groups}'}"
        ears = []
        for rank in range(size):
            ear, mouth = context.Pipe(duplex=False)
            given = (rank, size, address, work, mouth, settings)
            context.Process(target=_one, args=given, daemon=True).start()
            mouth.close()  # so that nobody but the process itself holds it open
            ears.append(ear)
        return [_heard(ear) for ear in ears]


def _heard(ear):
    try:
        return ear.recv() if ear.poll(300) else None
    except EOFError:
        return None


def _one(rank, size, address, work, mouth, settings):
    torch_distributed = pytest.importorskip("torch.distributed", reason="this torch has none")
    torch_distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=size)
    try:
        with data_parallel(**settings):
            told = work(rank)
    except Exception as error:
        told = (type(error), str(error), traceback.format_exc())
    mouth.send(told)
    os._exit(0)  # no clean end: pytest's own is not this process's business
