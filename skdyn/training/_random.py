"""Randomness that leaves the global generators as they were."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class _Drawing(TorchDispatchMode):
    """Let every draw of this thread that names no generator come from one of ours."""

    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if torch.Tag.nondeterministic_seeded in func.tags and kwargs.get("generator") is None:
            func = _taking_a_generator(func)
            kwargs = kwargs | {"generator": self.generator}
        return func(*args, **kwargs)


# Torch wraps the method so that its compiler leaves it alone, which imports that compiler.
_Drawing.__torch_dispatch__ = inspect.unwrap(_Drawing.__torch_dispatch__)


def _taking_a_generator(func):
    """Return an operator itself where it takes a generator, else its overload that does."""
    if any(argument.name == "generator" for argument in func._schema.arguments):
        return func
    overload = func._overloadname
    wanted = "generator" if overload == "default" else f"generator_{overload}"
    packet = func.overloadpacket
    name = next((n for n in packet.overloads() if n in (wanted, f"{overload}_generator")), None)
    if name is None:
        raise NotImplementedError(
            f"{func} draws from torch's global generator only; first weights must not need it."
        )
    return getattr(packet, name)


@contextmanager
def seeded_rng(seed: int) -> Iterator[None]:
    """Draw torch's random numbers from a CPU generator of the block's own.

    Torch's layers draw their first weights from the process-wide generator, unasked. In this block
    they do not: what is drawn is what that generator would give after ``torch.manual_seed(seed)``,
    but it is neither read nor set, nor locked, and other threads draw from it undisturbed.

    Parameters
    ----------
    seed : int
        The seed.

    Yields
    ------
    None
        Nothing; this thread draws from the seed inside the block.
    """
    with _Drawing(new_generator(seed)):
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
