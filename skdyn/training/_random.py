"""Randomness that leaves the global generators as they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import torch

# Torch's layers draw their first weights from the process-wide generator. Fits in threads of one
# process (joblib's threading backend, dask) take turns at it, or they would disturb each other.
_GLOBAL_GENERATOR = Lock()


@contextmanager
def seeded_rng(seed: int) -> Iterator[None]:
    """Seed torch's global CPU generator for the block and put its state back afterwards.

    Parameters
    ----------
    seed : int
        The seed.

    Yields
    ------
    None
        Nothing; the block runs on this seed.
    """
    with _GLOBAL_GENERATOR, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def new_generator(seed: int) -> torch.Generator:
    """Return a CPU generator of its own with this seed.

    Parameters
    ----------
    seed : int
        The seed.

    Returns
    -------
    torch.Generator
    """
    return torch.Generator().manual_seed(seed)
