"""How many threads a fit computes with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch

# Multiply-adds of one layerwise pass below which a second thread costs more than it brings; at a
# few GFLOP/s a core that is about a millisecond.
_SMALL = 2**22


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
    the same bits under any ``n_jobs``.

    Parameters
    ----------
    n_multiply_adds : int
        Of one pass; see :func:`multiply_adds`.

    Yields
    ------
    None
        Nothing.
    """
    before = torch.get_num_threads()
    if n_multiply_adds > _SMALL or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
