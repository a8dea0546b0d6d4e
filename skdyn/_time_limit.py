"""When the time that a fit may take is over."""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Real
from typing import Any

__all__ = ["interrupts_end_time", "time_is_over", "time_left", "time_limit"]

_END: ContextVar[float] = ContextVar("end", default=math.inf)
_STOP: ContextVar[threading.Event | None] = ContextVar("stop", default=None)


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


@contextmanager
def interrupts_end_time() -> Iterator[None]:
    """Let an interrupt from the keyboard end the time of a block, and a second one the block.

    What is in the middle of something can then end it and keep what it has. Nothing changes in
    other threads, which get no interrupts, and where somebody else sees to them already.

    Yields
    ------
    None
        Nothing.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    stop = threading.Event()

    def handle(number, frame):
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    token = _STOP.set(stop)
    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _STOP.reset(token)


def time_left() -> float:
    """Return the seconds to the time limit around this call, infinity where there is none.

    Returns
    -------
    float
        What a process started now should be given.
    """
    stop = _STOP.get()
    return -math.inf if stop is not None and stop.is_set() else _END.get() - time.monotonic()


def time_is_over() -> bool:
    """Return whether the time limit around this call has passed, or an interrupt has ended it.

    Returns
    -------
    bool
    """
    return time_left() < 0
