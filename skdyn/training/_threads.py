"""How many threads a fit computes with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, cast

import torch
from threadpoolctl import ThreadpoolController

# Multiply-adds of one layerwise pass below which a second thread costs more than it brings: a
# third is gained at best, and lost many times over where another process has the second core.
_SMALL = 2**26


def multiply_adds(
    module: torch.nn.Module, objective: Callable[..., torch.Tensor], shape: tuple[int, ...]
) -> int:
    """Estimate the multiply-adds of one pass forward over a batch.

    Where each weight meets a case more than once, or rows meet rows, the objective or else the
    module says how many there are, by a method of this name. What is done one after the other, as
    the evaluations of a solver, counts once: threads share the work of a moment.

    Parameters
    ----------
    module : Module
        The network.
    objective : callable
        What is minimized; its ``multiply_adds(module, shape)`` goes before the module's
        ``multiply_adds(shape)``, and that before the number of the weights times the cases.
    shape : tuple of int
        Shape of a batch's first array; the first axis is the cases.

    Returns
    -------
    int
    """
    if hasattr(objective, "multiply_adds"):
        return cast("Any", objective).multiply_adds(module, shape)
    if hasattr(module, "multiply_adds"):
        return cast("Any", module).multiply_adds(shape)
    return shape[0] * sum(weight.numel() for weight in module.parameters())


@contextmanager
def threads_for(n_multiply_adds: int) -> Iterator[None]:
    """Compute on one thread if the problem is small, and put the number back afterwards.

    Matrix products split among threads round differently, so that a model would depend on how
    many cores joblib left it. Small problems gain nothing from threads: they run on one, and give
    the same bits under any ``n_jobs``. That goes for NumPy's and SciPy's products as for torch's.

    Parameters
    ----------
    n_multiply_adds : int
        Of one pass; see :func:`multiply_adds`.

    Yields
    ------
    None
        Nothing.
    """
    if n_multiply_adds > _SMALL:
        yield
        return
    before = torch.get_num_threads()
    with _one_blas_thread:
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


class _OneBLASThread:
    """Hold BLAS to one thread while anybody in this process asks for it.

    The number belongs to the process, other than torch's, which is each thread's own: fits in
    threads beside one another must not put back what another one found.
    """

    def __init__(self) -> None:
        self._lock, self._n_inside, self._limited = Lock(), 0, cast("Any", None)

    def __enter__(self) -> None:
        with self._lock:
            self._n_inside += 1
            if self._n_inside == 1:
                self._limited = _blas().limit(limits=1)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._limited.restore_original_limits()


@cache
def _blas() -> ThreadpoolController:
    """Return the BLAS libraries of this process; looking for them takes longer than a limit."""
    return ThreadpoolController().select(user_api="blas")


_one_blas_thread = _OneBLASThread()
