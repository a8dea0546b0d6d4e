"""How many threads a fit computes with."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

# Multiply-adds of one layerwise pass below which a second thread costs more than it brings; at a
# few GFLOP/s a core that is about a millisecond.
_SMALL = 2**22


@contextmanager
def threads_for(n_weights: int, n_cases: int) -> Iterator[None]:
    """Compute on one thread if the problem is small, and put the number back afterwards.

    Matrix products split among threads round differently, so that a model would depend on how
    many cores joblib left it. Small problems gain nothing from threads: they run on one, and give
    the same bits under any ``n_jobs``.

    Parameters
    ----------
    n_weights : int
        Weights of the module.
    n_cases : int
        Cases a batch.

    Yields
    ------
    None
        Nothing.
    """
    before = torch.get_num_threads()
    if n_weights * n_cases > _SMALL or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
