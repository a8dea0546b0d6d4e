"""When the time that a fit may take is over."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Real
from typing import Any

__all__ = ["time_is_over", "time_left", "time_limit"]

_END: ContextVar[float] = ContextVar("end", default=math.inf)


@contextmanager
def time_limit(seconds: Any) -> Iterator[None]:
    """Limit the time of all that is trained in a block, in this thread.

    Parameters
    ----------
    seconds : float or None
        How long it may take; None, as what is no number, sets no limit. One around the block holds
        within it, too.

    Yields
    ------
    None
        Nothing.
    """
    own = time.monotonic() + float(seconds) if isinstance(seconds, Real) else math.inf
    token = _END.set(min(own, _END.get()))
    try:
        yield
    finally:
        _END.reset(token)


def time_left() -> float:
    """Return the seconds to the time limit around this call, infinity where there is none.

    Returns
    -------
    float
        What a process started now should be given.
    """
    return _END.get() - time.monotonic()


def time_is_over() -> bool:
    """Return whether the time limit around this call has passed.

    Returns
    -------
    bool
    """
    return time.monotonic() > _END.get()
